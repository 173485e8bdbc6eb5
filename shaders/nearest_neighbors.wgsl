// The K nearest (or farthest) of the candidates first <= j < end to each query, in that order: one thread per query, which holds the
// distances of a tile of 16 candidates and its K best in registers. Columns lie one after the other (queries [columns,
// queries], candidates [columns, candidates]), so that neighbouring threads read neighbouring queries, and all of them
// the same four vec4 of candidates. Squared differences are summed in the order of the columns, and of equal distances
// the lower row wins, so that the order of tiles never shows.

const WG: u32 = 64;
const K: u32 = 1;
// Four candidates are neighbours in memory: load_candidates4 serves.
const WIDE: bool = false;
const FARTHEST: bool = false;
const NO_ROW: u32 = 0xffffffffu;
const FAR: f32 = 3.4028234663852886e38;

struct Params {
  queries: u32,
  candidates: u32,
  columns: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> queries: array<f32>;
@group(1) @binding(2) var<storage, read> candidates: array<f32>;
@group(1) @binding(3) var<storage, read> range: array<u32>;
@group(1) @binding(4) var<storage, read_write> distances: array<f32>;
@group(1) @binding(5) var<storage, read_write> rows: array<u32>;

fn load_queries(i: u32) -> f32 {
  return queries[i];
}

fn load_candidates(i: u32) -> f32 {
  return candidates[i];
}

fn load_candidates4(i: u32) -> vec4<f32> {
  return vec4<f32>(candidates[i], candidates[i + 1u], candidates[i + 2u], candidates[i + 3u]);
}

fn load_range(i: u32) -> u32 {
  return range[i];
}

fn store_distances(i: u32, v: f32) {
  distances[i] = v;
}

fn store_rows(i: u32, v: u32) {
  rows[i] = v;
}

fn four(column: u32, first: u32) -> vec4<f32> {
  let start = column * params.candidates;
  if (WIDE) {
    return load_candidates4(start + min(first, params.candidates - 4u));
  }
  let at = start + min(vec4<u32>(first, first + 1u, first + 2u, first + 3u), vec4<u32>(params.candidates - 1u));
  return vec4<f32>(load_candidates(at.x), load_candidates(at.y), load_candidates(at.z), load_candidates(at.w));
}

fn item(query: u32) {
  let first = load_range(0u);
  let end = min(load_range(1u), params.candidates);
  var best: array<f32, K>;
  var best_row: array<u32, K>;
  for (var k = 0u; k < K; k++) {
    best[k] = FAR;
    best_row[k] = NO_ROW;
  }
  var limit = FAR;
  for (var tile = first - first % 4u; tile < end; tile += 16u) {
    // SwiftShader clears a declaration without a value before the first turn only.
    var sums = array<vec4<f32>, 4>();
    for (var column = 0u; column < params.columns; column++) {
      let q = vec4<f32>(load_queries(column * params.queries + query));
      let d0 = q - four(column, tile);
      let d1 = q - four(column, tile + 4u);
      let d2 = q - four(column, tile + 8u);
      let d3 = q - four(column, tile + 12u);
      sums[0] += d0 * d0;
      sums[1] += d1 * d1;
      sums[2] += d2 * d2;
      sums[3] += d3 * d3;
    }
    if (FARTHEST) {
      sums = array<vec4<f32>, 4>(-sums[0], -sums[1], -sums[2], -sums[3]);
    }
    let lowest = min(min(sums[0], sums[1]), min(sums[2], sums[3]));
    if (min(min(lowest.x, lowest.y), min(lowest.z, lowest.w)) >= limit) {
      continue;
    }
    for (var j = 0u; j < 16u; j++) {
      let row = tile + j;
      let distance = sums[j / 4u][j % 4u];
      if (row < first || row >= end || distance >= limit) {
        continue;
      }
      var k = K - 1u;
      while (k > 0u && best[k - 1u] > distance) {
        best[k] = best[k - 1u];
        best_row[k] = best_row[k - 1u];
        k--;
      }
      best[k] = distance;
      best_row[k] = row;
      limit = best[K - 1u];
    }
  }
  for (var k = 0u; k < K; k++) {
    store_distances(query * K + k, select(best[k], -best[k], FARTHEST));
    store_rows(query * K + k, best_row[k]);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * WG + id.x;
  if (i < params.queries) {
    item(i);
  }
}
