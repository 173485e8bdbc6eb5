// lib: conv2d_params
// io: x 1|4, kernel 1|4 -> y 1|4
// items: i < params.count
// The sum of conv2d_direct.wgsl as an implicit matrix product (no image-to-column copy): each thread holds 4 output
// pixels by 4 channels of a group in registers, so that every pixel and weight it loads serves 4 times.

const DIVIDE: bool = false;
// Four channels of x are neighbours in memory: load_x4 serves.
const WIDE_X: bool = false;
// Four weights of neighbouring units, or with TRANSPOSED of neighbouring channels, are: load_kernel4 serves.
const WIDE_KERNEL: bool = false;
const TRANSPOSED: bool = false;
// Four units of y are: store_y4 serves.
const WIDE_Y: bool = false;

// Coordinates in x of four pixels, beyond any size where there is none.
fn source(numerator: vec4<i32>, divide: i32) -> vec4<u32> {
  if (!DIVIDE) {
    return vec4<u32>(numerator);
  }
  let whole = (numerator >= vec4<i32>(0)) & (numerator % divide == vec4<i32>(0));
  return select(vec4<u32>(0xffffffffu), vec4<u32>(numerator / divide), whole);
}

fn write_pixel(pixel: u32, group: u32, unit: u32, v: vec4<f32>) {
  if (pixel >= params.pixels) {
    return;
  }
  let at = pixel * params.out_channels + group * params.units + unit;
  if (WIDE_Y) {
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

// Weights of four units for one channel.
fn weights(at: vec4<u32>) -> vec4<f32> {
  if (WIDE_KERNEL) {
    return load_kernel4(at.x);
  }
  return vec4<f32>(load_kernel(at.x), load_kernel(at.y), load_kernel(at.z), load_kernel(at.w));
}

// Weights of four units (columns) for four channels (rows).
fn weight_matrix(at: vec4<u32>) -> mat4x4<f32> {
  if (WIDE_KERNEL && TRANSPOSED) {
    return transpose(mat4x4<f32>(load_kernel4(at.x), load_kernel4(at.y), load_kernel4(at.z), load_kernel4(at.w)));
  }
  let step = params.weight_depth;
  return mat4x4<f32>(weights(at), weights(at + step), weights(at + 2u * step), weights(at + 3u * step));
}

fn pixel4(at: u32, inside: bool) -> vec4<f32> {
  return select(vec4<f32>(0.0), load_x4(at), inside);
}

fn item(i: u32) {
  let unit_tiles = (params.units + 3u) / 4u;
  let channel_tiles = params.out_channels / params.units * unit_tiles;
  let group = (i % channel_tiles) / unit_tiles;
  let unit = (i % unit_tiles) * 4u;
  let first = i / channel_tiles * 4u;
  // Beyond the last pixel or unit the last one is computed again, and not stored.
  let pixel = min(vec4<u32>(first, first + 1u, first + 2u, first + 3u), vec4<u32>(params.pixels - 1u));
  let units = min(vec4<u32>(unit, unit + 1u, unit + 2u, unit + 3u), vec4<u32>(params.units - 1u));
  let row_pixel = pixel / params.out_width;
  let from_y = vec4<i32>(row_pixel % params.out_height) * params.scale_y + params.offset_y;
  let from_x = vec4<i32>(pixel % params.out_width) * params.scale_x + params.offset_x;
  let image = row_pixel / params.out_height * params.height;
  let first_channel = group * params.depth;
  let first_weight = params.weight_start + units * params.weight_unit + group * params.weight_group;
  var sum0 = vec4<f32>(0.0);
  var sum1 = vec4<f32>(0.0);
  var sum2 = vec4<f32>(0.0);
  var sum3 = vec4<f32>(0.0);
  for (var ky = 0u; ky < params.taps_y; ky++) {
    let row = source(from_y + i32(ky) * params.step_y, params.divide_y);
    let row_inside = row < vec4<u32>(params.height);
    let row_start = (image + row) * params.width;
    for (var kx = 0u; kx < params.taps_x; kx++) {
      let column = source(from_x + i32(kx) * params.step_x, params.divide_x);
      let inside = row_inside & (column < vec4<u32>(params.width));
      if (!any(inside)) {
        continue;
      }
      let at = select(vec4<u32>(0u), (row_start + column) * params.channels, inside) + first_channel;
      let weight = first_weight + u32(i32(ky * params.taps_x + kx) * params.weight_tap);
      if (WIDE_X) {
        for (var c = 0u; c < params.depth; c += 4u) {
          let w = weight_matrix(weight + c * params.weight_depth);
          sum0 += w * pixel4(at.x + c, inside.x);
          sum1 += w * pixel4(at.y + c, inside.y);
          sum2 += w * pixel4(at.z + c, inside.z);
          sum3 += w * pixel4(at.w + c, inside.w);
        }
        continue;
      }
      for (var c = 0u; c < params.depth; c++) {
        let w = weights(weight + c * params.weight_depth);
        let loaded = vec4<f32>(load_x(at.x + c), load_x(at.y + c), load_x(at.z + c), load_x(at.w + c));
        let v = select(vec4<f32>(0.0), loaded, inside);
        sum0 += v.x * w;
        sum1 += v.y * w;
        sum2 += v.z * w;
        sum3 += v.w * w;
      }
    }
  }
  write_pixel(first, group, unit, sum0);
  write_pixel(first + 1u, group, unit, sum1);
  write_pixel(first + 2u, group, unit, sum2);
  write_pixel(first + 3u, group, unit, sum3);
}
