// lib: math, rows
// io: kernel 4, mask, saved, dy, dcells -> dxz, dh0, dc0
// Backward through time of lstm.wgsl in one dispatch, laid out as it is. Each step turns the gradients of h and c into
// those of the gates' arguments, then carries dh = dz U^T to the step before, four units a thread so that what is read of
// dz serves four rows of U. `saved` is what the forward kernel stored.

const WG: u32 = 64;
const UNITS: u32 = 64;
const PER_LANE: u32 = 1;
const ROWS: u32 = 8;
// Lanes that fetch the sequences' gradients (see rows_subgroup.wgsl).
const LANES: u32 = 8;
alias Row = vec4<f32>;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  rows: u32,
  backwards: u32,
}

// Gradients of a unit's gates i, f, g, o, and of its h.
var<workgroup> tile: array<Row, ROWS * UNITS>;
var<workgroup> dh_tile: array<f32, ROWS * UNITS>;
var<private> dc_after: array<f32, ROWS * PER_LANE>;
// Four units of each sequence.
var<private> sums: array<vec4<f32>, 8>;

fn product(dz: vec4<f32>, u: mat4x4<f32>) -> vec4<f32> {
  return dz.x * u[0] + dz.y * u[1] + dz.z * u[2] + dz.w * u[3];
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let lane = lane_number();
  let units = params.units;
  let plane = params.batch * params.time * units;
  let first = min((group.y * groups.x + group.x) * ROWS, params.batch);
  let rows = min(params.rows, params.batch - first);
  for (var s = 0u; s < params.time; s++) {
    let t = select(params.time - 1u - s, s, params.backwards != 0u);
    for (var p = 0u; p * WG + thread < units; p++) {
      let j = p * WG + thread;
      for (var r = 0u; r < rows; r++) {
        let step = (first + r) * params.time + t;
        let e = step * units + j;
        var dh = dh_tile[ROWS * j + r] + load_dy(e);
        var dc = dc_after[ROWS * p + r] + load_dcells(e);
        var dz = vec4<f32>();
        if (load_mask(step) > 0.5) {
          let c = load_saved(e + plane);
          let i = load_saved(e + 2u * plane);
          let f = load_saved(e + 3u * plane);
          let g = load_saved(e + 4u * plane);
          let o = load_saved(e + 5u * plane);
          let a = tanh_f(f * c + i * g);
          let d = dc + dh * o * (1.0 - a * a);
          dz = vec4<f32>(d * g * i * (1.0 - i), d * c * f * (1.0 - f), d * i * (1.0 - g * g), dh * a * o * (1.0 - o));
          dc = d * f;
          dh = 0.0;
        }
        let z = 4u * step * units + j;
        store_dxz(z, dz.x);
        store_dxz(z + units, dz.y);
        store_dxz(z + 2u * units, dz.z);
        store_dxz(z + 3u * units, dz.w);
        tile[ROWS * j + r] = dz;
        dh_tile[ROWS * j + r] = dh;
        dc_after[ROWS * p + r] = dc;
      }
    }
    workgroupBarrier();
    // All threads go through the loop together, as handing gradients round demands. Units beyond the last repeat it; nobody
    // reads their sums.
    for (var begin = 0u; begin < units; begin += 4u * WG) {
      let k = begin + 4u * thread;
      let at = 4u * units * min(k + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(units - 1u));
      sums = array<vec4<f32>, 8>();
      for (var j = 0u; j < units; j++) {
        let u = transpose(mat4x4<f32>(
          load_kernel4(at.x + 4u * j),
          load_kernel4(at.y + 4u * j),
          load_kernel4(at.z + 4u * j),
          load_kernel4(at.w + 4u * j),
        ));
        let dz = rows_at(ROWS * j, lane);
        sums[0] += product(dz[0], u);
        sums[1] += product(dz[1], u);
        if (ROWS > 2u) {
          sums[2] += product(dz[2], u);
          sums[3] += product(dz[3], u);
        }
        if (ROWS > 4u) {
          sums[4] += product(dz[4], u);
          sums[5] += product(dz[5], u);
          sums[6] += product(dz[6], u);
          sums[7] += product(dz[7], u);
        }
      }
      for (var r = 0u; r < params.rows; r++) {
        for (var q = 0u; k + q < min(units, k + 4u); q++) {
          dh_tile[ROWS * (k + q) + r] += sums[r][q];
        }
      }
    }
    workgroupBarrier();
  }
  for (var p = 0u; p * WG + thread < units; p++) {
    let j = p * WG + thread;
    for (var r = 0u; r < rows; r++) {
      let e = (first + r) * units + j;
      store_dh0(e, dh_tile[ROWS * j + r]);
      store_dc0(e, dc_after[ROWS * p + r]);
    }
  }
}
