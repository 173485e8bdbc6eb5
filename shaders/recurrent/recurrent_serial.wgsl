// lib: params, math, cell, lstm, gates4, weights
// io: xz, kernel, bias, h0, c0, mask -> y, cells, saved
// items: i < params.batch
// A recurrent layer over all time steps of small layers, one thread a sequence; cell, kernel and planes of `saved` as in
// recurrent.wgsl. What reaches memory is dear to compile, so what the gates have in common is a loop over them.

const UNITS: u32 = 64;
const GATES: u32 = 4;
const STATES: u32 = 2;
const KEPT: u32 = 4;
const APART: bool = false;

fn item(i: u32) {
  let units = params.units;
  let gates = GATES;
  let kept_planes = KEPT;
  let plane = params.batch * params.time * units;
  // The state before and after a step, in turns.
  var h: array<f32, 2u * UNITS>;
  var c: array<f32, (STATES - 1u) * UNITS + 1u>;
  for (var j = 0u; j < units; j++) {
    h[j] = load_h0(i * units + j);
    if (STATES > 1u) {
      c[j] = load_c0(i * units + j);
    }
  }
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(s, params.time - 1u - s, params.backwards != 0u);
    let now = (s & 1u) * UNITS;
    let live = load_mask(step) > 0.5;
    for (var j = 0u; j < units; j++) {
      var sum = Gates();
      for (var k = 0u; k < units; k++) {
        sum += h[now + k] * weights_at(GATES * (k * units + j), i);
      }
      var a = wide(sum);
      var x = vec4<f32>();
      for (var gate = 0u; gate < gates; gate++) {
        x[gate] = load_xz((GATES * step + gate) * units + j);
        if (APART) {
          a[gate] += load_bias(gate * units + j);
        }
      }
      var before = vec2<f32>(h[now + j], 0.0);
      if (STATES > 1u) {
        before.y = c[j];
      }
      let made = cell_step(x, a, before);
      let after = select(before, made.states, live);
      let e = step * units + j;
      store_saved(e, before.x);
      for (var p = 0u; p < kept_planes; p++) {
        store_saved(e + (STATES + p) * plane, made.kept[p]);
      }
      store_y(e, after.x);
      h[UNITS - now + j] = after.x;
      if (STATES > 1u) {
        store_saved(e + plane, before.y);
        store_cells(e, after.y);
        c[j] = after.y;
      }
    }
  }
}
