// lib: matmul_params
// io: a, b -> y, total
// items: i < TILE * params.batch * ((params.m + select(0u, 1u, ONES_ROW) + TILE - 1u) / TILE) * ((params.n + TILE - 1u) / TILE)
// y [batch, m, n] = a · b, eight threads for a tile of 8 x 8: each fetches one element of A and one of B for every k, keeps a
// column, and gets the eight rows of A by broadcast. Two loads for eight products a thread, and few places that load: for
// resident plans of software GPUs, to which a load is dear, to run and to compile. The threads must be lanes of one subgroup,
// in order. Sums over k in order: the bits of matmul_naive.
// With ONES_ROW, A has one more row, all ones, whose products go to `store_total`: the bias gradient beside the kernel's.
enable subgroups;

const WG: u32 = 8;
const TILE: u32 = 8;
// Whether k is odd.
const K_ODD: bool = false;
const ONES_ROW: bool = false;

var<private> sums: array<f32, TILE>;

// Adds one column of A, a row in each lane, times one element of B. All threads of a tile come here together, which is more
// than a compiler can see.
@diagnostic(off, subgroup_uniformity)
fn add_product(a: f32, b: f32) {
  sums[0] += subgroupBroadcast(a, 0u) * b;
  sums[1] += subgroupBroadcast(a, 1u) * b;
  sums[2] += subgroupBroadcast(a, 2u) * b;
  sums[3] += subgroupBroadcast(a, 3u) * b;
  sums[4] += subgroupBroadcast(a, 4u) * b;
  sums[5] += subgroupBroadcast(a, 5u) * b;
  sums[6] += subgroupBroadcast(a, 6u) * b;
  sums[7] += subgroupBroadcast(a, 7u) * b;
}

fn item(i: u32) {
  let lane = i % TILE;
  let tile = i / TILE;
  let rows = params.m + select(0u, 1u, ONES_ROW);
  let across = (params.n + TILE - 1u) / TILE;
  let down = (rows + TILE - 1u) / TILE;
  let first_row = TILE * ((tile / across) % down);
  let column = TILE * (tile % across) + lane;
  let batch = tile / (across * down);
  // What lies outside A or B is read as its last row or column, and not stored.
  let row_of_ones = ONES_ROW && first_row + lane == params.m;
  var at_a = batch * params.a_batch + min(first_row + lane, params.m - 1u) * params.a_row;
  var at_b = batch * params.b_batch + min(column, params.n - 1u) * params.b_column;
  sums = array<f32, TILE>();
  // By twos: the loop itself takes as long as a product does. Where k is odd the last pair has a zero.
  let pairs = (params.k + select(0u, 1u, K_ODD)) / 2u;
  for (var pair = 0u; pair < pairs; pair++) {
    let half = K_ODD && pair + 1u == pairs;
    let second_a = load_a(at_a + select(params.a_inner, 0u, half));
    let second_b = load_b(at_b + select(params.b_inner, 0u, half));
    add_product(select(load_a(at_a), 1.0, row_of_ones), load_b(at_b));
    add_product(select(select(second_a, 1.0, row_of_ones), 0.0, half), select(second_b, 0.0, half));
    at_a += 2u * params.a_inner;
    at_b += 2u * params.b_inner;
  }
  let end = min(first_row + TILE, rows);
  for (var row = first_row; row < end; row++) {
    if (column < params.n) {
      if (ONES_ROW && row == params.m) {
        store_total(batch * params.n + column, sums[0]);
      } else {
        store_y((batch * params.m + row) * params.n + column, sums[0]);
      }
    }
    sums = array<f32, TILE>(sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7], sums[0]);
  }
}
