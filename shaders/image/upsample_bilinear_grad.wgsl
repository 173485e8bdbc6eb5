// io: dy -> dx
// items: i < params.count
// Gradient of bilinear enlargement by whole factors, one thread per pixel of the small image: it gathers from the large
// one, whose pixel o lies at (o + 1/2) / factor - 1/2 between two small ones, no less than 0; beyond the last the
// border repeats.

struct Params {
  count: u32,
  height: u32,
  width: u32,
  channels: u32,
  factor_y: u32,
  factor_x: u32,
}

// How much of output `o` input `at` is, along an axis of `size` inputs.
fn share(o: u32, at: u32, factor: u32, size: u32) -> f32 {
  let source = max((f32(o) + 0.5) / f32(factor) - 0.5, 0.0);
  let low = u32(source);
  let weight = source - f32(low);
  return select(0.0, 1.0 - weight, low == at) + select(0.0, weight, min(low + 1u, size - 1u) == at);
}

fn item(i: u32) {
  let channel = i % params.channels;
  let at_x = (i / params.channels) % params.width;
  let at_y = (i / (params.channels * params.width)) % params.height;
  let image = i / (params.channels * params.width * params.height);
  let out_width = params.width * params.factor_x;
  let out_height = params.height * params.factor_y;
  let end_y = min((at_y + 2u) * params.factor_y, out_height);
  let end_x = min((at_x + 2u) * params.factor_x, out_width);
  var total = 0.0;
  for (var o_y = (max(at_y, 1u) - 1u) * params.factor_y; o_y < end_y; o_y++) {
    let row = (image * out_height + o_y) * out_width;
    let share_y = share(o_y, at_y, params.factor_y, params.height);
    for (var o_x = (max(at_x, 1u) - 1u) * params.factor_x; o_x < end_x; o_x++) {
      let weight = share_y * share(o_x, at_x, params.factor_x, params.width);
      total += weight * load_dy((row + o_x) * params.channels + channel);
    }
  }
  store_dx(i, total);
}
