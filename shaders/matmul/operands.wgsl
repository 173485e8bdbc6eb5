// What the faster matmul kernels share: A taken by four neighbours along k, B and y by four neighbours along n. Strides
// make A^T and B^T; the constants say where four neighbours lie side by side in memory, to be had in one access.
// What lies outside A or B is read as its last row or column: beyond k it is multiplied by zeros, the rest is never stored.

// Whether load_a4, load_b4 and store_y4 serve.
const WIDE_A: bool = false;
const WIDE_B: bool = false;
const WIDE_Y: bool = false;
// Whether load_b4 serves along the columns of B.
const COLUMNS_B: bool = false;
// Whether k is no multiple of what a turn takes.
const K_REST: bool = true;
const ONES_ROW: bool = false;

// Where row `row` of A begins: found once, before the loop over k, since not every compiler moves it there.
fn a_start(batch: u32, row: u32) -> u32 {
  return batch * params.a_batch + min(row, params.m - 1u) * params.a_row;
}

// Elements k .. k + 3 of row `row` of A, which begins at `start`; the row after the last one is all ones (see ONES_ROW).
fn a_part(start: u32, row: u32, k: u32) -> vec4<f32> {
  let next = params.a_inner;
  let i = start + k * next;
  var part: vec4<f32>;
  if (WIDE_A) {
    part = load_a4(i);
  } else {
    part = vec4<f32>(load_a(i), load_a(i + next), load_a(i + 2u * next), load_a(i + 3u * next));
  }
  part = select(part, vec4<f32>(1.0), ONES_ROW && row == params.m);
  if (K_REST) {
    part = select(vec4<f32>(), part, k + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.k));
  }
  return part;
}

// Element k of it.
fn a_element(start: u32, row: u32, k: u32) -> f32 {
  return select(load_a(start + k * params.a_inner), 1.0, ONES_ROW && row == params.m);
}

// Where four columns of B begin; with WIDE_B the first alone counts.
fn b_start(batch: u32, column: u32) -> vec4<u32> {
  let start = batch * params.b_batch;
  if (WIDE_B) {
    return vec4<u32>(start + min(column, params.n - 4u));
  }
  return start + min(column + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.n - 1u)) * params.b_column;
}

// Row k of B at the four columns that begin at `start`.
fn b_row(start: vec4<u32>, k: u32) -> vec4<f32> {
  let i = start + select(k, min(k, params.k - 1u), K_REST) * params.b_inner;
  if (WIDE_B) {
    return load_b4(i.x);
  }
  return vec4<f32>(load_b(i.x), load_b(i.y), load_b(i.z), load_b(i.w));
}

// Rows k .. k + 3, likewise. Where B is stored by columns, four neighbours along k are had in one access.
fn b_rows(start: vec4<u32>, k: u32) -> mat4x4<f32> {
  if (COLUMNS_B) {
    let i = start + k;
    return transpose(mat4x4<f32>(load_b4(i.x), load_b4(i.y), load_b4(i.z), load_b4(i.w)));
  }
  return mat4x4<f32>(b_row(start, k), b_row(start, k + 1u), b_row(start, k + 2u), b_row(start, k + 3u));
}

// Row `row` of y at four columns. How many are left is counted down, since compilers unroll a loop that counts up to 4 at
// most, and with it the hook.
fn store_row(batch: u32, row: u32, column: u32, v: vec4<f32>) {
  if (WIDE_Y && row < params.m) {
    if (column < params.n) {
      store_y4((batch * params.m + row) * params.n + column, v);
    }
  } else if (ONES_ROW || !WIDE_Y) {
    let inside = row < params.m || (ONES_ROW && row == params.m);
    var at = select(batch * params.m + row, batch, row == params.m) * params.n + column;
    var rest = v;
    for (var left = select(0u, min(4u, params.n - min(column, params.n)), inside); left > 0u; left--) {
      if (row < params.m) {
        store_y(at, rest.x);
      } else {
        store_total(at, rest.x);
      }
      rest = rest.yzwx;
      at++;
    }
  }
}
