// lib: math
// io: xz, kernel, h0, mask -> y, before
// A simple RNN over all time steps in one dispatch, laid out as lstm.wgsl: h' = tanh(xz + h U). A step whose mask is 0
// leaves h as it is. `before` is h before each step.

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
      var z = Rows();
      for (var k = 0u; k < units; k++) {
        z += h_tile[now + k] * load_kernel(k * units + j);
      }
      var h = h_tile[now + j];
      for (var r = 0u; r < rows; r++) {
        let mine = ROW_NUMBERS == Rows(f32(r));
        let step = (first + r) * params.time + t;
        let e = step * units + j;
        var h_next = h[r];
        store_before(e, h_next);
        if (load_mask(step) > 0.5) {
          h_next = tanh_f(z[r] + load_xz(e));
        }
        store_y(e, h_next);
        h = select(h, Rows(h_next), mine);
      }
      h_tile[UNITS - now + j] = h;
    }
    workgroupBarrier();
  }
}
