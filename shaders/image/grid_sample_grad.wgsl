// lib: sample
// io: dy, row, column -> dx
// items: i < params.count
// Gradient of grid_sample for the image, one thread per element of dx: it looks through all points that were sampled
// and takes its share of each. Simple rather than fast: augmentation seldom stands behind trained layers.

struct Params {
  count: u32,
  height: u32,
  width: u32,
  channels: u32,
  points: u32,
  mode: u32,
  nearest: u32,
}

// How much of pixel `pixel`, along an axis of `size`, is in what lies at `at`.
fn share(at: f32, pixel: i32, size: u32) -> f32 {
  if (params.nearest == 1u) {
    return f32(pixel_for(i32(floor(at + 0.5)), size, params.mode) == pixel);
  }
  let low = i32(floor(at));
  let weight = at - floor(at);
  return (1.0 - weight) * f32(pixel_for(low, size, params.mode) == pixel)
    + weight * f32(pixel_for(low + 1, size, params.mode) == pixel);
}

fn item(i: u32) {
  let channel = i % params.channels;
  let pixel = i / params.channels;
  let at_x = i32(pixel % params.width);
  let at_y = i32((pixel / params.width) % params.height);
  let first = pixel / (params.width * params.height) * params.points;
  var total = 0.0;
  for (var point = first; point < first + params.points; point++) {
    let share_y = share(load_row(point), at_y, params.height);
    if (share_y != 0.0) {
      total += share_y * share(load_column(point), at_x, params.width) * load_dy(point * params.channels + channel);
    }
  }
  store_dx(i, total);
}
