// Backward through time of gru_serial.wgsl, laid out as it is. `dxz` is the gradient of the projected input, `da` that of the
// recurrent product, which differs in the candidate's third by the factor r.

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
@group(1) @binding(3) var<storage, read> saved: array<f32>;
@group(1) @binding(4) var<storage, read> dy: array<f32>;
@group(1) @binding(5) var<storage, read_write> dxz: array<f32>;
@group(1) @binding(6) var<storage, read_write> da_out: array<f32>;
@group(1) @binding(7) var<storage, read_write> dh0: array<f32>;

fn load_kernel(i: u32) -> f32 {
  return kernel[i];
}

fn load_mask(i: u32) -> f32 {
  return mask[i];
}

fn load_saved(i: u32) -> f32 {
  return saved[i];
}

fn load_dy(i: u32) -> f32 {
  return dy[i];
}

fn store_dxz(i: u32, v: f32) {
  dxz[i] = v;
}

fn store_da(i: u32, v: f32) {
  da_out[i] = v;
}

fn store_dh0(i: u32, v: f32) {
  dh0[i] = v;
}

fn item(i: u32) {
  let units = params.units;
  let plane = params.batch * params.time * units;
  var dh: array<f32, UNITS>;
  var da: array<vec3<f32>, UNITS>;
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(params.time - 1u - s, s, params.backwards != 0u);
    let kept = load_mask(step) <= 0.5;
    for (var j = 0u; j < units; j++) {
      let e = step * units + j;
      let d = dh[j] + load_dy(e);
      let update = load_saved(e + plane);
      let reset = load_saved(e + 2u * plane);
      let n = load_saved(e + 3u * plane);
      let dn = select(d * (1.0 - update) * (1.0 - n * n), 0.0, kept);
      let dz = select(d * (load_saved(e) - n) * update * (1.0 - update), 0.0, kept);
      da[j] = vec3<f32>(dz, dn * load_saved(e + 4u * plane) * reset * (1.0 - reset), dn * reset);
      dh[j] = select(d * update, d, kept);
      let x = 3u * step * units + j;
      store_dxz(x, da[j].x);
      store_dxz(x + units, da[j].y);
      store_dxz(x + 2u * units, dn);
      store_da(x, da[j].x);
      store_da(x + units, da[j].y);
      store_da(x + 2u * units, da[j].z);
    }
    for (var k = 0u; k < units; k++) {
      var sum = 0.0;
      for (var j = 0u; j < units; j++) {
        let at = 3u * k * units + j;
        sum += dot(da[j], vec3<f32>(load_kernel(at), load_kernel(at + units), load_kernel(at + 2u * units)));
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
