// lib: math
// io: xz, kernel, h0, mask -> y, before
// items: i < params.batch
// A simple RNN over all time steps of small layers, one thread a sequence: h' = tanh(xz + h U). A step whose mask is 0 leaves
// h as it is. `before` is h before each step.

const UNITS: u32 = 64;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  backwards: u32,
}

fn item(i: u32) {
  let units = params.units;
  // The state before and after a step, in turns.
  var h: array<f32, 2u * UNITS>;
  for (var j = 0u; j < units; j++) {
    h[j] = load_h0(i * units + j);
  }
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(s, params.time - 1u - s, params.backwards != 0u);
    let now = (s & 1u) * UNITS;
    let kept = load_mask(step) <= 0.5;
    for (var j = 0u; j < units; j++) {
      var z = 0.0;
      for (var k = 0u; k < units; k++) {
        z += h[now + k] * load_kernel(k * units + j);
      }
      let e = step * units + j;
      let h_before = h[now + j];
      let h_next = select(tanh_f(z + load_xz(e)), h_before, kept);
      store_before(e, h_before);
      store_y(e, h_next);
      h[UNITS - now + j] = h_next;
    }
  }
}
