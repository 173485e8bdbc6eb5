// lib: operands, matmul_params
// io: a 1|4, b 1|4 -> y 1|4, total
// y [batch, m, n] = a · b by tiles of TILE x TILE x 16 in workgroup memory: of 64, each thread eight rows of four columns, or
// of 128, each eight rows of twice four columns. Wins on hardware GPUs once there are enough tiles to fill them; large tiles
// read half as much, and want four times the work. Sums over k in order: the bits of matmul_naive, unless the compiler
// contracts a product and a sum, as hardware may.
// With ONES_ROW, A has one more row, all ones, whose products go to `store_total`: the bias gradient beside the kernel's.

// TILE / ROWS * TILE / (4 * PARTS).
const WG: u32 = 128;
const TILE: u32 = 64;
const TILE_K: u32 = 16;
// A thread's rows, and fours along each of them.
const ROWS: u32 = 8;
const PARTS: u32 = 1;
// Fours along a row of a tile of A, and of B.
const A_PARTS: u32 = TILE_K / 4;
const B_PARTS: u32 = TILE / 4;
// Threads along a row of the tile, and along a column.
const ACROSS: u32 = B_PARTS / PARTS;
const DOWN: u32 = TILE / ROWS;

var<workgroup> a_tile: array<vec4<f32>, TILE * A_PARTS>;
var<workgroup> b_tile: array<vec4<f32>, TILE_K * B_PARTS>;

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) thread: u32,
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
  // A thread's rows are DOWN apart and its fours ACROSS, so that its neighbours read other banks.
  let lane_part = thread % ACROSS;
  let lane_row = thread / ACROSS;
  var sums: array<vec4<f32>, ROWS * PARTS>;
  for (var start = 0u; start < params.k; start += TILE_K) {
    for (var e = thread; e < TILE * A_PARTS; e += WG) {
      // Neighbouring threads read neighbouring memory, whichever way A lies.
      let row = select(e % TILE, e / A_PARTS, params.a_inner == 1u);
      let p = select(e / TILE, e % A_PARTS, params.a_inner == 1u);
      a_tile[row * A_PARTS + p] = a_part(a_start(batch, first_row + row), first_row + row, start + 4u * p);
    }
    for (var e = thread; e < TILE_K * B_PARTS; e += WG) {
      let p = select(e / TILE_K, e % B_PARTS, params.b_column == 1u);
      let k = select(e % TILE_K, e / B_PARTS, params.b_column == 1u);
      b_tile[k * B_PARTS + p] = b_row(b_start(batch, first_column + 4u * p), start + k);
    }
    workgroupBarrier();
    for (var q = 0u; q < A_PARTS; q++) {
      for (var p = 0u; p < PARTS; p++) {
        let part = 4u * q * B_PARTS + lane_part + p * ACROSS;
        let b0 = b_tile[part];
        let b1 = b_tile[part + B_PARTS];
        let b2 = b_tile[part + 2u * B_PARTS];
        let b3 = b_tile[part + 3u * B_PARTS];
        for (var r = 0u; r < ROWS; r++) {
          let x = a_tile[(r * DOWN + lane_row) * A_PARTS + q];
          let s = r * PARTS + p;
          sums[s] = sums[s] + x.x * b0 + x.y * b1 + x.z * b2 + x.w * b3;
        }
      }
    }
    workgroupBarrier();
  }
  for (var s = 0u; s < ROWS * PARTS; s++) {
    let row = first_row + (s / PARTS) * DOWN + lane_row;
    store_row(batch, row, first_column + 4u * (lane_part + (s % PARTS) * ACROSS), sums[s]);
  }
}
