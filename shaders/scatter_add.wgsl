// y [rows, inner]: row r is the sum of the rows of x whose index is r, in their order, so that the bits never vary.
// One thread per output element.

const WG: u32 = 64;

struct Params {
  outputs: u32,
  count: u32,
  inner: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> indices: array<u32>;
@group(1) @binding(2) var<storage, read> x: array<f32>;
@group(1) @binding(3) var<storage, read_write> y: array<f32>;

fn load_indices(i: u32) -> u32 {
  return indices[i];
}

fn load_x(i: u32) -> f32 {
  return x[i];
}

fn store_y(i: u32, v: f32) {
  y[i] = v;
}

fn item(i: u32) {
  let row = i / params.inner;
  let column = i % params.inner;
  var total = 0.0;
  for (var k = 0u; k < params.count; k++) {
    if (load_indices(k) == row) {
      total += load_x(k * params.inner + column);
    }
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
