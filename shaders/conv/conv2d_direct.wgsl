// lib: conv2d_params
// io: x, kernel -> y
// items: i < params.count
// y [batch, out_height, out_width, out_channels] = x * kernel, one thread per output element: for few channels or
// pixels. Along each axis, output o and tap t meet x at (o * scale + offset + t * step) / divide, where that is whole
// and inside x; so the same kernel convolves and, with the roles of image and output exchanged, gives the gradient of
// the image.

const DIVIDE: bool = false;

// The coordinate in x, or one beyond any size where there is none. A negative one wraps there by itself.
fn source(numerator: i32, divide: i32) -> u32 {
  if (!DIVIDE) {
    return u32(numerator);
  }
  return select(0xffffffffu, u32(numerator / divide), numerator >= 0 && numerator % divide == 0);
}

fn item(i: u32) {
  let channel = i % params.out_channels;
  let pixel = i / params.out_channels;
  let group = channel / params.units;
  let from_y = i32((pixel / params.out_width) % params.out_height) * params.scale_y + params.offset_y;
  let from_x = i32(pixel % params.out_width) * params.scale_x + params.offset_x;
  let image = pixel / (params.out_width * params.out_height) * params.height;
  let first_channel = group * params.depth;
  let first_weight =
    params.weight_start + group * params.weight_group + (channel % params.units) * params.weight_unit;
  var total = 0.0;
  for (var ky = 0u; ky < params.taps_y; ky++) {
    let row = source(from_y + i32(ky) * params.step_y, params.divide_y);
    if (row >= params.height) {
      continue;
    }
    for (var kx = 0u; kx < params.taps_x; kx++) {
      let column = source(from_x + i32(kx) * params.step_x, params.divide_x);
      if (column >= params.width) {
        continue;
      }
      let at = ((image + row) * params.width + column) * params.channels + first_channel;
      let weight = u32(i32(ky * params.taps_x + kx) * params.weight_tap) + first_weight;
      for (var c = 0u; c < params.depth; c++) {
        total += load_x(at + c) * load_kernel(weight + c * params.weight_depth);
      }
    }
  }
  store_y(i, total);
}
