// io: queries 1|4, candidates 1|4, range: u32 -> distances, rows: u32
// items: 4u * i < params.queries
// The K nearest (or farthest) of the candidates first <= j < end to each query, in that order. A thread has 4 queries and
// holds the distances of 8 candidates at a time, and its K best, in registers: a load serves 4 or 8 distances. Columns
// lie one after the other (queries [columns, queries], candidates [columns, candidates]), so that neighbouring threads
// read neighbouring queries, and all of them the same candidates. Squared differences are summed in the order of the
// columns, and of equal distances the lower row wins, so that the order of tiles never shows.

const K: u32 = 1;
// Four queries, or candidates, of a column are a vec4 in memory: load_queries4, or load_candidates4, serves.
const WIDE_QUERIES: bool = false;
const WIDE: bool = false;
const FARTHEST: bool = false;
const NO_ROW: u32 = 0xffffffffu;
const FAR: f32 = 3.4028234663852886e38;

struct Params {
  queries: u32,
  candidates: u32,
  columns: u32,
}

// Beyond the last query or candidate stands that one again, whose distances nobody reads.
fn four_queries(column: u32, first: u32) -> vec4<f32> {
  let start = column * params.queries;
  if (WIDE_QUERIES) {
    return load_queries4(start + first);
  }
  let at = start + min(vec4<u32>(first, first + 1u, first + 2u, first + 3u), vec4<u32>(params.queries - 1u));
  return vec4<f32>(load_queries(at.x), load_queries(at.y), load_queries(at.z), load_queries(at.w));
}

fn four_candidates(column: u32, first: u32) -> vec4<f32> {
  let start = column * params.candidates;
  if (WIDE) {
    return load_candidates4(start + min(first, params.candidates - 4u));
  }
  let at = start + min(vec4<u32>(first, first + 1u, first + 2u, first + 3u), vec4<u32>(params.candidates - 1u));
  return vec4<f32>(load_candidates(at.x), load_candidates(at.y), load_candidates(at.z), load_candidates(at.w));
}

fn least(v: vec4<f32>) -> f32 {
  return min(min(v.x, v.y), min(v.z, v.w));
}

fn item(i: u32) {
  let query = 4u * i;
  let first = load_range(0u);
  let end = min(load_range(1u), params.candidates);
  var best: array<f32, 4u * K>;
  var best_row: array<u32, 4u * K>;
  for (var k = 0u; k < 4u * K; k++) {
    best[k] = FAR;
    best_row[k] = NO_ROW;
  }
  var limits = vec4<f32>(FAR);
  for (var tile = first - first % 4u; tile < end; tile += 8u) {
    // Candidates tile .. tile + 3 and tile + 4 .. tile + 7 of queries 0 .. 3. The values are needed: SwiftShader clears a
    // declaration without one before the first turn only.
    var a0 = vec4<f32>(0.0);
    var a1 = vec4<f32>(0.0);
    var a2 = vec4<f32>(0.0);
    var a3 = vec4<f32>(0.0);
    var b0 = vec4<f32>(0.0);
    var b1 = vec4<f32>(0.0);
    var b2 = vec4<f32>(0.0);
    var b3 = vec4<f32>(0.0);
    for (var column = 0u; column < params.columns; column++) {
      let q = four_queries(column, query);
      let a = four_candidates(column, tile);
      let b = four_candidates(column, tile + 4u);
      a0 += (q.x - a) * (q.x - a);
      a1 += (q.y - a) * (q.y - a);
      a2 += (q.z - a) * (q.z - a);
      a3 += (q.w - a) * (q.w - a);
      b0 += (q.x - b) * (q.x - b);
      b1 += (q.y - b) * (q.y - b);
      b2 += (q.z - b) * (q.z - b);
      b3 += (q.w - b) * (q.w - b);
    }
    var sums = array<vec4<f32>, 8>(a0, b0, a1, b1, a2, b2, a3, b3);
    if (FARTHEST) {
      sums = array<vec4<f32>, 8>(-a0, -b0, -a1, -b1, -a2, -b2, -a3, -b3);
    }
    let lowest = vec4<f32>(
      least(min(sums[0], sums[1])),
      least(min(sums[2], sums[3])),
      least(min(sums[4], sums[5])),
      least(min(sums[6], sums[7])),
    );
    if (all(lowest >= limits)) {
      continue;
    }
    for (var j = 0u; j < 32u; j++) {
      let row = tile + j % 8u;
      let q = j / 8u;
      let distance = sums[j / 4u][j % 4u];
      if (row < first || row >= end || distance >= limits[q]) {
        continue;
      }
      let start = q * K;
      var k = start + K - 1u;
      while (k > start && best[k - 1u] > distance) {
        best[k] = best[k - 1u];
        best_row[k] = best_row[k - 1u];
        k--;
      }
      best[k] = distance;
      best_row[k] = row;
      limits[q] = best[start + K - 1u];
    }
  }
  let live = min(4u, params.queries - query) * K;
  for (var k = 0u; k < live; k++) {
    store_distances(query * K + k, select(best[k], -best[k], FARTHEST));
    store_rows(query * K + k, best_row[k]);
  }
}
