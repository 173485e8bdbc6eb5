// What the faster matmul kernels share: A taken by four neighbours along k, B and y by four neighbours along n. Strides
// make A^T and B^T; the constants say where four neighbours lie side by side in memory, to be had in one access.
// What lies outside A or B is read as its last row or column: beyond k it is multiplied by zeros, the rest is never stored.

// Elements k .. k + 3 of row `row` of A; the row after the last one is all ones (see ONES_ROW).
fn a_part(batch: u32, row: u32, k: u32) -> vec4<f32> {
  let i = batch * params.a_batch + min(row, params.m - 1u) * params.a_row + k * params.a_inner;
  let next = params.a_inner;
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

// Element k of row `row` of A, likewise.
fn a_element(batch: u32, row: u32, k: u32) -> f32 {
  let i = batch * params.a_batch + min(row, params.m - 1u) * params.a_row + k * params.a_inner;
  return select(load_a(i), 1.0, ONES_ROW && row == params.m);
}

// Row k of B at four columns.
fn b_row(batch: u32, k: u32, column: u32) -> vec4<f32> {
  let start = batch * params.b_batch + select(k, min(k, params.k - 1u), K_REST) * params.b_inner;
  if (WIDE_B) {
    return load_b4(start + min(column, params.n - 4u));
  }
  let i = start + min(column + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.n - 1u)) * params.b_column;
  return vec4<f32>(load_b(i.x), load_b(i.y), load_b(i.z), load_b(i.w));
}

// Rows k .. k + 3 of B at four columns. Where B is stored by columns, four neighbours along k are had in one access.
fn b_rows(batch: u32, k: u32, column: u32) -> mat4x4<f32> {
  if (COLUMNS_B) {
    let at = min(column + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.n - 1u)) * params.b_column;
    let i = batch * params.b_batch + k + at;
    return transpose(mat4x4<f32>(load_b4(i.x), load_b4(i.y), load_b4(i.z), load_b4(i.w)));
  }
  return mat4x4<f32>(
    b_row(batch, k, column),
    b_row(batch, k + 1u, column),
    b_row(batch, k + 2u, column),
    b_row(batch, k + 3u, column),
  );
}

// Row `row` of y at four columns.
fn store_row(batch: u32, row: u32, column: u32, v: vec4<f32>) {
  let i = (batch * params.m + row) * params.n + column;
  let count = min(4u, params.n - min(column, params.n));
  if (row >= params.m) {
    for (var c = 0u; ONES_ROW && row == params.m && c < count; c++) {
      store_total(batch * params.n + column + c, v[c]);
    }
  } else if (!WIDE_Y) {
    for (var c = 0u; c < count; c++) {
      store_y(i + c, v[c]);
    }
  } else if (count > 0u) {
    store_y4(i, v);
  }
}
