// lib: math
// io: xz, kernel, bias, h0, mask -> y, saved
// A GRU over all time steps in one dispatch, laid out as lstm.wgsl. Gates are z, r, h, the reset after the product:
// a = h U + b;  z = sigmoid(xz_z + a_z);  r = sigmoid(xz_r + a_r);  n = tanh(xz_h + r a_h);  h' = (1 - z) n + z h.
// A step whose mask is 0 leaves h as it is. `saved` has five planes [batch, time, units]: h before the step, z, r, n, a_h.

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

var<workgroup> h_tile: array<Rows, 2u * UNITS>;

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
  for (var j = lane; j < units; j += WG) {
    var h = Rows();
    for (var r = 0u; r < rows; r++) {
      let mine = ROW_NUMBERS == Rows(f32(r));
      h = select(h, Rows(load_h0((first + r) * units + j)), mine);
    }
    h_tile[j] = h;
  }
  workgroupBarrier();
  for (var s = 0u; s < params.time; s++) {
    let t = select(s, params.time - 1u - s, params.backwards != 0u);
    let now = (s & 1u) * UNITS;
    for (var j = lane; j < units; j += WG) {
      var az = Rows(load_bias(j));
      var ar = Rows(load_bias(units + j));
      var ah = Rows(load_bias(2u * units + j));
      var at = j;
      for (var k = 0u; k < units; k++) {
        let h = h_tile[now + k];
        az += h * load_kernel(at);
        ar += h * load_kernel(at + units);
        ah += h * load_kernel(at + 2u * units);
        at += 3u * units;
      }
      var h = h_tile[now + j];
      for (var r = 0u; r < rows; r++) {
        let mine = ROW_NUMBERS == Rows(f32(r));
        let step = (first + r) * params.time + t;
        let x = 3u * step * units + j;
        let update = sigmoid_f(az[r] + load_xz(x));
        let reset = sigmoid_f(ar[r] + load_xz(x + units));
        let n = tanh_f(load_xz(x + 2u * units) + reset * ah[r]);
        let e = step * units + j;
        var h_next = h[r];
        store_saved(e, h_next);
        store_saved(e + plane, update);
        store_saved(e + 2u * plane, reset);
        store_saved(e + 3u * plane, n);
        store_saved(e + 4u * plane, ah[r]);
        if (load_mask(step) > 0.5) {
          h_next = (1.0 - update) * n + update * h_next;
        }
        store_y(e, h_next);
        h = select(h, Rows(h_next), mine);
      }
      h_tile[UNITS - now + j] = h;
    }
    workgroupBarrier();
  }
}
