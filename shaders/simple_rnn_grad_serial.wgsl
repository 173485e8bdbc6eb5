// Backward through time of simple_rnn_serial.wgsl, laid out as it is.

const WG: u32 = 64;
const UNITS: u32 = 64;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  backwards: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> kernel: array<f32>;
@group(1) @binding(2) var<storage, read> mask: array<f32>;
@group(1) @binding(3) var<storage, read> y: array<f32>;
@group(1) @binding(4) var<storage, read> dy: array<f32>;
@group(1) @binding(5) var<storage, read_write> dxz: array<f32>;
@group(1) @binding(6) var<storage, read_write> dh0: array<f32>;

fn load_kernel(i: u32) -> f32 {
  return kernel[i];
}

fn load_mask(i: u32) -> f32 {
  return mask[i];
}

fn load_y(i: u32) -> f32 {
  return y[i];
}

fn load_dy(i: u32) -> f32 {
  return dy[i];
}

fn store_dxz(i: u32, v: f32) {
  dxz[i] = v;
}

fn store_dh0(i: u32, v: f32) {
  dh0[i] = v;
}

fn item(i: u32) {
  let units = params.units;
  var dh: array<f32, UNITS>;
  var dz: array<f32, UNITS>;
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(params.time - 1u - s, s, params.backwards != 0u);
    let kept = load_mask(step) <= 0.5;
    for (var j = 0u; j < units; j++) {
      let e = step * units + j;
      let d = dh[j] + load_dy(e);
      let h = load_y(e);
      dz[j] = select(d * (1.0 - h * h), 0.0, kept);
      dh[j] = select(0.0, d, kept);
      store_dxz(e, dz[j]);
    }
    for (var k = 0u; k < units; k++) {
      var sum = 0.0;
      for (var j = 0u; j < units; j++) {
        sum += dz[j] * load_kernel(k * units + j);
      }
      dh[k] += sum;
    }
  }
  for (var j = 0u; j < units; j++) {
    store_dh0(i * units + j, dh[j]);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * WG + id.x;
  if (i < params.batch) {
    item(i);
  }
}
