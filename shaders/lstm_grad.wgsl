// lib: math
// Backward through time of lstm.wgsl in one dispatch, laid out as it is. Each step turns the gradients of h and c into
// those of the gates' arguments, then carries dh = dz U^T to the step before, four units a thread so that what is read of
// dz serves four rows of U. `saved` is what the forward kernel stored.

const WG: u32 = 64;
const UNITS: u32 = 64;
const PER_LANE: u32 = 1;
alias Rows = vec4<f32>;
const ROW_NUMBERS: Rows = Rows(0.0, 1.0, 2.0, 3.0);

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  rows: u32,
  backwards: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> kernel: array<f32>;
@group(1) @binding(2) var<storage, read> mask: array<f32>;
@group(1) @binding(3) var<storage, read> saved: array<f32>;
@group(1) @binding(4) var<storage, read> dy: array<f32>;
@group(1) @binding(5) var<storage, read> dcells: array<f32>;
@group(1) @binding(6) var<storage, read_write> dxz: array<f32>;
@group(1) @binding(7) var<storage, read_write> dh0: array<f32>;
@group(1) @binding(8) var<storage, read_write> dc0: array<f32>;

var<workgroup> dz_tile: array<Rows, 4u * UNITS>;
var<workgroup> dh_tile: array<Rows, UNITS>;

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

fn load_dcells(i: u32) -> f32 {
  return dcells[i];
}

fn store_dxz(i: u32, v: f32) {
  dxz[i] = v;
}

fn store_dh0(i: u32, v: f32) {
  dh0[i] = v;
}

fn store_dc0(i: u32, v: f32) {
  dc0[i] = v;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let units = params.units;
  let plane = params.batch * params.time * units;
  let first = min((group.y * groups.x + group.x) * params.rows, params.batch);
  let rows = min(params.rows, params.batch - first);
  var dc_after: array<Rows, PER_LANE>;
  for (var s = 0u; s < params.time; s++) {
    let t = select(params.time - 1u - s, s, params.backwards != 0u);
    for (var p = 0u; p * WG + lane < units; p++) {
      let j = p * WG + lane;
      var dh = dh_tile[j];
      var dc = dc_after[p];
      var zi = Rows();
      var zf = Rows();
      var zg = Rows();
      var zo = Rows();
      for (var r = 0u; r < rows; r++) {
        let mine = ROW_NUMBERS == Rows(f32(r));
        let step = (first + r) * params.time + t;
        let e = step * units + j;
        var dh_next = dh[r] + load_dy(e);
        var dc_next = dc[r] + load_dcells(e);
        var dz = vec4<f32>();
        if (load_mask(step) > 0.5) {
          let c = load_saved(e + plane);
          let i = load_saved(e + 2u * plane);
          let f = load_saved(e + 3u * plane);
          let g = load_saved(e + 4u * plane);
          let o = load_saved(e + 5u * plane);
          let a = tanh_f(f * c + i * g);
          let d = dc_next + dh_next * o * (1.0 - a * a);
          dz = vec4<f32>(d * g * i * (1.0 - i), d * c * f * (1.0 - f), d * i * (1.0 - g * g), dh_next * a * o * (1.0 - o));
          dc_next = d * f;
          dh_next = 0.0;
        }
        let z = 4u * step * units + j;
        store_dxz(z, dz.x);
        store_dxz(z + units, dz.y);
        store_dxz(z + 2u * units, dz.z);
        store_dxz(z + 3u * units, dz.w);
        zi = select(zi, Rows(dz.x), mine);
        zf = select(zf, Rows(dz.y), mine);
        zg = select(zg, Rows(dz.z), mine);
        zo = select(zo, Rows(dz.w), mine);
        dh = select(dh, Rows(dh_next), mine);
        dc = select(dc, Rows(dc_next), mine);
      }
      dh_tile[j] = dh;
      dc_after[p] = dc;
      dz_tile[j] = zi;
      dz_tile[units + j] = zf;
      dz_tile[2u * units + j] = zg;
      dz_tile[3u * units + j] = zo;
    }
    workgroupBarrier();
    // Rows beyond the last repeat it; nobody reads their sums.
    for (var k = 4u * lane; k < units; k += 4u * WG) {
      let at = vec4<u32>(k, min(vec3<u32>(k + 1u, k + 2u, k + 3u), vec3<u32>(units - 1u))) * (4u * units);
      var sum_0 = Rows();
      var sum_1 = Rows();
      var sum_2 = Rows();
      var sum_3 = Rows();
      for (var column = 0u; column < 4u * units; column++) {
        let d = dz_tile[column];
        sum_0 += d * load_kernel(at.x + column);
        sum_1 += d * load_kernel(at.y + column);
        sum_2 += d * load_kernel(at.z + column);
        sum_3 += d * load_kernel(at.w + column);
      }
      dh_tile[k] += sum_0;
      dh_tile[k + 1u] += sum_1;
      dh_tile[k + 2u] += sum_2;
      dh_tile[k + 3u] += sum_3;
    }
    workgroupBarrier();
  }
  for (var p = 0u; p * WG + lane < units; p++) {
    let j = p * WG + lane;
    for (var r = 0u; r < rows; r++) {
      let e = (first + r) * units + j;
      store_dh0(e, dh_tile[j][r]);
      store_dc0(e, dc_after[p][r]);
    }
  }
}
