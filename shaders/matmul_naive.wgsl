// y [batch, m, n] = a · b, one thread per output element. Any strides, so A^T and B^T cost nothing but locality: the
// kernel of last resort, and the best one where n or m is tiny.
// With ONES_ROW, A has one more row, all ones, whose products go to `store_total`: the bias gradient beside the kernel's.

const WG: u32 = 64;
const ONES_ROW: bool = false;

struct Params {
  batch: u32,
  m: u32,
  n: u32,
  k: u32,
  a_batch: u32,
  a_row: u32,
  a_inner: u32,
  b_batch: u32,
  b_inner: u32,
  b_column: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> a: array<f32>;
@group(1) @binding(2) var<storage, read> b: array<f32>;
@group(1) @binding(3) var<storage, read_write> y: array<f32>;
@group(1) @binding(4) var<storage, read_write> total: array<f32>;

fn load_a(i: u32) -> f32 {
  return a[i];
}

fn load_b(i: u32) -> f32 {
  return b[i];
}

fn store_y(i: u32, v: f32) {
  y[i] = v;
}

fn store_total(i: u32, v: f32) {
  total[i] = v;
}

fn item(i: u32) {
  let rows = params.m + select(0u, 1u, ONES_ROW);
  let column = i % params.n;
  let row = (i / params.n) % rows;
  let batch = i / (params.n * rows);
  let count = params.k;
  let a_next = params.a_inner;
  let b_next = params.b_inner;
  // The row of ones reads the last row of A in its place, since one loop for all rows is half the code.
  let ones = ONES_ROW && row == params.m;
  var at_a = batch * params.a_batch + min(row, params.m - 1u) * params.a_row;
  var at_b = batch * params.b_batch + column * params.b_column;
  var sum = 0.0;
  for (var k = 0u; k < count; k++) {
    sum += select(load_a(at_a), 1.0, ones) * load_b(at_b);
    at_a += a_next;
    at_b += b_next;
  }
  if (ones) {
    store_total(batch * params.n + column, sum);
  } else {
    store_y((batch * params.m + row) * params.n + column, sum);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * WG + id.x;
  let rows = params.m + select(0u, 1u, ONES_ROW);
  if (i < params.batch * rows * params.n) {
    item(i);
  }
}
