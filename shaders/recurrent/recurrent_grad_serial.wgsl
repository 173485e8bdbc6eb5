// lib: params, math, cell, lstm, gates4, weights
// io: kernel, mask, saved, dy, dcells -> dxz, da, dh0, dc0
// items: i < params.batch
// Backward through time of recurrent_serial.wgsl, laid out as it is.

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
  var dh: array<f32, UNITS>;
  var dc: array<f32, (STATES - 1u) * UNITS + 1u>;
  var d_gates: array<Gates, UNITS>;
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(params.time - 1u - s, s, params.backwards != 0u);
    let live = load_mask(step) > 0.5;
    for (var j = 0u; j < units; j++) {
      let e = step * units + j;
      var d = vec2<f32>(dh[j] + load_dy(e), 0.0);
      var before = vec2<f32>(load_saved(e), 0.0);
      if (STATES > 1u) {
        d.y = dc[j] + load_dcells(e);
        before.y = load_saved(e + plane);
      }
      var kept = vec4<f32>();
      for (var p = 0u; p < kept_planes; p++) {
        kept[p] = load_saved(e + (STATES + p) * plane);
      }
      let back = cell_grad(d, before, kept);
      let dx = select(vec4<f32>(), back.x, live);
      let d_product = select(vec4<f32>(), back.a, live);
      for (var gate = 0u; gate < gates; gate++) {
        let at = (GATES * step + gate) * units + j;
        store_dxz(at, dx[gate]);
        if (APART) {
          store_da(at, d_product[gate]);
        }
      }
      d_gates[j] = narrow(d_product);
      dh[j] = select(d.x, back.states.x, live);
      if (STATES > 1u) {
        dc[j] = select(d.y, back.states.y, live);
      }
    }
    for (var k = 0u; k < units; k++) {
      var sum = 0.0;
      for (var j = 0u; j < units; j++) {
        sum += total(d_gates[j], weights_at(GATES * (k * units + j), i));
      }
      dh[k] += sum;
    }
  }
  for (var j = 0u; j < units; j++) {
    store_dh0(i * units + j, dh[j]);
    if (STATES > 1u) {
      store_dc0(i * units + j, dc[j]);
    }
  }
}
