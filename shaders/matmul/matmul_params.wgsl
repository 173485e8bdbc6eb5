// The numbers of a product, A [batch, m, k] and B [batch, k, n] with any strides.

struct Params {
  batch: u32,
  m: u32,
  n: u32,
  k: u32,
  a_batch: u32,
  a_row: u32,
  a_inner: u32,
  b_batch: u32,
  b_inner: u32,
  b_column: u32,
}
