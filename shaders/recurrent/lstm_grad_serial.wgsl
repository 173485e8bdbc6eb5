// lib: math, gates
// io: kernel, mask, saved, dy, dcells -> dxz, dh0, dc0
// items: i < params.batch
// Backward through time of lstm_serial.wgsl, laid out as it is.

const UNITS: u32 = 64;
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
  var dh: array<f32, UNITS>;
  var dc: array<f32, UNITS>;
  // Gate by gate, a unit after the other.
  var dz: array<f32, 4u * UNITS>;
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(params.time - 1u - s, s, params.backwards != 0u);
    let kept = load_mask(step) <= 0.5;
    for (var j = 0u; j < units; j++) {
      let e = step * units + j;
      let dh_after = dh[j] + load_dy(e);
      let dc_after = dc[j] + load_dcells(e);
      let c = load_saved(e + plane);
      var gates = vec4<f32>();
      for (var gate = 0u; gate < count; gate++) {
        gates[gate] = load_saved(e + (2u + gate) * plane);
      }
      let i_gate = gates.x;
      let f = gates.y;
      let g = gates.z;
      let o = gates.w;
      let a = tanh_f(f * c + i_gate * g);
      let d = dc_after + dh_after * o * (1.0 - a * a);
      gates = vec4<f32>(
        d * g * i_gate * (1.0 - i_gate),
        d * c * f * (1.0 - f),
        d * i_gate * (1.0 - g * g),
        dh_after * a * o * (1.0 - o),
      );
      for (var gate = 0u; gate < count; gate++) {
        let v = select(gates[gate], 0.0, kept);
        dz[4u * j + gate] = v;
        store_dxz((4u * step + gate) * units + j, v);
      }
      dh[j] = select(0.0, dh_after, kept);
      dc[j] = select(d * f, dc_after, kept);
    }
    for (var k = 0u; k < units; k++) {
      var sum = 0.0;
      for (var j = 0u; j < units; j++) {
        let z = vec4<f32>(dz[4u * j], dz[4u * j + 1u], dz[4u * j + 2u], dz[4u * j + 3u]);
        sum += dot(z, gates_at(4u * (k * units + j), 1u, i));
      }
      dh[k] += sum;
    }
  }
  for (var j = 0u; j < units; j++) {
    store_dh0(i * units + j, dh[j]);
    store_dc0(i * units + j, dc[j]);
  }
}
