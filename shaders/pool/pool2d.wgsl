// lib: windows
// io: x: Value -> y: Value
// items: i < params.count
// Maximum or average of the windows of x [batch, height, width, channels], one thread per output element, or for WIDTH
// neighbouring channels. Padding never wins a maximum; an average counts it only with INCLUDE_PAD.

const WIDTH: u32 = 1;
// WIDTH elements.
alias Value = f32;
alias Bits = u32;
const AVERAGE: bool = false;
const INCLUDE_PAD: bool = false;

fn item(i: u32) {
  let columns = params.channels / WIDTH;
  let pixel = i / columns;
  let channel = i % columns * WIDTH;
  let out_x = pixel % params.out_width;
  let out_row = pixel / params.out_width;
  let out_y = out_row % params.out_height;
  let image = out_row / params.out_height;
  // The window in coordinates of the padded image, then its real part.
  let from_y = max(out_y * params.stride_y, params.top);
  let from_x = max(out_x * params.stride_x, params.left);
  let end_y = min(out_y * params.stride_y + params.taps_y, params.height + params.top);
  let end_x = min(out_x * params.stride_x + params.taps_x, params.width + params.left);
  var total = Value(select(bitcast<f32>((i & 0u) | 0xff800000u), 0.0, AVERAGE));
  for (var py = from_y; py < end_y; py++) {
    let row = (image * params.height + py - params.top) * params.width;
    for (var px = from_x; px < end_x; px++) {
      let v = load_x((row + px - params.left) * params.channels + channel);
      // A maximum with NaN is NaN, which max() may lose.
      let is_kept = (total > v) | ((bitcast<Bits>(total) & Bits(0x7fffffffu)) > Bits(0x7f800000u));
      total = select(select(v, total, is_kept), total + v, AVERAGE);
    }
  }
  let real = (end_y - from_y) * (end_x - from_x);
  let divisor = f32(select(real, params.taps_y * params.taps_x, INCLUDE_PAD));
  store_y(i * WIDTH, select(total, total / divisor, AVERAGE));
}
