// y = 2 x, to try the build's WGSL reader.
// lib: two
const WG: u32 = 64u;

struct Params {
  n: u32,
  shift: i32, // unused
  scale: f32,
}

@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WG, 2)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.n) { y[id.x] = two() * x[id.x / 4u][id.x % 4u] * params.scale; }
}
