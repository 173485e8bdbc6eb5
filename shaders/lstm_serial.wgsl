// lib: math
// An LSTM over all time steps of small layers, one thread a sequence; gates, kernel and planes of `saved` as in lstm.wgsl.

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
@group(1) @binding(4) var<storage, read> c0: array<f32>;
@group(1) @binding(5) var<storage, read> mask: array<f32>;
@group(1) @binding(6) var<storage, read_write> y: array<f32>;
@group(1) @binding(7) var<storage, read_write> cells: array<f32>;
@group(1) @binding(8) var<storage, read_write> saved: array<f32>;

fn load_xz(i: u32) -> f32 {
  return xz[i];
}

fn load_kernel4(i: u32) -> vec4<f32> {
  return vec4<f32>(kernel[i], kernel[i + 1u], kernel[i + 2u], kernel[i + 3u]);
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
      var z = vec4<f32>();
      for (var k = 0u; k < units; k++) {
        z += h[now + k] * load_kernel4(4u * (k * units + j));
      }
      let x = 4u * step * units + j;
      let i_gate = sigmoid_f(z.x + load_xz(x));
      let f = sigmoid_f(z.y + load_xz(x + units));
      let g = tanh_f(z.z + load_xz(x + 2u * units));
      let o = sigmoid_f(z.w + load_xz(x + 3u * units));
      let e = step * units + j;
      let h_before = h[now + j];
      let c_before = c[j];
      let c_next = select(f * c_before + i_gate * g, c_before, kept);
      let h_next = select(o * tanh_f(c_next), h_before, kept);
      store_saved(e, h_before);
      store_saved(e + plane, c_before);
      store_saved(e + 2u * plane, i_gate);
      store_saved(e + 3u * plane, f);
      store_saved(e + 4u * plane, g);
      store_saved(e + 5u * plane, o);
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
