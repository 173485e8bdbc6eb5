// lib: math, gates
// A GRU over all time steps of small layers, one thread a sequence; gates, reset and planes of `saved` as in gru.wgsl.

const WG: u32 = 64;
const UNITS: u32 = 64;
// Of three gates.
const LAST: u32 = 2;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  backwards: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> xz: array<f32>;
@group(1) @binding(2) var<storage, read> kernel: array<f32>;
@group(1) @binding(3) var<storage, read> bias: array<f32>;
@group(1) @binding(4) var<storage, read> h0: array<f32>;
@group(1) @binding(5) var<storage, read> mask: array<f32>;
@group(1) @binding(6) var<storage, read_write> y: array<f32>;
@group(1) @binding(7) var<storage, read_write> saved: array<f32>;

fn load_xz(i: u32) -> f32 {
  return xz[i];
}

fn load_kernel(i: u32) -> f32 {
  return kernel[i];
}

fn load_bias(i: u32) -> f32 {
  return bias[i];
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

fn store_saved(i: u32, v: f32) {
  saved[i] = v;
}

fn item(i: u32) {
  let units = params.units;
  let count = LAST + 1u;
  let plane = params.batch * params.time * units;
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
      var a = vec4<f32>();
      var x = vec4<f32>();
      for (var gate = 0u; gate < count; gate++) {
        a[gate] = load_bias(gate * units + j);
        x[gate] = load_xz((3u * step + gate) * units + j);
      }
      for (var k = 0u; k < units; k++) {
        a += h[now + k] * gates_at(3u * k * units + j, units, i);
      }
      let update = sigmoid_f(a.x + x.x);
      let reset = sigmoid_f(a.y + x.y);
      let n = tanh_f(x.z + reset * a.z);
      let e = step * units + j;
      let h_before = h[now + j];
      let h_next = select((1.0 - update) * n + update * h_before, h_before, kept);
      store_saved(e, h_before);
      store_saved(e + plane, update);
      store_saved(e + 2u * plane, reset);
      store_saved(e + 3u * plane, n);
      store_saved(e + 4u * plane, a.z);
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
