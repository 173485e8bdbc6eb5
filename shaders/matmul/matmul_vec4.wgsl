// lib: operands
// io: a 1|4, b 1|4 -> y 1|4, total
// items: i < params.batch * ((params.m + select(0u, 1u, ONES_ROW) + ROWS - 1u) / ROWS) * ((params.n + 3u) / 4u)
// y [batch, m, n] = a · b, one thread for ROWS rows of four columns, held in registers so that each load serves several
// products. Wins over matmul_naive nearly always, over matmul_tiled where tiles of 64 would stay half empty or workgroup
// memory is dear. Sums over k in order: the bits of matmul_naive.
// With ONES_ROW, A has one more row, all ones, whose products go to `store_total`: the bias gradient beside the kernel's.

// 4, or 8 where k is taken one by one: more save loads of B, where there are threads enough for them.
const ROWS: u32 = 4;
// Over k one by one instead of by fours: few places that load, for compilers to which each is dear.
const ROLLED: bool = false;

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
  // ROWS, where compilers cannot know it: what they unroll takes three times as long to compile.
  rows: u32,
}

// Adds four elements along k of a row of A times as many rows of B.
fn add_part(sum: vec4<f32>, part: vec4<f32>, rows: mat4x4<f32>) -> vec4<f32> {
  return sum + part.x * rows[0] + part.y * rows[1] + part.z * rows[2] + part.w * rows[3];
}

fn row_starts(batch: u32, rows: vec4<u32>) -> vec4<u32> {
  return vec4<u32>(a_start(batch, rows.x), a_start(batch, rows.y), a_start(batch, rows.z), a_start(batch, rows.w));
}

fn item(i: u32) {
  let across = (params.n + 3u) / 4u;
  let down = (params.m + select(0u, 1u, ONES_ROW) + ROWS - 1u) / ROWS;
  let column = 4u * (i % across);
  let first_row = ROWS * ((i / across) % down);
  let batch = i / (across * down);
  let rows = first_row + vec4<u32>(0u, 1u, 2u, 3u);
  let more_rows = rows + 4u;
  let starts = row_starts(batch, rows);
  let more_starts = row_starts(batch, more_rows);
  let columns = b_start(batch, column);
  let count = params.k;
  var sums: array<vec4<f32>, 4>;
  // Of rows 4 to 7.
  var more: array<vec4<f32>, 4>;
  for (var k = 0u; ROLLED && k < count; k++) {
    let b = b_row(columns, k);
    sums[0] += a_element(starts.x, rows.x, k) * b;
    sums[1] += a_element(starts.y, rows.y, k) * b;
    sums[2] += a_element(starts.z, rows.z, k) * b;
    sums[3] += a_element(starts.w, rows.w, k) * b;
    if (ROWS == 8u) {
      more[0] += a_element(more_starts.x, more_rows.x, k) * b;
      more[1] += a_element(more_starts.y, more_rows.y, k) * b;
      more[2] += a_element(more_starts.z, more_rows.z, k) * b;
      more[3] += a_element(more_starts.w, more_rows.w, k) * b;
    }
  }
  for (var k = 0u; !ROLLED && k < count; k += 4u) {
    let b = b_rows(columns, k);
    sums[0] = add_part(sums[0], a_part(starts.x, rows.x, k), b);
    sums[1] = add_part(sums[1], a_part(starts.y, rows.y, k), b);
    sums[2] = add_part(sums[2], a_part(starts.z, rows.z, k), b);
    sums[3] = add_part(sums[3], a_part(starts.w, rows.w, k), b);
  }
  for (var r = 0u; r < params.rows; r++) {
    store_row(batch, first_row + r, column, sums[0]);
    sums = array<vec4<f32>, 4>(sums[1], sums[2], sums[3], more[0]);
    more = array<vec4<f32>, 4>(more[1], more[2], more[3], more[0]);
  }
}
