// lib: gates
// io: kernel, mask, saved, dy -> dxz, da, dh0
// items: i < params.batch
// Backward through time of gru_serial.wgsl, laid out as it is. `dxz` is the gradient of the projected input, `da` that of the
// recurrent product, which differs in the candidate's third by the factor r.

const UNITS: u32 = 64;
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
  let planes = 4u;
  let plane = params.batch * params.time * units;
  var dh: array<f32, UNITS>;
  // Gate by gate, a unit after the other.
  var da: array<f32, 3u * UNITS>;
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(params.time - 1u - s, s, params.backwards != 0u);
    let kept = load_mask(step) <= 0.5;
    for (var j = 0u; j < units; j++) {
      let e = step * units + j;
      let d = dh[j] + load_dy(e);
      var past = vec4<f32>();
      for (var p = 0u; p < planes; p++) {
        past[p] = load_saved(e + (p + 1u) * plane);
      }
      let update = past.x;
      let reset = past.y;
      let n = past.z;
      let dn = select(d * (1.0 - update) * (1.0 - n * n), 0.0, kept);
      let dz = select(d * (load_saved(e) - n) * update * (1.0 - update), 0.0, kept);
      var gates = vec3<f32>(dz, dn * past.w * reset * (1.0 - reset), dn * reset);
      dh[j] = select(d * update, d, kept);
      for (var gate = 0u; gate < count; gate++) {
        let at = (3u * step + gate) * units + j;
        store_dxz(at, select(gates[gate], dn, gate == LAST));
        store_da(at, gates[gate]);
        da[3u * j + gate] = gates[gate];
      }
    }
    for (var k = 0u; k < units; k++) {
      var sum = 0.0;
      for (var j = 0u; j < units; j++) {
        let z = vec3<f32>(da[3u * j], da[3u * j + 1u], da[3u * j + 2u]);
        sum += dot(z, gates_at(3u * k * units + j, units, i).xyz);
      }
      dh[k] += sum;
    }
  }
  for (var j = 0u; j < units; j++) {
    store_dh0(i * units + j, dh[j]);
  }
}
