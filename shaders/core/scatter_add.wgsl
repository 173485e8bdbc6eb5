// io: indices: u32, x -> y
// items: i < params.outputs
// y [rows, inner]: row r is the sum of the rows of x whose index is r, in their order, so that the bits never vary.
// One thread per output element.

struct Params {
  outputs: u32,
  count: u32,
  inner: u32,
}

fn item(i: u32) {
  let row = i / params.inner;
  let column = i % params.inner;
  var total = 0.0;
  for (var k = 0u; k < params.count; k++) {
    if (load_indices(k) == row) {
      total += load_x(k * params.inner + column);
    }
  }
  store_y(i, total);
}
