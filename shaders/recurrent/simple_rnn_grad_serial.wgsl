// io: kernel, mask, y, dy -> dxz, dh0
// items: i < params.batch
// Backward through time of simple_rnn_serial.wgsl, laid out as it is.

const UNITS: u32 = 64;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  backwards: u32,
}

fn item(i: u32) {
  let units = params.units;
  var dh: array<f32, UNITS>;
  var dz: array<f32, UNITS>;
  for (var s = 0u; s < params.time; s++) {
    let step = i * params.time + select(params.time - 1u - s, s, params.backwards != 0u);
    let kept = load_mask(step) <= 0.5;
    for (var j = 0u; j < units; j++) {
      let e = step * units + j;
      let d = dh[j] + load_dy(e);
      let h = load_y(e);
      dz[j] = select(d * (1.0 - h * h), 0.0, kept);
      dh[j] = select(0.0, d, kept);
      store_dxz(e, dz[j]);
    }
    for (var k = 0u; k < units; k++) {
      var sum = 0.0;
      for (var j = 0u; j < units; j++) {
        sum += dz[j] * load_kernel(k * units + j);
      }
      dh[k] += sum;
    }
  }
  for (var j = 0u; j < units; j++) {
    store_dh0(i * units + j, dh[j]);
  }
}
