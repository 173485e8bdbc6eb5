// lib: conv2d_kernel_grad_params, gradients
// io: x 1|4, dy 1|4 -> y 1|4, bias
// items: i < params.count
// Partial sums of a convolution's kernel gradient: y [splits, taps * depth, filters], split s summing x times dy over
// its share of the output rows of all images. Each thread holds 4 weights by 4 filters of a group in registers and adds
// in the order of the rows, so that the bits depend on the shape alone. With ONE_TAP the 4 weights are channels of one
// tap: which columns meet the image is then known before the loop. With BIAS one more tile sums dy alone, the bias's
// gradient.

const ONE_TAP: bool = false;
const BIAS: bool = false;
// Four channels, or filters, are neighbours in memory: load_x4, or load_dy4 and store_y4, serve.
const WIDE_CHANNELS: bool = false;
const WIDE_FILTERS: bool = false;

fn write_weight(weight: u32, last: u32, split: u32, group: u32, unit: u32, v: vec4<f32>) {
  if (weight > last) {
    return;
  }
  let at = (split * params.weights + weight) * params.filters + group * params.units + unit;
  if (WIDE_FILTERS) {
    store_y4(at, v);
    return;
  }
  store_y(at, v.x);
  if (unit + 1u < params.units) {
    store_y(at + 1u, v.y);
  }
  if (unit + 2u < params.units) {
    store_y(at + 2u, v.z);
  }
  if (unit + 3u < params.units) {
    store_y(at + 3u, v.w);
  }
}

fn pixels(at: vec4<u32>, inside: vec4<bool>) -> vec4<f32> {
  if (WIDE_CHANNELS) {
    return load_x4(at.x);
  }
  if (ONE_TAP) {
    return vec4<f32>(load_x(at.x), load_x(at.y), load_x(at.z), load_x(at.w));
  }
  let safe = select(vec4<u32>(0u), at, inside);
  let loaded = vec4<f32>(load_x(safe.x), load_x(safe.y), load_x(safe.z), load_x(safe.w));
  return select(vec4<f32>(0.0), loaded, inside);
}

fn sum_bias(split: u32, end: u32, group: u32, unit: u32, filters: vec4<u32>) {
  var sum = vec4<f32>(0.0);
  for (var pixel = split * params.share * params.out_width; pixel < end * params.out_width; pixel++) {
    sum += gradients(pixel, filters);
  }
  let at = split * params.filters + group * params.units + unit;
  store_bias(at, sum.x);
  if (unit + 1u < params.units) {
    store_bias(at + 1u, sum.y);
  }
  if (unit + 2u < params.units) {
    store_bias(at + 2u, sum.z);
  }
  if (unit + 3u < params.units) {
    store_bias(at + 3u, sum.w);
  }
}

fn item(i: u32) {
  let unit_tiles = (params.units + 3u) / 4u;
  let column_tiles = params.groups * unit_tiles;
  let channel_tiles = (params.depth + 3u) / 4u;
  let weight_tiles = select((params.weights + 3u) / 4u, params.weights / params.depth * channel_tiles, ONE_TAP);
  let row_tiles = weight_tiles + select(0u, 1u, BIAS);
  let tile = (i / column_tiles) % row_tiles;
  let split = i / (column_tiles * row_tiles);
  let end = min((split + 1u) * params.share, params.rows);
  let group = (i % column_tiles) / unit_tiles;
  let unit = (i % unit_tiles) * 4u;
  let units = min(vec4<u32>(unit, unit + 1u, unit + 2u, unit + 3u), vec4<u32>(params.units - 1u));
  let filters = units + group * params.units;
  if (BIAS && tile == weight_tiles) {
    sum_bias(split, end, group, unit, filters);
    return;
  }
  let first = select(tile * 4u, tile / channel_tiles * params.depth + tile % channel_tiles * 4u, ONE_TAP);
  let last = select(params.weights, (tile / channel_tiles + 1u) * params.depth, ONE_TAP) - 1u;
  // Beyond the last weight or unit the last one is computed again, and not stored.
  let weight = min(vec4<u32>(first, first + 1u, first + 2u, first + 3u), vec4<u32>(last));
  let tap = weight / params.depth;
  let offset_y = vec4<i32>(tap / params.taps_x) * params.dilation_y - params.top;
  let offset_x = vec4<i32>(tap % params.taps_x) * params.dilation_x - params.left;
  let channel = weight % params.depth + group * params.depth;
  // The columns at which one tap lies inside the image.
  let begin = u32(max(-offset_x.x + params.stride_x - 1, 0) / params.stride_x);
  let beyond = u32(max(i32(params.width) - offset_x.x + params.stride_x - 1, 0) / params.stride_x);
  let first_column = select(0u, begin, ONE_TAP);
  let end_column = select(params.out_width, min(beyond, params.out_width), ONE_TAP);
  var sum0 = vec4<f32>(0.0);
  var sum1 = vec4<f32>(0.0);
  var sum2 = vec4<f32>(0.0);
  var sum3 = vec4<f32>(0.0);
  for (var row = split * params.share; row < end; row++) {
    let from_y = vec4<u32>(i32(row % params.out_height) * params.stride_y + offset_y);
    let row_inside = from_y < vec4<u32>(params.height);
    if (!any(row_inside)) {
      continue;
    }
    let row_start = (from_y + row / params.out_height * params.height) * params.width;
    for (var column = first_column; column < end_column; column++) {
      let from_x = vec4<u32>(i32(column) * params.stride_x + offset_x);
      let at = (row_start + from_x) * params.channels + channel;
      let v = pixels(at, row_inside & (from_x < vec4<u32>(params.width)));
      let g = gradients(row * params.out_width + column, filters);
      sum0 += v.x * g;
      sum1 += v.y * g;
      sum2 += v.z * g;
      sum3 += v.w * g;
    }
  }
  write_weight(first, last, split, group, unit, sum0);
  write_weight(first + 1u, last, split, group, unit, sum1);
  write_weight(first + 2u, last, split, group, unit, sum2);
  write_weight(first + 3u, last, split, group, unit, sum3);
}
