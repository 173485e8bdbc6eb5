// lib: math
// An LSTM over all time steps in one dispatch. One workgroup runs `rows` sequences, thread j their unit j (and j + WG ...);
// the last hidden state is in workgroup memory, twice, so that a step needs one barrier. Gates are i, f, g, o:
// z = xz + h U;  c' = sigmoid(zf) c + sigmoid(zi) tanh(zg);  h' = sigmoid(zo) tanh(c').
// `rows` is a parameter so that compilers keep the loop over rows: unrolled, lavapipe takes three times as long to compile.
// Elements of row vectors are set by `select`, because compilers make branches of `v[r] = x`.
// A step whose mask is 0 leaves h and c as they are. `saved` has six planes [batch, time, units]: h and c before the step,
// then the four gates.

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
@group(1) @binding(1) var<storage, read> xz: array<f32>;
@group(1) @binding(2) var<storage, read> kernel: array<f32>;
@group(1) @binding(3) var<storage, read> h0: array<f32>;
@group(1) @binding(4) var<storage, read> c0: array<f32>;
@group(1) @binding(5) var<storage, read> mask: array<f32>;
@group(1) @binding(6) var<storage, read_write> y: array<f32>;
@group(1) @binding(7) var<storage, read_write> cells: array<f32>;
@group(1) @binding(8) var<storage, read_write> saved: array<f32>;

var<workgroup> h_tile: array<Rows, 2u * UNITS>;

fn load_xz(i: u32) -> f32 {
  return xz[i];
}

fn load_kernel(i: u32) -> f32 {
  return kernel[i];
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
  let first = min((group.y * groups.x + group.x) * params.rows, params.batch);
  let rows = min(params.rows, params.batch - first);
  var cells_before: array<Rows, PER_LANE>;
  for (var p = 0u; p * WG + lane < units; p++) {
    let j = p * WG + lane;
    var h = Rows();
    var c = Rows();
    for (var r = 0u; r < rows; r++) {
      let mine = ROW_NUMBERS == Rows(f32(r));
      h = select(h, Rows(load_h0((first + r) * units + j)), mine);
      c = select(c, Rows(load_c0((first + r) * units + j)), mine);
    }
    h_tile[j] = h;
    cells_before[p] = c;
  }
  workgroupBarrier();
  for (var s = 0u; s < params.time; s++) {
    let t = select(s, params.time - 1u - s, params.backwards != 0u);
    let now = (s & 1u) * UNITS;
    for (var p = 0u; p * WG + lane < units; p++) {
      let j = p * WG + lane;
      var zi = Rows();
      var zf = Rows();
      var zg = Rows();
      var zo = Rows();
      var at = j;
      for (var k = 0u; k < units; k++) {
        let h = h_tile[now + k];
        zi += h * load_kernel(at);
        zf += h * load_kernel(at + units);
        zg += h * load_kernel(at + 2u * units);
        zo += h * load_kernel(at + 3u * units);
        at += 4u * units;
      }
      var h = h_tile[now + j];
      var c = cells_before[p];
      for (var r = 0u; r < rows; r++) {
        let mine = ROW_NUMBERS == Rows(f32(r));
        let step = (first + r) * params.time + t;
        let z = 4u * step * units + j;
        let i = sigmoid_f(zi[r] + load_xz(z));
        let f = sigmoid_f(zf[r] + load_xz(z + units));
        let g = tanh_f(zg[r] + load_xz(z + 2u * units));
        let o = sigmoid_f(zo[r] + load_xz(z + 3u * units));
        let e = step * units + j;
        var h_next = h[r];
        var c_next = c[r];
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
      h_tile[UNITS - now + j] = h;
      cells_before[p] = c;
    }
    workgroupBarrier();
  }
}
