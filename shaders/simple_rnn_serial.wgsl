// lib: math
// A simple RNN over all time steps of small layers, one thread a sequence: h' = tanh(xz + h U). A step whose mask is 0 leaves
// h as it is. `before` is h before each step.

const WG: u32 = 64;
const UNITS: u32 = 64;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  backwards: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> xz: array<f32>;
@group(1) @binding(2) var<storage, read> kernel: array<f32>;
@group(1) @binding(3) var<storage, read> h0: array<f32>;
@group(1) @binding(4) var<storage, read> mask: array<f32>;
@group(1) @binding(5) var<storage, read_write> y: array<f32>;
@group(1) @binding(6) var<storage, read_write> before: array<f32>;

fn load_xz(i: u32) -> f32 {
  return xz[i];
}

fn load_kernel(i: u32) -> f32 {
  return kernel[i];
}

fn load_h0(i: u32) -> f32 {
  return h0[i];
}

fn load_mask(i: u32) -> f32 {
  return mask[i];
}

fn store_y(i: u32, v: f32) {
  y[i] = v;
}

fn store_before(i: u32, v: f32) {
  before[i] = v;
}

fn item(i: u32) {
  let units = params.units;
  // The state before and after a step, in turns.
  var h: array<f32, 2u * UNITS>;
  for (var j = 0u; j < units; j++) {
    h[j] = load_h0(i * units + j);
  }
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(s, params.time - 1u - s, params.backwards != 0u);
    let now = (s & 1u) * UNITS;
    let kept = load_mask(step) <= 0.5;
    for (var j = 0u; j < units; j++) {
      var z = 0.0;
      for (var k = 0u; k < units; k++) {
        z += h[now + k] * load_kernel(k * units + j);
      }
      let e = step * units + j;
      let h_before = h[now + j];
      let h_next = select(tanh_f(z + load_xz(e)), h_before, kept);
      store_before(e, h_before);
      store_y(e, h_next);
      h[UNITS - now + j] = h_next;
    }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * WG + id.x;
  if (i < params.batch) {
    item(i);
  }
}
