// lib: windows
// io: x: Value, dy: Value -> dx: Value
// items: i < params.count
// Gradient of the maximum over windows that do not overlap, one thread per window, of WIDTH neighbouring channels: it writes
// every pixel from its window's start to the next one's (the last window's to the border), so each pixel is written once and
// read once.

const WIDTH: u32 = 1;
// WIDTH elements, and where they stand.
alias Value = f32;
alias Places = u32;

fn item(i: u32) {
  let columns = params.channels / WIDTH;
  let pixel = i / columns;
  let channel = i % columns * WIDTH;
  let out_x = pixel % params.out_width;
  let out_row = pixel / params.out_width;
  let out_y = out_row % params.out_height;
  let image = out_row / params.out_height;
  // Coordinates of the padded image: the window's, and where its pixels end.
  let bottom = params.height + params.top;
  let right = params.width + params.left;
  let from_y = max(out_y * params.stride_y, params.top);
  let from_x = max(out_x * params.stride_x, params.left);
  let window_y = min(out_y * params.stride_y + params.taps_y, bottom);
  let window_x = min(out_x * params.stride_x + params.taps_x, right);
  let end_y = select((out_y + 1u) * params.stride_y, bottom, out_y + 1u == params.out_height);
  let end_x = select((out_x + 1u) * params.stride_x, right, out_x + 1u == params.out_width);
  var largest = Value(-3.4028234663852886e38);
  let first = (image * params.height + from_y - params.top) * params.width + from_x - params.left;
  var winner = Places(first * params.channels + channel);
  for (var py = from_y; py < window_y; py++) {
    let row = (image * params.height + py - params.top) * params.width;
    for (var px = from_x; px < window_x; px++) {
      let at = (row + px - params.left) * params.channels + channel;
      let v = load_x(at);
      winner = select(winner, Places(at), v > largest);
      largest = max(largest, v);
    }
  }
  let gradient = load_dy(i * WIDTH);
  for (var py = from_y; py < end_y; py++) {
    let row = (image * params.height + py - params.top) * params.width;
    for (var px = from_x; px < end_x; px++) {
      let at = (row + px - params.left) * params.channels + channel;
      store_dx(at, select(Value(), gradient, Places(at) == winner));
    }
  }
}
