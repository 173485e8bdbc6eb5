// lib: conv2d_kernel_grad_params
// io: x, dy -> y, bias
// items: i < params.count
// Partial sums of a convolution's kernel gradient, as conv2d_kernel_grad.wgsl, one thread per weight: more loads, and little
// to compile. With BIAS one more row of threads sums dy alone, the bias's gradient.

const BIAS: bool = false;

fn item(i: u32) {
  let unit = i % params.filters;
  let lines = params.weights + select(0u, 1u, BIAS);
  let weight = (i / params.filters) % lines;
  let split = i / (params.filters * lines);
  let is_bias = BIAS && weight == params.weights;
  let tap = weight / params.depth;
  let channel = weight % params.depth + unit / params.units * params.depth;
  let offset_y = i32(tap / params.taps_x) * params.dilation_y - params.top;
  let offset_x = i32(tap % params.taps_x) * params.dilation_x - params.left;
  let end = min((split + 1u) * params.share, params.rows);
  var sum = 0.0;
  for (var row = split * params.share; row < end; row++) {
    let from_y = u32(i32(row % params.out_height) * params.stride_y + offset_y);
    let row_start = (from_y + row / params.out_height * params.height) * params.width;
    for (var column = 0u; column < params.out_width; column++) {
      let from_x = u32(i32(column) * params.stride_x + offset_x);
      var v = 1.0;
      if (!is_bias) {
        let inside = from_y < params.height && from_x < params.width;
        v = select(0.0, load_x(select(0u, (row_start + from_x) * params.channels + channel, inside)), inside);
      }
      sum += v * load_dy((row * params.out_width + column) * params.filters + unit);
    }
  }
  if (is_bias) {
    store_bias(split * params.filters + unit, sum);
  } else {
    store_y((split * params.weights + weight) * params.filters + unit, sum);
  }
}
