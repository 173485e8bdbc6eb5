// Reduction of x [outer, reduced, inner] to y [outer, inner], one thread per output: for short sums.

const WG: u32 = 64;
const MAXIMUM: bool = false;

struct Params {
  outputs: u32,
  reduced: u32,
  inner: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> y: array<f32>;

fn load_x(i: u32) -> f32 {
  return x[i];
}

fn store_y(i: u32, v: f32) {
  y[i] = v;
}

fn item(i: u32) {
  let start = (i / params.inner) * params.reduced * params.inner + i % params.inner;
  var total = 0.0;
  for (var r = 0u; r < params.reduced; r++) {
    let v = load_x(start + r * params.inner);
    total = select(select(total + v, max(total, v), MAXIMUM), v, r == 0u);
  }
  store_y(i, total);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * WG + id.x;
  if (i < params.outputs) {
    item(i);
  }
}
