// lib: windows
// io: x, y, dy -> dx
// items: i < params.count
// Gradient of the maximum over windows, one thread per element of the image: it gathers from the windows whose first
// maximum it is, row by row, so nothing is added out of order.

// The first position whose window of `taps` reaches `at`, in coordinates of the padded image.
fn first_window(at: u32, taps: u32, stride: u32) -> u32 {
  return (max(at + 1u, taps) - taps + stride - 1u) / stride;
}

fn item(i: u32) {
  let channel = i % params.channels;
  let at_x = (i / params.channels) % params.width + params.left;
  let at_y = (i / (params.channels * params.width)) % params.height + params.top;
  let image = i / (params.channels * params.width * params.height);
  let end_y = min(at_y / params.stride_y + 1u, params.out_height);
  let end_x = min(at_x / params.stride_x + 1u, params.out_width);
  let own = load_x(i);
  var total = 0.0;
  for (var out_y = first_window(at_y, params.taps_y, params.stride_y); out_y < end_y; out_y++) {
    for (var out_x = first_window(at_x, params.taps_x, params.stride_x); out_x < end_x; out_x++) {
      let window = ((image * params.out_height + out_y) * params.out_width + out_x) * params.channels + channel;
      if (load_y(window) != own) {
        continue;
      }
      let from_x = max(out_x * params.stride_x, params.left);
      let beyond = min(out_x * params.stride_x + params.taps_x, params.width + params.left);
      var is_first = true;
      for (var py = max(out_y * params.stride_y, params.top); py <= at_y; py++) {
        let row = (image * params.height + py - params.top) * params.width;
        let stop = select(beyond, at_x, py == at_y);
        for (var px = from_x; px < stop; px++) {
          is_first = is_first && load_x((row + px - params.left) * params.channels + channel) != own;
        }
      }
      if (is_first) {
        total += load_dy(window);
      }
    }
  }
  store_dx(i, total);
}
