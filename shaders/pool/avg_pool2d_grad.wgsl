// lib: windows
// io: dy: Value -> dx: Value
// items: i < params.count
// Gradient of the average over windows, one thread per element of the image, or for WIDTH neighbouring channels: it gathers
// from the windows that hold it, so nothing is added out of order.

const WIDTH: u32 = 1;
// WIDTH elements.
alias Value = f32;
const INCLUDE_PAD: bool = false;

// The first position whose window of `taps` reaches `at`, in coordinates of the padded image.
fn first_window(at: u32, taps: u32, stride: u32) -> u32 {
  return (max(at + 1u, taps) - taps + stride - 1u) / stride;
}

// Real pixels of a window along one axis.
fn real_taps(window: u32, taps: u32, stride: u32, before: u32, size: u32) -> u32 {
  return min(window * stride + taps, size + before) - max(window * stride, before);
}

fn item(i: u32) {
  let columns = params.channels / WIDTH;
  let pixel = i / columns;
  let channel = i % columns * WIDTH;
  let at_x = pixel % params.width + params.left;
  let row = pixel / params.width;
  let at_y = row % params.height + params.top;
  let image = row / params.height;
  let end_y = min(at_y / params.stride_y + 1u, params.out_height);
  let end_x = min(at_x / params.stride_x + 1u, params.out_width);
  var total = Value();
  for (var out_y = first_window(at_y, params.taps_y, params.stride_y); out_y < end_y; out_y++) {
    let rows = real_taps(out_y, params.taps_y, params.stride_y, params.top, params.height);
    for (var out_x = first_window(at_x, params.taps_x, params.stride_x); out_x < end_x; out_x++) {
      let columns = real_taps(out_x, params.taps_x, params.stride_x, params.left, params.width);
      let divisor = select(rows * columns, params.taps_y * params.taps_x, INCLUDE_PAD);
      let window = (image * params.out_height + out_y) * params.out_width + out_x;
      total += load_dy(window * params.channels + channel) / f32(divisor);
    }
  }
  store_dx(i * WIDTH, total);
}
