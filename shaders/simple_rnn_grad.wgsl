// Backward through time of simple_rnn.wgsl in one dispatch, laid out as it is.

const WG: u32 = 64;
const UNITS: u32 = 64;
const PER_LANE: u32 = 1;
const ROWS: u32 = 4;
alias Rows = vec4<f32>;

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

var<workgroup> dz_tile: array<Rows, UNITS>;

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

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let units = params.units;
  let first = min((group.y * groups.x + group.x) * ROWS, params.batch);
  let rows = min(ROWS, params.batch - first);
  var dh: array<Rows, PER_LANE>;
  for (var s = 0u; s < params.time; s++) {
    let t = select(params.time - 1u - s, s, params.backwards != 0u);
    for (var p = 0u; p * WG + lane < units; p++) {
      let j = p * WG + lane;
      var dz = Rows();
      for (var r = 0u; r < rows; r++) {
        let step = (first + r) * params.time + t;
        let e = step * units + j;
        dh[p][r] += load_dy(e);
        if (load_mask(step) > 0.5) {
          let h = load_y(e);
          dz[r] = dh[p][r] * (1.0 - h * h);
          dh[p][r] = 0.0;
        }
        store_dxz(e, dz[r]);
      }
      dz_tile[j] = dz;
    }
    workgroupBarrier();
    for (var p = 0u; p * WG + lane < units; p++) {
      let start = (p * WG + lane) * units;
      var total = Rows();
      for (var k = 0u; k < units; k++) {
        total += dz_tile[k] * load_kernel(start + k);
      }
      dh[p] += total;
    }
    workgroupBarrier();
  }
  for (var p = 0u; p * WG + lane < units; p++) {
    for (var r = 0u; r < rows; r++) {
      store_dh0((first + r) * units + p * WG + lane, dh[p][r]);
    }
  }
}
