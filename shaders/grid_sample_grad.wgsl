// lib: sample
// Gradient of grid_sample for the image, one thread per element of dx: it looks through all points that were sampled
// and takes its share of each. Simple rather than fast: augmentation seldom stands behind trained layers.

const WG: u32 = 64;

struct Params {
  count: u32,
  height: u32,
  width: u32,
  channels: u32,
  points: u32,
  mode: u32,
  nearest: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> dy: array<f32>;
@group(1) @binding(2) var<storage, read> row: array<f32>;
@group(1) @binding(3) var<storage, read> column: array<f32>;
@group(1) @binding(4) var<storage, read_write> dx: array<f32>;

fn load_dy(i: u32) -> f32 {
  return dy[i];
}

fn load_row(i: u32) -> f32 {
  return row[i];
}

fn load_column(i: u32) -> f32 {
  return column[i];
}

fn store_dx(i: u32, v: f32) {
  dx[i] = v;
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

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * WG + id.x;
  if (i < params.count) {
    item(i);
  }
}
