// lib: operands, matmul_params
// io: a 1|4, b 1|4 -> y 1|4, total
// y [batch, m, n] = a · b on subgroups: a thread holds four columns of the eight rows that its whole workgroup shares; each
// lane fetches A for one row and the others get it by broadcast. Wins on software GPUs, where a load costs far more than
// a product. Needs subgroups of at least LANES lanes. Sums over k in order: the bits of matmul_naive.
// With ONES_ROW, A has one more row, all ones, whose products go to `store_total`: the bias gradient beside the kernel's.
enable subgroups;

const WG: u32 = 32;
const ROWS: u32 = 8;
// Lanes that fetch rows of A: 8, or 4 where subgroups may be that small.
const LANES: u32 = 8;
// Over k one by one instead of by fours: few places that load, for compilers to which each is dear.
const ROLLED: bool = false;

var<private> sums: array<vec4<f32>, ROWS>;

// Adds one column of A times one row of B. Lane r of `low` holds row r; with four lanes, rows 4 to 7 are in `high`.
fn add_product(low: f32, high: f32, row: vec4<f32>) {
  sums[0] += subgroupBroadcast(low, 0u) * row;
  sums[1] += subgroupBroadcast(low, 1u) * row;
  sums[2] += subgroupBroadcast(low, 2u) * row;
  sums[3] += subgroupBroadcast(low, 3u) * row;
  sums[4] += subgroupBroadcast(high, 4u % LANES) * row;
  sums[5] += subgroupBroadcast(high, 5u % LANES) * row;
  sums[6] += subgroupBroadcast(high, 6u % LANES) * row;
  sums[7] += subgroupBroadcast(high, 7u % LANES) * row;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let across = (params.n + 4u * WG - 1u) / (4u * WG);
  let down = (params.m + select(0u, 1u, ONES_ROW) + ROWS - 1u) / ROWS;
  let tile = group.y * groups.x + group.x;
  let column = 4u * (WG * (tile % across) + thread);
  let first_row = ROWS * ((tile / across) % down);
  let batch = tile / (across * down);
  if (batch >= params.batch) {
    return;
  }
  let low_row = first_row + lane % LANES;
  let high_row = first_row + 4u + lane % 4u;
  let low_start = a_start(batch, low_row);
  let high_start = a_start(batch, high_row);
  let columns = b_start(batch, column);
  let count = params.k;
  for (var k = 0u; ROLLED && k < count; k++) {
    let low = a_element(low_start, low_row, k);
    var high = low;
    if (LANES == 4u) {
      high = a_element(high_start, high_row, k);
    }
    add_product(low, high, b_row(columns, k));
  }
  for (var k = 0u; !ROLLED && k < count; k += 4u) {
    let low = a_part(low_start, low_row, k);
    var high = low;
    if (LANES == 4u) {
      high = a_part(high_start, high_row, k);
    }
    let rows = b_rows(columns, k);
    add_product(low.x, high.x, rows[0]);
    add_product(low.y, high.y, rows[1]);
    add_product(low.z, high.z, rows[2]);
    add_product(low.w, high.w, rows[3]);
  }
  // Compilers unroll what counts to ROWS, and with it the hook: three times the time to compile.
  let end = min(first_row + ROWS, params.m + select(0u, 1u, ONES_ROW));
  for (var row = first_row; row < end; row++) {
    store_row(batch, row, column, sums[0]);
    sums = array<vec4<f32>, ROWS>(sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7], sums[0]);
  }
}
