// lib: matmul
// y [batch, m, n] = a · b on matrix units: tiles of 64 x 64 x TILE_K in workgroup memory, of which each subgroup multiplies a
// strip, unit by unit, and adds up in f32. Wins where an adapter has such units, by as much as they are faster than its other
// ones. In which order a unit sums is the hardware's, so the bits are not those of matmul_naive; with Elem f16 both factors
// are rounded to it. A sum comes back through workgroup memory, since no thread knows which elements of it are its own.
// With ONES_ROW, A has one more row, all ones, whose products go to `store_total`: the bias gradient beside the kernel's.
enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

// A multiple of the most lanes that a subgroup may have. Where subgroups are smaller, several multiply the same strip.
const WG: u32 = 128;
const TILE: u32 = 64;
const TILE_K: u32 = 32;
// Strips of a tile, beside and below each other.
const ACROSS: u32 = 2;
const DOWN: u32 = 2;
// What is multiplied: f16, or f32 where the adapter has units for it.
alias Elem = f16;
// A unit multiplies UNIT_M x UNIT_K by UNIT_K x UNIT_N.
const UNIT_M: u32 = 16;
const UNIT_N: u32 = 16;
const UNIT_K: u32 = 16;
// Units of a strip, along its rows and its columns.
const ROWS: u32 = TILE / DOWN / UNIT_M;
const COLUMNS: u32 = TILE / ACROSS / UNIT_N;
// Fours along a row of a tile of A, of B and of a sum.
const A_PARTS: u32 = TILE_K / 4;
const B_PARTS: u32 = TILE / 4;
const SUM_PARTS: u32 = UNIT_N / 4;
// Whether load_a4, load_b4 and store_y4 serve (see lib/matmul.wgsl).
const WIDE_A: bool = false;
const WIDE_B: bool = false;
const WIDE_Y: bool = false;
const COLUMNS_B: bool = false;
// Whether k is no multiple of TILE_K.
const K_REST: bool = true;
const ONES_ROW: bool = false;

// Columns before rows, as WGSL has it.
alias Left = subgroup_matrix_left<Elem, UNIT_K, UNIT_M>;
alias Right = subgroup_matrix_right<Elem, UNIT_N, UNIT_K>;
alias Sum = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;

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

fn load_a4(i: u32) -> vec4<f32> {
  return vec4<f32>(a[i], a[i + 1u], a[i + 2u], a[i + 3u]);
}

fn load_b(i: u32) -> f32 {
  return b[i];
}

fn load_b4(i: u32) -> vec4<f32> {
  return vec4<f32>(b[i], b[i + 1u], b[i + 2u], b[i + 3u]);
}

fn store_y(i: u32, v: f32) {
  y[i] = v;
}

fn store_y4(i: u32, v: vec4<f32>) {
  y[i] = v.x;
  y[i + 1u] = v.y;
  y[i + 2u] = v.z;
  y[i + 3u] = v.w;
}

fn store_total(i: u32, v: f32) {
  total[i] = v;
}

var<workgroup> a_tile: array<Elem, TILE * TILE_K>;
var<workgroup> b_tile: array<Elem, TILE_K * TILE>;
// One sum of each strip.
var<workgroup> sum_tile: array<f32, ACROSS * DOWN * UNIT_M * UNIT_N>;

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let across = (params.n + TILE - 1u) / TILE;
  let down = (params.m + select(0u, 1u, ONES_ROW) + TILE - 1u) / TILE;
  let tile = group.y * groups.x + group.x;
  let first_column = TILE * (tile % across);
  let first_row = TILE * ((tile / across) % down);
  let batch = tile / (across * down);
  if (batch >= params.batch) {
    return;
  }
  let strip = subgroup % (ACROSS * DOWN);
  let strip_row = (strip / ACROSS) * ROWS * UNIT_M;
  let strip_column = (strip % ACROSS) * COLUMNS * UNIT_N;
  var sums: array<Sum, ROWS * COLUMNS>;
  for (var start = 0u; start < params.k; start += TILE_K) {
    for (var e = thread; e < TILE * A_PARTS; e += WG) {
      // Neighbouring threads read neighbouring memory, whichever way A lies.
      let row = select(e % TILE, e / A_PARTS, params.a_inner == 1u);
      let p = 4u * select(e / TILE, e % A_PARTS, params.a_inner == 1u);
      let part = a_part(a_start(batch, first_row + row), first_row + row, start + p);
      for (var c = 0u; c < 4u; c++) {
        a_tile[row * TILE_K + p + c] = Elem(part[c]);
      }
    }
    for (var e = thread; e < TILE_K * B_PARTS; e += WG) {
      let p = 4u * select(e / TILE_K, e % B_PARTS, params.b_column == 1u);
      let k = select(e % TILE_K, e / B_PARTS, params.b_column == 1u);
      let part = b_row(b_start(batch, first_column + p), start + k);
      for (var c = 0u; c < 4u; c++) {
        b_tile[k * TILE + p + c] = Elem(part[c]);
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < TILE_K; k += UNIT_K) {
      var rights: array<Right, COLUMNS>;
      for (var c = 0u; c < COLUMNS; c++) {
        rights[c] = subgroupMatrixLoad<Right, row_major>(&b_tile, k * TILE + strip_column + c * UNIT_N, TILE);
      }
      for (var r = 0u; r < ROWS; r++) {
        let left = subgroupMatrixLoad<Left, row_major>(&a_tile, (strip_row + r * UNIT_M) * TILE_K + k, TILE_K);
        for (var c = 0u; c < COLUMNS; c++) {
          let s = r * COLUMNS + c;
          sums[s] = subgroupMatrixMultiplyAccumulate(left, rights[c], sums[s]);
        }
      }
    }
    workgroupBarrier();
  }
  for (var s = 0u; s < ROWS * COLUMNS; s++) {
    subgroupMatrixStore<row_major>(&sum_tile, strip * UNIT_M * UNIT_N, sums[s], UNIT_N);
    workgroupBarrier();
    for (var e = thread; e < ACROSS * DOWN * UNIT_M * SUM_PARTS; e += WG) {
      let owner = e / (UNIT_M * SUM_PARTS);
      let row = ((owner / ACROSS) * ROWS + s / COLUMNS) * UNIT_M + (e / SUM_PARTS) % UNIT_M;
      let column = ((owner % ACROSS) * COLUMNS + s % COLUMNS) * UNIT_N + 4u * (e % SUM_PARTS);
      let v = vec4<f32>(sum_tile[4u * e], sum_tile[4u * e + 1u], sum_tile[4u * e + 2u], sum_tile[4u * e + 3u]);
      store_row(batch, first_row + row, first_column + column, v);
    }
    workgroupBarrier();
  }
}
