// lib: math, rows
// io: xz, kernel 4, h0, c0, mask -> y, cells, saved
// An LSTM over all time steps in one dispatch. A workgroup runs ROWS sequences, thread j their unit j (and j + WG ...); the
// last hidden states are in workgroup memory, twice, so that a step needs one barrier. Gates are i, f, g, o:
// z = xz + h U;  c' = sigmoid(zf) c + sigmoid(zi) tanh(zg);  h' = sigmoid(zo) tanh(c').
// `kernel` is U as [units, units, 4], the four gates of a unit side by side: one load serves 4 ROWS products.
// `rows` is a parameter so that compilers keep the loops over it: unrolled, lavapipe takes three times as long to compile.
// A step whose mask is 0 leaves h and c as they are. `saved` has six planes [batch, time, units]: h and c before the step,
// then the four gates.

const WG: u32 = 64;
const UNITS: u32 = 64;
const PER_LANE: u32 = 1;
const ROWS: u32 = 8;
// Lanes that fetch the sequences' states (see rows_subgroup.wgsl).
const LANES: u32 = 8;
alias Row = f32;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  rows: u32,
  backwards: u32,
}

var<workgroup> tile: array<Row, 2u * ROWS * UNITS>;
var<private> cells_before: array<f32, ROWS * PER_LANE>;
// The gates of each sequence.
var<private> sums: array<vec4<f32>, 8>;

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
      cells_before[ROWS * p + r] = load_c0((first + r) * units + j);
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
      sums = array<vec4<f32>, 8>();
      for (var k = 0u; k < units; k++) {
        let u = load_kernel4(4u * (k * units + min(j, units - 1u)));
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
      for (var r = 0u; r < select(0u, rows, j < units); r++) {
        let step = (first + r) * params.time + t;
        let z = 4u * step * units + j;
        let i = sigmoid_f(sums[r].x + load_xz(z));
        let f = sigmoid_f(sums[r].y + load_xz(z + units));
        let g = tanh_f(sums[r].z + load_xz(z + 2u * units));
        let o = sigmoid_f(sums[r].w + load_xz(z + 3u * units));
        let e = step * units + j;
        var h = tile[now + ROWS * j + r];
        var c = cells_before[ROWS * p + r];
        store_saved(e, h);
        store_saved(e + plane, c);
        store_saved(e + 2u * plane, i);
        store_saved(e + 3u * plane, f);
        store_saved(e + 4u * plane, g);
        store_saved(e + 5u * plane, o);
        if (load_mask(step) > 0.5) {
          c = f * c + i * g;
          h = o * tanh_f(c);
        }
        store_y(e, h);
        store_cells(e, c);
        tile[next + ROWS * j + r] = h;
        cells_before[ROWS * p + r] = c;
      }
    }
    workgroupBarrier();
  }
}
