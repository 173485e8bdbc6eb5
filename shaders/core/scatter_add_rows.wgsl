// io: indices: u32, x -> y
// y [rows, inner]: row r is the sum of the rows of x whose index is r, in their order, so that the bits never vary.
// One workgroup makes ROWS rows of WG columns. It reads the indices TILE at a time, each thread its share, lists those that
// fall into its rows - in order, because every thread knows how many the threads before it found - and adds what they name.
// Each workgroup reads all indices once: for wide rows, where a thread per element would read them once per element.

const WG: u32 = 64;
const ROWS: u32 = 64;
const SHARE: u32 = 8;
const TILE: u32 = WG * SHARE;

struct Params {
  rows: u32,
  count: u32,
  inner: u32,
}

var<workgroup> found: array<u32, WG>;
var<workgroup> list: array<u32, TILE>;

fn falls_inside(row: u32, first: u32) -> bool {
  // A row before the first wraps to a large number.
  let place = row - first;
  return place < ROWS;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let chunks = (params.inner + WG - 1u) / WG;
  let tile = group.y * groups.x + group.x;
  let first = (tile / chunks) * ROWS;
  let column = (tile % chunks) * WG + lane;
  var sums: array<f32, ROWS>;
  for (var start = 0u; start < params.count; start += TILE) {
    let begin = min(start + lane * SHARE, params.count);
    let end = min(begin + SHARE, params.count);
    var mine = 0u;
    for (var k = begin; k < end; k++) {
      mine += select(0u, 1u, falls_inside(load_indices(k), first));
    }
    found[lane] = mine;
    workgroupBarrier();
    var at = 0u;
    var total = 0u;
    for (var other = 0u; other < WG; other++) {
      at += select(0u, found[other], other < lane);
      total += found[other];
    }
    for (var k = begin; k < end; k++) {
      if (falls_inside(load_indices(k), first)) {
        list[at] = k;
        at++;
      }
    }
    workgroupBarrier();
    if (column < params.inner) {
      for (var n = 0u; n < total; n++) {
        let k = list[n];
        sums[load_indices(k) - first] += load_x(k * params.inner + column);
      }
    }
    workgroupBarrier();
  }
  if (column < params.inner) {
    for (var r = 0u; r < min(ROWS, params.rows - min(first, params.rows)); r++) {
      store_y((first + r) * params.inner + column, sums[r]);
    }
  }
}
