// lib: params, math, cell, lstm, gates4, weights, rows
// io: kernel 1|4, mask, saved, dy, dcells -> dxz, da, dh0, dc0
// Backward through time of recurrent.wgsl in one dispatch, laid out as it is. Each step turns the gradients of the states into
// those of xz and of the recurrent product (`da`, stored where it differs), then carries dh = da U^T to the step before, four
// units a thread so that what is read of da serves four rows of U. `saved` is what the forward kernel stored.

const WG: u32 = 64;
const UNITS: u32 = 64;
const PER_LANE: u32 = 1;
const ROWS: u32 = 8;
// Lanes that fetch the sequences' gradients (see lib/rows_subgroup.wgsl).
const LANES: u32 = 8;
const GATES: u32 = 4;
const STATES: u32 = 2;
const KEPT: u32 = 4;
const APART: bool = false;
alias Row = Gates;

// Gradients of a unit's gates, and of its h.
var<workgroup> tile: array<Row, ROWS * UNITS>;
var<workgroup> dh_tile: array<f32, ROWS * UNITS>;
var<private> dc_after: array<f32, ROWS * PER_LANE>;
// Four units of each sequence.
var<private> sums: array<vec4<f32>, 8>;

// What a row's gradients of the gates of one unit add to four units' dh; u has those units' weights, gate by gate.
fn product(row: Gates, u: mat4x4<f32>) -> vec4<f32> {
  let d = wide(row);
  var sum = d.x * u[0];
  if (GATES > 1u) {
    sum += d.y * u[1];
  }
  if (GATES > 2u) {
    sum += d.z * u[2];
  }
  if (GATES > 3u) {
    sum += d.w * u[3];
  }
  return sum;
}

fn saved_states(e: u32, plane: u32) -> vec2<f32> {
  var before = vec2<f32>(load_saved(e), 0.0);
  if (STATES > 1u) {
    before.y = load_saved(e + plane);
  }
  return before;
}

fn saved_kept(e: u32, plane: u32) -> vec4<f32> {
  let first = e + STATES * plane;
  var kept = vec4<f32>(load_saved(first), 0.0, 0.0, 0.0);
  if (KEPT > 1u) {
    kept.y = load_saved(first + plane);
  }
  if (KEPT > 2u) {
    kept.z = load_saved(first + 2u * plane);
  }
  if (KEPT > 3u) {
    kept.w = load_saved(first + 3u * plane);
  }
  return kept;
}

fn store_gates(i: u32, next: u32, dx: vec4<f32>, d: vec4<f32>) {
  store_dxz(i, dx.x);
  if (GATES > 1u) {
    store_dxz(i + next, dx.y);
  }
  if (GATES > 2u) {
    store_dxz(i + 2u * next, dx.z);
  }
  if (GATES > 3u) {
    store_dxz(i + 3u * next, dx.w);
  }
  if (APART) {
    for (var gate = 0u; gate < GATES; gate++) {
      store_da(i + gate * next, d[gate]);
    }
  }
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
        var d = vec2<f32>(dh_tile[ROWS * j + r] + load_dy(e), 0.0);
        if (STATES > 1u) {
          d.y = dc_after[ROWS * p + r] + load_dcells(e);
        }
        var back = StepGrad(vec4<f32>(), vec4<f32>(), d);
        if (load_mask(step) > 0.5) {
          back = cell_grad(d, saved_states(e, plane), saved_kept(e, plane));
        }
        store_gates(GATES * step * units + j, units, back.x, back.a);
        tile[ROWS * j + r] = narrow(back.a);
        dh_tile[ROWS * j + r] = back.states.x;
        if (STATES > 1u) {
          dc_after[ROWS * p + r] = back.states.y;
        }
      }
    }
    workgroupBarrier();
    // All threads go through the loop together, as handing gradients round demands. Units beyond the last repeat it; nobody
    // reads their sums.
    for (var begin = 0u; begin < units; begin += 4u * WG) {
      let k = begin + 4u * thread;
      let at = GATES * units * min(k + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(units - 1u));
      sums = array<vec4<f32>, 8>();
      for (var j = 0u; j < units; j++) {
        let u = transpose(mat4x4<f32>(
          wide(weights_at(at.x + GATES * j, lane)),
          wide(weights_at(at.y + GATES * j, lane)),
          wide(weights_at(at.z + GATES * j, lane)),
          wide(weights_at(at.w + GATES * j, lane)),
        ));
        let d = rows_at(ROWS * j, lane);
        sums[0] += product(d[0], u);
        sums[1] += product(d[1], u);
        if (ROWS > 2u) {
          sums[2] += product(d[2], u);
          sums[3] += product(d[3], u);
        }
        if (ROWS > 4u) {
          sums[4] += product(d[4], u);
          sums[5] += product(d[5], u);
          sums[6] += product(d[6], u);
          sums[7] += product(d[7], u);
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
      if (STATES > 1u) {
        store_dc0(e, dc_after[ROWS * p + r]);
      }
    }
  }
}
