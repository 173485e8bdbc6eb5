// lib: gradients
// io: x, dy 1|4 -> y 1|4, bias
// items: i < params.count
// Partial sums of a convolution's kernel gradient, as conv2d_kernel_grad.wgsl, each thread for ROWS x COLUMNS taps of one
// channel by four filters: a pixel of dy serves all of these taps, and a pixel of x the taps of a row one after the other, so
// that rows of the image must not be strided or dilated. Wins on software GPUs, where a load costs far more than a product.

const WG: u32 = 16;
const ROWS: u32 = 3;
const COLUMNS: u32 = 4;
const BIAS: bool = false;
// Four filters are neighbours in memory: load_dy4 and store_y4 serve.
const WIDE_FILTERS: bool = false;

struct Params {
  count: u32,
  rows: u32,
  share: u32,
  out_height: u32,
  out_width: u32,
  height: u32,
  width: u32,
  channels: u32,
  depth: u32,
  filters: u32,
  units: u32,
  taps_y: u32,
  taps_x: u32,
  weights: u32,
  stride_y: i32,
  dilation_y: i32,
  top: i32,
  left: i32,
}

// A row of taps: where the row of x that it meets starts, and whether that is in the image; its pixels, and the sums.
struct Row {
  start: u32,
  inside: bool,
  pixels: vec4<f32>,
  sums: array<vec4<f32>, 4>,
}

var<private> row0: Row;
var<private> row1: Row;
var<private> row2: Row;

// A pixel of a row, or zero outside the image.
fn pixel(row: ptr<private, Row>, column: i32) -> f32 {
  let inside = (*row).inside && u32(column) < params.width;
  return select(0.0, load_x(select(0u, (*row).start + u32(column) * params.channels, inside)), inside);
}

// Turns to row `y` of an image, which tap row `tap` meets, and to the pixels before the last tap's first.
fn begin(row: ptr<private, Row>, tap: u32, image: u32, y: i32, channel: u32, column: i32) {
  (*row).inside = u32(y) < params.height && tap < params.taps_y;
  (*row).start = (image * params.height + u32(y)) * params.width * params.channels + channel;
  if (COLUMNS > 1u) {
    (*row).pixels.y = pixel(row, column);
  }
  if (COLUMNS > 2u) {
    (*row).pixels.z = pixel(row, column + 1);
  }
  if (COLUMNS > 3u) {
    (*row).pixels.w = pixel(row, column + 2);
  }
}

// Adds the next output pixel of the row, whose last tap meets `column`.
fn add(row: ptr<private, Row>, column: i32, g: vec4<f32>) {
  var pixels = (*row).pixels.yzwx;
  pixels[COLUMNS - 1u] = pixel(row, column);
  (*row).pixels = pixels;
  (*row).sums[0] += pixels.x * g;
  if (COLUMNS > 1u) {
    (*row).sums[1] += pixels.y * g;
  }
  if (COLUMNS > 2u) {
    (*row).sums[2] += pixels.z * g;
  }
  if (COLUMNS > 3u) {
    (*row).sums[3] += pixels.w * g;
  }
}

fn item(i: u32) {
  let unit_tiles = (params.units + 3u) / 4u;
  let tap_tiles_x = (params.taps_x + COLUMNS - 1u) / COLUMNS;
  let tap_tiles_y = (params.taps_y + ROWS - 1u) / ROWS;
  let channel_tile = i / unit_tiles;
  let tap_tile = channel_tile / params.channels;
  let row_tile = tap_tile / tap_tiles_x;
  let split = row_tile / tap_tiles_y;
  let unit = i % unit_tiles * 4u;
  let channel = channel_tile % params.channels;
  let tap_x = tap_tile % tap_tiles_x * COLUMNS;
  let tap_y = row_tile % tap_tiles_y * ROWS;
  let group = channel / params.depth;
  let filters = min(vec4<u32>(unit, unit + 1u, unit + 2u, unit + 3u), vec4<u32>(params.units - 1u)) + group * params.units;
  let end = min((split + 1u) * params.share, params.rows);
  let from_x = i32(tap_x) - params.left;
  var total = vec4<f32>();
  for (var row = split * params.share; row < end; row++) {
    let image = row / params.out_height;
    let y = i32(row % params.out_height) * params.stride_y + i32(tap_y) * params.dilation_y - params.top;
    begin(&row0, tap_y, image, y, channel, from_x);
    if (ROWS > 1u) {
      begin(&row1, tap_y + 1u, image, y + params.dilation_y, channel, from_x);
    }
    if (ROWS > 2u) {
      begin(&row2, tap_y + 2u, image, y + 2 * params.dilation_y, channel, from_x);
    }
    for (var column = 0u; column < params.out_width; column++) {
      let g = gradients(row * params.out_width + column, filters);
      let last = from_x + i32(column + COLUMNS - 1u);
      add(&row0, last, g);
      if (ROWS > 1u) {
        add(&row1, last, g);
      }
      if (ROWS > 2u) {
        add(&row2, last, g);
      }
      if (BIAS) {
        total += g;
      }
    }
  }
  let at = split * params.weights * params.filters + channel % params.depth * params.filters + filters.x;
  // Loops whose ends compilers do not know, so that they do not unroll them, and with them the hooks.
  let units = min(4u, params.units - unit);
  for (var tap = tap_y; tap < min(tap_y + ROWS, params.taps_y); tap++) {
    for (var column = tap_x; column < min(tap_x + COLUMNS, params.taps_x); column++) {
      write_filters(at + (tap * params.taps_x + column) * params.depth * params.filters, units, row0.sums[0]);
      row0.sums = array<vec4<f32>, 4>(row0.sums[1], row0.sums[2], row0.sums[3], vec4<f32>());
    }
    row0.sums = row1.sums;
    row1.sums = row2.sums;
  }
  if (BIAS && tap_x == 0u && tap_y == 0u && channel % params.depth == 0u) {
    for (var u = 0u; u < units; u++) {
      store_bias(split * params.filters + filters.x + u, total[u]);
    }
  }
}

fn write_filters(at: u32, count: u32, v: vec4<f32>) {
  if (WIDE_FILTERS) {
    store_y4(at, v);
    return;
  }
  for (var u = 0u; u < count; u++) {
    store_y(at + u, v[u]);
  }
}
