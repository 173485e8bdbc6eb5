// io: compute
// items: i * WIDTH < params.count
// One thread for WIDTH elements; everything it computes is in the hook.

const WIDTH: u32 = 1;

struct Params {
  count: u32,
}

fn item(i: u32) {
  compute(i * WIDTH);
}
