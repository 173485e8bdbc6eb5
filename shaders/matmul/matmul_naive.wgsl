// lib: matmul_params
// io: a, b -> y, total
// items: i < params.batch * (params.m + select(0u, 1u, ONES_ROW)) * params.n
// y [batch, m, n] = a · b, one thread per output element. Any strides, so A^T and B^T cost nothing but locality: the
// kernel of last resort, and the best one where n or m is tiny.
// With ONES_ROW, A has one more row, all ones, whose products go to `store_total`: the bias gradient beside the kernel's.

const ONES_ROW: bool = false;

fn item(i: u32) {
  let rows = params.m + select(0u, 1u, ONES_ROW);
  let column = i % params.n;
  let row = (i / params.n) % rows;
  let batch = i / (params.n * rows);
  let count = params.k;
  let a_next = params.a_inner;
  let b_next = params.b_inner;
  // The row of ones reads the last row of A in its place, since one loop for all rows is half the code.
  let ones = ONES_ROW && row == params.m;
  var at_a = batch * params.a_batch + min(row, params.m - 1u) * params.a_row;
  var at_b = batch * params.b_batch + column * params.b_column;
  var sum = 0.0;
  for (var k = 0u; k < count; k++) {
    sum += select(load_a(at_a), 1.0, ones) * load_b(at_b);
    at_a += a_next;
    at_b += b_next;
  }
  if (ones) {
    store_total(batch * params.n + column, sum);
  } else {
    store_y((batch * params.m + row) * params.n + column, sum);
  }
}
