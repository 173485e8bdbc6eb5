// y = 2 x, to try the build's WGSL reader.
// lib: two
// io: x 1|4 -> y peek, z: u32 4
const WG: u32 = 64u;

struct Params {
  n: u32,
  shift: i32, // unused
  scale: f32,
}

@compute @workgroup_size(WG, 2)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.n) { store_y(id.x, two() * load_x(id.x) * params.scale); }
}
