// lib: math, gates
// io: xz, kernel, bias, h0, mask -> y, saved
// items: i < params.batch
// A GRU over all time steps of small layers, one thread a sequence; gates, reset and planes of `saved` as in gru.wgsl.

const UNITS: u32 = 64;
// Of three gates.
const LAST: u32 = 2;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  backwards: u32,
}

fn item(i: u32) {
  let units = params.units;
  let count = LAST + 1u;
  let plane = params.batch * params.time * units;
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
      var a = vec4<f32>();
      var x = vec4<f32>();
      for (var gate = 0u; gate < count; gate++) {
        a[gate] = load_bias(gate * units + j);
        x[gate] = load_xz((3u * step + gate) * units + j);
      }
      for (var k = 0u; k < units; k++) {
        a += h[now + k] * gates_at(3u * k * units + j, units, i);
      }
      let update = sigmoid_f(a.x + x.x);
      let reset = sigmoid_f(a.y + x.y);
      let n = tanh_f(x.z + reset * a.z);
      let e = step * units + j;
      let h_before = h[now + j];
      let h_next = select((1.0 - update) * n + update * h_before, h_before, kept);
      store_saved(e, h_before);
      store_saved(e + plane, update);
      store_saved(e + 2u * plane, reset);
      store_saved(e + 3u * plane, n);
      store_saved(e + 4u * plane, a.z);
      store_y(e, h_next);
      h[UNITS - now + j] = h_next;
    }
  }
}
