// io: kernel, mask, y, dy -> dxz, dh0
// Backward through time of simple_rnn.wgsl in one dispatch, laid out as it is.

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

var<workgroup> dz_tile: array<Rows, UNITS>;
var<workgroup> dh_tile: array<Rows, UNITS>;

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let units = params.units;
  let first = min((group.y * groups.x + group.x) * params.rows, params.batch);
  let rows = min(params.rows, params.batch - first);
  for (var s = 0u; s < params.time; s++) {
    let t = select(params.time - 1u - s, s, params.backwards != 0u);
    for (var j = lane; j < units; j += WG) {
      var dh = dh_tile[j];
      var dz = Rows();
      for (var r = 0u; r < rows; r++) {
        let mine = ROW_NUMBERS == Rows(f32(r));
        let step = (first + r) * params.time + t;
        let e = step * units + j;
        var d = dh[r] + load_dy(e);
        var d_argument = 0.0;
        if (load_mask(step) > 0.5) {
          let h = load_y(e);
          d_argument = d * (1.0 - h * h);
          d = 0.0;
        }
        store_dxz(e, d_argument);
        dz = select(dz, Rows(d_argument), mine);
        dh = select(dh, Rows(d), mine);
      }
      dh_tile[j] = dh;
      dz_tile[j] = dz;
    }
    workgroupBarrier();
    for (var k = 4u * lane; k < units; k += 4u * WG) {
      let at = vec4<u32>(k, min(vec3<u32>(k + 1u, k + 2u, k + 3u), vec3<u32>(units - 1u))) * units;
      var sum_0 = Rows();
      var sum_1 = Rows();
      var sum_2 = Rows();
      var sum_3 = Rows();
      for (var column = 0u; column < units; column++) {
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
  for (var j = lane; j < units; j += WG) {
    for (var r = 0u; r < rows; r++) {
      store_dh0((first + r) * units + j, dh_tile[j][r]);
    }
  }
}
