// lib: conv2d_params
// io: x 1|4, kernel 1|4 -> y 1|4
// The convolution of conv2d_tiled.wgsl on subgroups: a thread holds four neighbouring pixels of an output row by eight channels that
// its whole workgroup shares; each lane fetches the weights of one channel and the others get them by broadcast. Wins on
// software GPUs, where a load costs far more than a product. Needs subgroups of at least LANES lanes. Adds a row of taps
// channel by channel, where conv2d_tiled.wgsl adds tap by tap: its bits differ.
enable subgroups;

const WG: u32 = 32;
const UNITS: u32 = 8;
// Lanes that fetch weights: 8, or 4 where subgroups may be that small.
const LANES: u32 = 8;
// Of a tap, the four pixels are those of the tap before and one more.
const SLIDE: bool = false;
// Four channels of x are neighbours in memory: load_x4 serves.
const WIDE_X: bool = false;
// Four weights of neighbouring units, or with TRANSPOSED of neighbouring channels, are: load_kernel4 serves.
const WIDE_KERNEL: bool = false;
const TRANSPOSED: bool = false;
// Four units of y are: store_y4 serves.
const WIDE_Y: bool = false;

// Four lanes fetch the weights of four units each, for one of four channels; else each lane those of one unit.
const BY_CHANNEL: bool = WIDE_KERNEL && !TRANSPOSED;
const OUTSIDE: u32 = 0xffffffffu;

var<private> sums: array<vec4<f32>, UNITS>;

// Adds the products of one channel of four pixels and the weights of eight units.
fn add_products(first: vec4<f32>, last: vec4<f32>, pixels: vec4<f32>) {
  sums[0] += first.x * pixels;
  sums[1] += first.y * pixels;
  sums[2] += first.z * pixels;
  sums[3] += first.w * pixels;
  sums[4] += last.x * pixels;
  sums[5] += last.y * pixels;
  sums[6] += last.z * pixels;
  sums[7] += last.w * pixels;
}

// Likewise, where lane u of `low` holds unit u; with four lanes, units 4 to 7 are in `high`.
fn add_lanes(low: f32, high: f32, pixels: vec4<f32>) {
  add_products(
    vec4<f32>(
      subgroupBroadcast(low, 0u),
      subgroupBroadcast(low, 1u),
      subgroupBroadcast(low, 2u),
      subgroupBroadcast(low, 3u),
    ),
    vec4<f32>(
      subgroupBroadcast(high, 4u % LANES),
      subgroupBroadcast(high, 5u % LANES),
      subgroupBroadcast(high, 6u % LANES),
      subgroupBroadcast(high, 7u % LANES),
    ),
    pixels,
  );
}

// A pixel of the row of x that starts at `start`, with WIDE_X four channels of it; zeros outside the image.
fn pixels(start: u32, column: i32) -> vec4<f32> {
  let inside = start != OUTSIDE && u32(column) < params.width;
  let at = select(0u, start + u32(column) * params.channels, inside);
  if (WIDE_X) {
    return select(vec4<f32>(), load_x4(at), inside);
  }
  return vec4<f32>(select(0.0, load_x(at), inside), 0.0, 0.0, 0.0);
}

// What a lane fetches: four weights, or without WIDE_X one.
fn weights(at: u32) -> vec4<f32> {
  if (WIDE_KERNEL) {
    return load_kernel4(at);
  }
  if (!WIDE_X) {
    return vec4<f32>(load_kernel(at), 0.0, 0.0, 0.0);
  }
  let step = params.weight_depth;
  return vec4<f32>(load_kernel(at), load_kernel(at + step), load_kernel(at + 2u * step), load_kernel(at + 3u * step));
}

