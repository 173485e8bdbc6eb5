// lib: math
// Backward through time of lstm.wgsl in one dispatch, laid out as it is. Each step turns the gradients of h and c into
// those of the gates' arguments, then carries dh = dz U^T to the step before, four units a thread so that what is read of
// dz serves four rows of U. `saved` is what the forward kernel stored.

const WG: u32 = 64;
const UNITS: u32 = 64;
const PER_LANE: u32 = 1;
alias Rows = vec4<f32>;
const ROW_NUMBERS: Rows = Rows(0.0, 1.0, 2.0, 3.0);
const ROWS_EACH: u32 = 4;
const HALVES: u32 = 1;
const ROWS: u32 = HALVES * ROWS_EACH;

struct Params {
  batch: u32,
  time: u32,
  units: u32,
  rows: u32,
  halves: u32,
  backwards: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> kernel: array<f32>;
@group(1) @binding(2) var<storage, read> mask: array<f32>;
@group(1) @binding(3) var<storage, read> saved: array<f32>;
@group(1) @binding(4) var<storage, read> dy: array<f32>;
@group(1) @binding(5) var<storage, read> dcells: array<f32>;
@group(1) @binding(6) var<storage, read_write> dxz: array<f32>;
@group(1) @binding(7) var<storage, read_write> dh0: array<f32>;
@group(1) @binding(8) var<storage, read_write> dc0: array<f32>;

// Gates i, f, g, o of each unit and half.
var<workgroup> dz_tile: array<Rows, 4u * HALVES * UNITS>;
var<workgroup> dh_tile: array<Rows, HALVES * UNITS>;
var<private> sums: array<Rows, 8>;

fn load_kernel4(i: u32) -> vec4<f32> {
  return vec4<f32>(kernel[i], kernel[i + 1u], kernel[i + 2u], kernel[i + 3u]);
}

fn load_mask(i: u32) -> f32 {
  return mask[i];
}

fn load_saved(i: u32) -> f32 {
  return saved[i];
}

fn load_dy(i: u32) -> f32 {
  return dy[i];
}

fn load_dcells(i: u32) -> f32 {
  return dcells[i];
}

fn store_dxz(i: u32, v: f32) {
  dxz[i] = v;
}

fn store_dh0(i: u32, v: f32) {
  dh0[i] = v;
}

fn store_dc0(i: u32, v: f32) {
  dc0[i] = v;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let units = params.units;
  let plane = params.batch * params.time * units;
  let first = min((group.y * groups.x + group.x) * ROWS, params.batch);
  let rows = min(params.rows, params.batch - first);
  var dc_after: array<Rows, HALVES * PER_LANE>;
  for (var s = 0u; s < params.time; s++) {
    let t = select(params.time - 1u - s, s, params.backwards != 0u);
    for (var p = 0u; p * WG + lane < units; p++) {
      let j = p * WG + lane;
      for (var half = 0u; half < params.halves; half++) {
        var dh = dh_tile[HALVES * j + half];
        var dc = dc_after[HALVES * p + half];
        var zi = Rows();
        var zf = Rows();
        var zg = Rows();
        var zo = Rows();
        for (var r = half * ROWS_EACH; r < min(rows, (half + 1u) * ROWS_EACH); r++) {
          let mine = ROW_NUMBERS == Rows(f32(r % ROWS_EACH));
          let step = (first + r) * params.time + t;
          let e = step * units + j;
          var dh_next = dh[r % ROWS_EACH] + load_dy(e);
          var dc_next = dc[r % ROWS_EACH] + load_dcells(e);
          var dz = vec4<f32>();
          if (load_mask(step) > 0.5) {
            let c = load_saved(e + plane);
            let i = load_saved(e + 2u * plane);
            let f = load_saved(e + 3u * plane);
            let g = load_saved(e + 4u * plane);
            let o = load_saved(e + 5u * plane);
            let a = tanh_f(f * c + i * g);
            let d = dc_next + dh_next * o * (1.0 - a * a);
            dz = vec4<f32>(d * g * i * (1.0 - i), d * c * f * (1.0 - f), d * i * (1.0 - g * g), dh_next * a * o * (1.0 - o));
            dc_next = d * f;
            dh_next = 0.0;
          }
          let z = 4u * step * units + j;
          store_dxz(z, dz.x);
          store_dxz(z + units, dz.y);
          store_dxz(z + 2u * units, dz.z);
          store_dxz(z + 3u * units, dz.w);
          zi = select(zi, Rows(dz.x), mine);
          zf = select(zf, Rows(dz.y), mine);
          zg = select(zg, Rows(dz.z), mine);
          zo = select(zo, Rows(dz.w), mine);
          dh = select(dh, Rows(dh_next), mine);
          dc = select(dc, Rows(dc_next), mine);
        }
        let tile = 4u * (HALVES * j + half);
        dz_tile[tile] = zi;
        dz_tile[tile + 1u] = zf;
        dz_tile[tile + 2u] = zg;
        dz_tile[tile + 3u] = zo;
        dh_tile[HALVES * j + half] = dh;
        dc_after[HALVES * p + half] = dc;
      }
    }
    workgroupBarrier();
    // Units beyond the last repeat it; nobody reads their sums.
    for (var k = 4u * lane; k < units; k += 4u * WG) {
      let at = 4u * units * vec4<u32>(k, min(vec3<u32>(k + 1u, k + 2u, k + 3u), vec3<u32>(units - 1u)));
      sums = array<Rows, 8>();
      for (var j = 0u; j < units; j++) {
        let u0 = load_kernel4(at.x + 4u * j);
        let u1 = load_kernel4(at.y + 4u * j);
        let u2 = load_kernel4(at.z + 4u * j);
        let u3 = load_kernel4(at.w + 4u * j);
        let tile = 4u * HALVES * j;
        let i = dz_tile[tile];
        let f = dz_tile[tile + 1u];
        let g = dz_tile[tile + 2u];
        let o = dz_tile[tile + 3u];
        sums[0] += i * u0.x + f * u0.y + g * u0.z + o * u0.w;
        sums[1] += i * u1.x + f * u1.y + g * u1.z + o * u1.w;
        sums[2] += i * u2.x + f * u2.y + g * u2.z + o * u2.w;
        sums[3] += i * u3.x + f * u3.y + g * u3.z + o * u3.w;
        if (HALVES == 2u) {
          let i = dz_tile[tile + 4u];
          let f = dz_tile[tile + 5u];
          let g = dz_tile[tile + 6u];
          let o = dz_tile[tile + 7u];
          sums[4] += i * u0.x + f * u0.y + g * u0.z + o * u0.w;
          sums[5] += i * u1.x + f * u1.y + g * u1.z + o * u1.w;
          sums[6] += i * u2.x + f * u2.y + g * u2.z + o * u2.w;
          sums[7] += i * u3.x + f * u3.y + g * u3.z + o * u3.w;
        }
      }
      for (var half = 0u; half < params.halves; half++) {
        for (var q = 0u; q < 4u; q++) {
          dh_tile[HALVES * (k + q) + half] += sums[4u * half + q];
        }
      }
    }
    workgroupBarrier();
  }
  for (var p = 0u; p * WG + lane < units; p++) {
    let j = p * WG + lane;
    for (var r = 0u; r < rows; r++) {
      let e = (first + r) * units + j;
      store_dh0(e, dh_tile[HALVES * j + r / ROWS_EACH][r % ROWS_EACH]);
      store_dc0(e, dc_after[HALVES * p + r / ROWS_EACH][r % ROWS_EACH]);
    }
  }
}
