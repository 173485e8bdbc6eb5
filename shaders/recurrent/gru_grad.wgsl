// io: kernel, mask, saved, dy -> dxz, da, dh0
// Backward through time of gru.wgsl in one dispatch, laid out as it is. `dxz` is the gradient of the projected input, `da`
// that of the recurrent product, which differs in the candidate's third by the factor r.

const WG: u32 = 64;
const UNITS: u32 = 64;
alias Rows = vec4<f32>;
const ROW_NUMBERS: Rows = Rows(0.0, 1.0, 2.0, 3.0);

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  rows: u32,
  backwards: u32,
}

var<workgroup> da_tile: array<Rows, 3u * UNITS>;
var<workgroup> dh_tile: array<Rows, UNITS>;

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
  for (var s = 0u; s < params.time; s++) {
    let t = select(params.time - 1u - s, s, params.backwards != 0u);
    for (var j = lane; j < units; j += WG) {
      var dh = dh_tile[j];
      var az = Rows();
      var ar = Rows();
      var ah = Rows();
      for (var r = 0u; r < rows; r++) {
        let mine = ROW_NUMBERS == Rows(f32(r));
        let step = (first + r) * params.time + t;
        let e = step * units + j;
        var d = dh[r] + load_dy(e);
        // Of a_z, a_r, a_h and xz_h.
        var da = vec4<f32>();
        if (load_mask(step) > 0.5) {
          let h = load_saved(e);
          let update = load_saved(e + plane);
          let reset = load_saved(e + 2u * plane);
          let n = load_saved(e + 3u * plane);
          let dn = d * (1.0 - update) * (1.0 - n * n);
          let dr = dn * load_saved(e + 4u * plane) * reset * (1.0 - reset);
          da = vec4<f32>(d * (h - n) * update * (1.0 - update), dr, dn * reset, dn);
          d *= update;
        }
        let x = 3u * step * units + j;
        store_dxz(x, da.x);
        store_dxz(x + units, da.y);
        store_dxz(x + 2u * units, da.w);
        store_da(x, da.x);
        store_da(x + units, da.y);
        store_da(x + 2u * units, da.z);
        az = select(az, Rows(da.x), mine);
        ar = select(ar, Rows(da.y), mine);
        ah = select(ah, Rows(da.z), mine);
        dh = select(dh, Rows(d), mine);
      }
      dh_tile[j] = dh;
      da_tile[j] = az;
      da_tile[units + j] = ar;
      da_tile[2u * units + j] = ah;
    }
    workgroupBarrier();
    for (var k = 4u * lane; k < units; k += 4u * WG) {
      let at = vec4<u32>(k, min(vec3<u32>(k + 1u, k + 2u, k + 3u), vec3<u32>(units - 1u))) * (3u * units);
      var sum_0 = Rows();
      var sum_1 = Rows();
      var sum_2 = Rows();
      var sum_3 = Rows();
      for (var column = 0u; column < 3u * units; column++) {
        let d = da_tile[column];
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
  for (var j = lane; j < units; j += WG) {
    for (var r = 0u; r < rows; r++) {
      store_dh0((first + r) * units + j, dh_tile[j][r]);
    }
  }
}
