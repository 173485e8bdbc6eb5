// lib: math, gates
// An LSTM over all time steps of small layers, one thread a sequence; gates, kernel and planes of `saved` as in lstm.wgsl.
// What reaches memory is dear to compile, so what the gates have in common is a loop over them.

const WG: u32 = 64;
const UNITS: u32 = 64;
// Of four gates.
const LAST: u32 = 3;

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
@group(1) @binding(4) var<storage, read> c0: array<f32>;
@group(1) @binding(5) var<storage, read> mask: array<f32>;
@group(1) @binding(6) var<storage, read_write> y: array<f32>;
@group(1) @binding(7) var<storage, read_write> cells: array<f32>;
@group(1) @binding(8) var<storage, read_write> saved: array<f32>;

fn load_xz(i: u32) -> f32 {
  return xz[i];
}

fn load_kernel(i: u32) -> f32 {
  return kernel[i];
}

fn load_h0(i: u32) -> f32 {
  return h0[i];
}

fn load_c0(i: u32) -> f32 {
  return c0[i];
}

fn load_mask(i: u32) -> f32 {
  return mask[i];
}

fn store_y(i: u32, v: f32) {
  y[i] = v;
}

fn store_cells(i: u32, v: f32) {
  cells[i] = v;
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
  var c: array<f32, UNITS>;
  for (var j = 0u; j < units; j++) {
    h[j] = load_h0(i * units + j);
    c[j] = load_c0(i * units + j);
  }
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(s, params.time - 1u - s, params.backwards != 0u);
    let now = (s & 1u) * UNITS;
    let kept = load_mask(step) <= 0.5;
    for (var j = 0u; j < units; j++) {
      var gates = vec4<f32>();
      for (var k = 0u; k < units; k++) {
        gates += h[now + k] * gates_at(4u * (k * units + j), 1u, i);
      }
      let e = step * units + j;
      for (var gate = 0u; gate < count; gate++) {
        let z = gates[gate] + load_xz((4u * step + gate) * units + j);
        let v = select(sigmoid_f(z), tanh_f(z), gate == 2u);
        gates[gate] = v;
        store_saved(e + (2u + gate) * plane, v);
      }
      let h_before = h[now + j];
      let c_before = c[j];
      let c_next = select(gates.y * c_before + gates.x * gates.z, c_before, kept);
      let h_next = select(gates.w * tanh_f(c_next), h_before, kept);
      store_saved(e, h_before);
      store_saved(e + plane, c_before);
      store_y(e, h_next);
      store_cells(e, c_next);
      h[UNITS - now + j] = h_next;
      c[j] = c_next;
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
