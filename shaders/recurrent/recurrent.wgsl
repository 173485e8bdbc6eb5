// lib: params, math, cell, lstm, gates4, weights, rows
// io: xz, kernel 1|4, bias, h0, c0, mask -> y, cells, saved
// A recurrent layer over all time steps in one dispatch. A workgroup runs ROWS sequences, thread j their unit j (and j + WG
// ...); the last hidden states are in workgroup memory, twice, so that a step needs one barrier. A cell (lstm.wgsl) makes
// the states of a unit of xz and of the recurrent product a = h U, of all its gates.
// `kernel` is U as [units, units, GATES], the gates of a unit side by side: one load of four serves 4 ROWS products.
// `rows` is a parameter so that compilers keep the loops over it: unrolled, lavapipe takes three times as long to compile.
// A step whose mask is 0 leaves the states as they are. `saved` has planes [batch, time, units]: the states before the step,
// then what the cell keeps of it.

const WG: u32 = 64;
const UNITS: u32 = 64;
const PER_LANE: u32 = 1;
const ROWS: u32 = 8;
// Lanes that fetch the sequences' states (see lib/rows_subgroup.wgsl).
const LANES: u32 = 8;
// The cell's: gates, states (h, or h and c), numbers kept of a step, and whether the product has a bias of its own.
const GATES: u32 = 4;
const STATES: u32 = 2;
const KEPT: u32 = 4;
const APART: bool = false;
alias Row = f32;

var<workgroup> tile: array<Row, 2u * ROWS * UNITS>;
var<private> cells_before: array<f32, ROWS * PER_LANE>;
// Of each sequence.
var<private> sums: array<Gates, 8>;

fn xz_at(i: u32, next: u32) -> vec4<f32> {
  var x = vec4<f32>(load_xz(i), 0.0, 0.0, 0.0);
  if (GATES > 1u) {
    x.y = load_xz(i + next);
  }
  if (GATES > 2u) {
    x.z = load_xz(i + 2u * next);
  }
  if (GATES > 3u) {
    x.w = load_xz(i + 3u * next);
  }
  return x;
}

fn bias_at(i: u32, next: u32) -> vec4<f32> {
  var b = vec4<f32>();
  if (APART) {
    for (var gate = 0u; gate < GATES; gate++) {
      b[gate] = load_bias(i + gate * next);
    }
  }
  return b;
}

fn save(e: u32, plane: u32, before: vec2<f32>, kept: vec4<f32>) {
  store_saved(e, before.x);
  if (STATES > 1u) {
    store_saved(e + plane, before.y);
  }
  let first = e + STATES * plane;
  store_saved(first, kept.x);
  if (KEPT > 1u) {
    store_saved(first + plane, kept.y);
  }
  if (KEPT > 2u) {
    store_saved(first + 2u * plane, kept.z);
  }
  if (KEPT > 3u) {
    store_saved(first + 3u * plane, kept.w);
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
  for (var p = 0u; p * WG + thread < units; p++) {
    let j = p * WG + thread;
    for (var r = 0u; r < rows; r++) {
      tile[ROWS * j + r] = load_h0((first + r) * units + j);
      if (STATES > 1u) {
        cells_before[ROWS * p + r] = load_c0((first + r) * units + j);
      }
    }
  }
  workgroupBarrier();
  for (var s = 0u; s < params.time; s++) {
    let t = select(s, params.time - 1u - s, params.backwards != 0u);
    let now = (s & 1u) * ROWS * UNITS;
    let next = ROWS * UNITS - now;
    // All threads go through the loop together, as handing states round demands; those past the last unit store nothing.
    for (var p = 0u; p * WG < units; p++) {
      let j = p * WG + thread;
      sums = array<Gates, 8>();
      for (var k = 0u; k < units; k++) {
        let u = weights_at(GATES * (k * units + min(j, units - 1u)), lane);
        let h = rows_at(now + ROWS * k, lane);
        sums[0] += h[0] * u;
        sums[1] += h[1] * u;
        if (ROWS > 2u) {
          sums[2] += h[2] * u;
          sums[3] += h[3] * u;
        }
        if (ROWS > 4u) {
          sums[4] += h[4] * u;
          sums[5] += h[5] * u;
          sums[6] += h[6] * u;
          sums[7] += h[7] * u;
        }
      }
      let own = bias_at(min(j, units - 1u), units);
      for (var r = 0u; r < select(0u, rows, j < units); r++) {
        let step = (first + r) * params.time + t;
        let e = step * units + j;
        var before = vec2<f32>(tile[now + ROWS * j + r], 0.0);
        if (STATES > 1u) {
          before.y = cells_before[ROWS * p + r];
        }
        var a = wide(sums[r]);
        if (APART) {
          a += own;
        }
        let made = cell_step(xz_at(GATES * step * units + j, units), a, before);
        save(e, plane, before, made.kept);
        let after = select(before, made.states, load_mask(step) > 0.5);
        store_y(e, after.x);
        tile[next + ROWS * j + r] = after.x;
        if (STATES > 1u) {
          store_cells(e, after.y);
          cells_before[ROWS * p + r] = after.y;
        }
      }
    }
    workgroupBarrier();
  }
}
