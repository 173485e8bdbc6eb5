// lib: math
// An LSTM over all time steps in one dispatch. A workgroup runs ROWS sequences, thread j their unit j (and j + WG ...); the
// last hidden state is in workgroup memory, twice, so that a step needs one barrier. Gates are i, f, g, o:
// z = xz + h U;  c' = sigmoid(zf) c + sigmoid(zi) tanh(zg);  h' = sigmoid(zo) tanh(c').
// `kernel` is U as [units, units, 4], the four gates of a unit side by side: one load serves 4 ROWS products. A vector `Rows`
// holds a number for each of a few sequences; HALVES of them are ROWS.
// `rows` and `halves` are parameters so that compilers keep the loops over them: unrolled, lavapipe takes three times as long to compile.
// Elements of row vectors are set by `select`, because compilers make branches of `v[r] = x`.
// A step whose mask is 0 leaves h and c as they are. `saved` has six planes [batch, time, units]: h and c before the step,
// then the four gates.

const WG: u32 = 64;
const UNITS: u32 = 64;
const PER_LANE: u32 = 1;
alias Rows = vec4<f32>;
const ROW_NUMBERS: Rows = Rows(0.0, 1.0, 2.0, 3.0);
const ROWS_EACH: u32 = 4;
const HALVES: u32 = 1;
const ROWS: u32 = HALVES * ROWS_EACH;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  rows: u32,
  halves: u32,
  backwards: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> xz: array<f32>;
@group(1) @binding(2) var<storage, read> kernel: array<f32>;
@group(1) @binding(3) var<storage, read> h0: array<f32>;
@group(1) @binding(4) var<storage, read> c0: array<f32>;
@group(1) @binding(5) var<storage, read> mask: array<f32>;
@group(1) @binding(6) var<storage, read_write> y: array<f32>;
@group(1) @binding(7) var<storage, read_write> cells: array<f32>;
@group(1) @binding(8) var<storage, read_write> saved: array<f32>;

var<workgroup> h_tile: array<Rows, 2u * HALVES * UNITS>;
var<private> sums: array<Rows, 8>;

fn load_xz(i: u32) -> f32 {
  return xz[i];
}

fn load_kernel4(i: u32) -> vec4<f32> {
  return vec4<f32>(kernel[i], kernel[i + 1u], kernel[i + 2u], kernel[i + 3u]);
}

fn load_h0(i: u32) -> f32 {
  return h0[i];
}

fn load_c0(i: u32) -> f32 {
  return c0[i];
}

fn load_mask(i: u32) -> f32 {
  return mask[i];
}

fn store_y(i: u32, v: f32) {
  y[i] = v;
}

fn store_cells(i: u32, v: f32) {
  cells[i] = v;
}

fn store_saved(i: u32, v: f32) {
  saved[i] = v;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let units = params.units;
  let plane = params.batch * params.time * units;
  let first = min((group.y * groups.x + group.x) * ROWS, params.batch);
  let rows = min(params.rows, params.batch - first);
  var cells_before: array<Rows, HALVES * PER_LANE>;
  for (var p = 0u; p * WG + lane < units; p++) {
    let j = p * WG + lane;
    for (var half = 0u; half < params.halves; half++) {
      var h = Rows();
      var c = Rows();
      for (var r = half * ROWS_EACH; r < min(rows, (half + 1u) * ROWS_EACH); r++) {
        let mine = ROW_NUMBERS == Rows(f32(r % ROWS_EACH));
        h = select(h, Rows(load_h0((first + r) * units + j)), mine);
        c = select(c, Rows(load_c0((first + r) * units + j)), mine);
      }
      h_tile[HALVES * j + half] = h;
      cells_before[HALVES * p + half] = c;
    }
  }
  workgroupBarrier();
  for (var s = 0u; s < params.time; s++) {
    let t = select(s, params.time - 1u - s, params.backwards != 0u);
    let now = (s & 1u) * HALVES * UNITS;
    let next = HALVES * UNITS - now;
    for (var p = 0u; p * WG + lane < units; p++) {
      let j = p * WG + lane;
      sums = array<Rows, 8>();
      for (var k = 0u; k < units; k++) {
        let u = load_kernel4(4u * (k * units + j));
        let h = h_tile[now + HALVES * k];
        sums[0] += h * u.x;
        sums[1] += h * u.y;
        sums[2] += h * u.z;
        sums[3] += h * u.w;
        if (HALVES == 2u) {
          let h = h_tile[now + HALVES * k + 1u];
          sums[4] += h * u.x;
          sums[5] += h * u.y;
          sums[6] += h * u.z;
          sums[7] += h * u.w;
        }
      }
      for (var half = 0u; half < params.halves; half++) {
        let zi = sums[4u * half];
        let zf = sums[4u * half + 1u];
        let zg = sums[4u * half + 2u];
        let zo = sums[4u * half + 3u];
        var h = h_tile[now + HALVES * j + half];
        var c = cells_before[HALVES * p + half];
        for (var r = half * ROWS_EACH; r < min(rows, (half + 1u) * ROWS_EACH); r++) {
          let mine = ROW_NUMBERS == Rows(f32(r % ROWS_EACH));
          let step = (first + r) * params.time + t;
          let z = 4u * step * units + j;
          let i = sigmoid_f(zi[r % ROWS_EACH] + load_xz(z));
          let f = sigmoid_f(zf[r % ROWS_EACH] + load_xz(z + units));
          let g = tanh_f(zg[r % ROWS_EACH] + load_xz(z + 2u * units));
          let o = sigmoid_f(zo[r % ROWS_EACH] + load_xz(z + 3u * units));
          let e = step * units + j;
          var h_next = h[r % ROWS_EACH];
          var c_next = c[r % ROWS_EACH];
          store_saved(e, h_next);
          store_saved(e + plane, c_next);
          store_saved(e + 2u * plane, i);
          store_saved(e + 3u * plane, f);
          store_saved(e + 4u * plane, g);
          store_saved(e + 5u * plane, o);
          if (load_mask(step) > 0.5) {
            c_next = f * c_next + i * g;
            h_next = o * tanh_f(c_next);
          }
          store_y(e, h_next);
          store_cells(e, c_next);
          h = select(h, Rows(h_next), mine);
          c = select(c, Rows(c_next), mine);
        }
        h_tile[next + HALVES * j + half] = h;
        cells_before[HALVES * p + half] = c;
      }
    }
    workgroupBarrier();
  }
}
