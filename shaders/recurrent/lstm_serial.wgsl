// lib: math, gates
// io: xz, kernel, h0, c0, mask -> y, cells, saved
// items: i < params.batch
// An LSTM over all time steps of small layers, one thread a sequence; gates, kernel and planes of `saved` as in lstm.wgsl.
// What reaches memory is dear to compile, so what the gates have in common is a loop over them.

const UNITS: u32 = 64;
// Of four gates.
const LAST: u32 = 3;

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
  var c: array<f32, UNITS>;
  for (var j = 0u; j < units; j++) {
    h[j] = load_h0(i * units + j);
    c[j] = load_c0(i * units + j);
  }
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(s, params.time - 1u - s, params.backwards != 0u);
    let now = (s & 1u) * UNITS;
    let kept = load_mask(step) <= 0.5;
    for (var j = 0u; j < units; j++) {
      var gates = vec4<f32>();
      for (var k = 0u; k < units; k++) {
        gates += h[now + k] * gates_at(4u * (k * units + j), 1u, i);
      }
      let e = step * units + j;
      for (var gate = 0u; gate < count; gate++) {
        let z = gates[gate] + load_xz((4u * step + gate) * units + j);
        let v = select(sigmoid_f(z), tanh_f(z), gate == 2u);
        gates[gate] = v;
        store_saved(e + (2u + gate) * plane, v);
      }
      let h_before = h[now + j];
      let c_before = c[j];
      let c_next = select(gates.y * c_before + gates.x * gates.z, c_before, kept);
      let h_next = select(gates.w * tanh_f(c_next), h_before, kept);
      store_saved(e, h_before);
      store_saved(e + plane, c_before);
      store_y(e, h_next);
      store_cells(e, c_next);
      h[UNITS - now + j] = h_next;
      c[j] = c_next;
    }
  }
}
