// io: x -> y
// items: i < params.outputs
// Reduction of x [outer, reduced, inner] to y [outer, inner], one thread per output: for short sums.

const MAXIMUM: bool = false;

struct Params {
  outputs: u32,
  reduced: u32,
  inner: u32,
}

fn item(i: u32) {
  let start = (i / params.inner) * params.reduced * params.inner + i % params.inner;
  var total = 0.0;
  for (var r = 0u; r < params.reduced; r++) {
    let v = load_x(start + r * params.inner);
    // A maximum with NaN is NaN, which max() may lose.
    let larger = select(v, total, total > v || (bitcast<u32>(total) & 0x7fffffffu) > 0x7f800000u);
    total = select(select(total + v, larger, MAXIMUM), v, r == 0u);
  }
  store_y(i, total);
}