// The first `count` of four neighbouring units.
fn write_units(at: u32, count: u32, v: vec4<f32>) {
  if (!WIDE_Y) {
    for (var u = 0u; u < min(count, 4u); u++) {
      store_y(at + u, v[u]);
    }
  } else if (count > 0u) {
    store_y4(at, v);
  }
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
) {
  let unit_tiles = (params.units + UNITS - 1u) / UNITS;
  let channel_tiles = params.out_channels / params.units * unit_tiles;
  let job = id.y * grid.x + id.x;
  let group = job % channel_tiles / unit_tiles;
  let unit = job % unit_tiles * UNITS;
  let across = (params.out_width + 3u) / 4u;
  let tile = job / channel_tiles * WG + thread;
  let out_x = tile % across * 4u;
  let out_row = tile / across;
  let image = out_row / params.out_height;
  let from_y = i32(out_row % params.out_height) * params.scale_y + params.offset_y;
  let from_x = i32(out_x) * params.scale_x + params.offset_x;
  // Beyond the last unit the last one is computed again, and not stored.
  let last_unit = params.units - select(1u, 4u, BY_CHANNEL);
  let low_unit = min(unit + select(lane % LANES, lane % LANES / 4u * 4u, BY_CHANNEL), last_unit);
  let high_unit = min(unit + 4u + select(lane % 4u, 0u, BY_CHANNEL), last_unit);
  let channel = select(0u, lane % 4u, BY_CHANNEL);
  let first_weight = params.weight_start + group * params.weight_group + channel * params.weight_depth;
  let low_weight = first_weight + low_unit * params.weight_unit;
  let high_weight = first_weight + high_unit * params.weight_unit;
  for (var ky = 0u; ky < params.taps_y; ky++) {
    let y = u32(from_y + i32(ky) * params.step_y);
    let row = ((image * params.height + y) * params.width) * params.channels + group * params.depth;
    let inside = y < params.height && tile < params.count;
    for (var c = 0u; c < params.depth; c += select(1u, 4u, WIDE_X)) {
      let start = select(OUTSIDE, row + c, inside);
      var p0: vec4<f32>;
      var p1: vec4<f32>;
      var p2: vec4<f32>;
      var p3: vec4<f32>;
      if (SLIDE) {
        p1 = pixels(start, from_x);
        p2 = pixels(start, from_x + 1);
        p3 = pixels(start, from_x + 2);
      }
      for (var kx = 0u; kx < params.taps_x; kx++) {
        let column = from_x + i32(kx) * params.step_x;
        if (SLIDE) {
          p0 = p1;
          p1 = p2;
          p2 = p3;
        } else {
          p0 = pixels(start, column);
          p1 = pixels(start, column + params.scale_x);
          p2 = pixels(start, column + 2 * params.scale_x);
        }
        p3 = pixels(start, column + 3 * params.scale_x);
        let weight = u32(i32(ky * params.taps_x + kx) * params.weight_tap) + c * params.weight_depth;
        let low = weights(low_weight + weight);
        var high = low;
        if (LANES == 4u) {
          high = weights(high_weight + weight);
        }
        let channel0 = vec4<f32>(p0.x, p1.x, p2.x, p3.x);
        let channel1 = vec4<f32>(p0.y, p1.y, p2.y, p3.y);
        let channel2 = vec4<f32>(p0.z, p1.z, p2.z, p3.z);
        let channel3 = vec4<f32>(p0.w, p1.w, p2.w, p3.w);
        if (!WIDE_X) {
          add_lanes(low.x, high.x, channel0);
        } else if (BY_CHANNEL) {
          add_products(subgroupBroadcast(low, 0u), subgroupBroadcast(high, 4u % LANES), channel0);
          add_products(subgroupBroadcast(low, 1u), subgroupBroadcast(high, 5u % LANES), channel1);
          add_products(subgroupBroadcast(low, 2u), subgroupBroadcast(high, 6u % LANES), channel2);
          add_products(subgroupBroadcast(low, 3u), subgroupBroadcast(high, 7u % LANES), channel3);
        } else {
          add_lanes(low.x, high.x, channel0);
          add_lanes(low.y, high.y, channel1);
          add_lanes(low.z, high.z, channel2);
          add_lanes(low.w, high.w, channel3);
        }
      }
    }
  }
  // A loop whose end compilers do not know, so that they do not unroll it, and with it the hook.
  let end = select(0u, min(4u, params.out_width - out_x), tile < params.count);
  var at = (out_row * params.out_width + out_x) * params.out_channels + group * params.units + unit;
  for (var p = 0u; p < end; p++) {
    write_units(at, params.units - unit, vec4<f32>(sums[0].x, sums[1].x, sums[2].x, sums[3].x));
    write_units(at + 4u, max(params.units, unit + 4u) - unit - 4u, vec4<f32>(sums[4].x, sums[5].x, sums[6].x, sums[7].x));
    for (var u = 0u; u < UNITS; u++) {
      sums[u] = sums[u].yzwx;
    }
    at += params.out_channels;
  }
}
