// io: x -> y
// Reduction of x [outer, reduced, inner] to y [outer, inner], one workgroup per output: each thread takes every WG-th
// element, then a tree of fixed shape in workgroup memory. The order of the sum depends on the shape alone.

const WG: u32 = 64;
const MAXIMUM: bool = false;

struct Params {
  outputs: u32,
  reduced: u32,
  inner: u32,
}

var<workgroup> partial: array<f32, WG>;

// A maximum with NaN is NaN, which max() may lose.
fn combine(a: f32, b: f32) -> f32 {
  return select(a + b, select(b, a, a > b || (bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u), MAXIMUM);
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let i = group.y * groups.x + group.x;
  let live = i < params.outputs;
  let start = (i / params.inner) * params.reduced * params.inner + i % params.inner;
  var total = select(0.0, bitcast<f32>((lane & 0u) | 0xff800000u), MAXIMUM);
  if (live) {
    for (var r = lane; r < params.reduced; r += WG) {
      total = combine(total, load_x(start + r * params.inner));
    }
  }
  partial[lane] = total;
  // A loop whose end compilers do not know: unrolled, it takes twice as long to compile.
  for (var half = WG / 2u; half * params.outputs > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] = combine(partial[lane], partial[lane + half]);
    }
  }
  if (live && lane == 0u) {
    store_y(i, partial[0]);
  }
}
