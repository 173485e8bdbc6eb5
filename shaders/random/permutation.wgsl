// lib: philox
// io: low: u32, high: u32, step: u32 -> y: u32 peek
// A random order of 0 .. count - 1: Fisher-Yates from the back by one thread, element i drawing from counter i; the same
// order as `shuffle` of src/random.ts. Bounded integers by Lemire's method, words rejected where they would be biased.

struct Params {
  count: u32,
  stream: u32,
}

fn random_integer(element: u32, bound: u32, step: u32, key: vec2<u32>) -> u32 {
  let reject = (0u - bound) % bound;
  for (var attempt = 0u; attempt < 64u; attempt++) {
    let words = philox4x32(vec4<u32>(element, attempt, step, params.stream), key);
    for (var w = 0u; w < 4u; w++) {
      if (words[w] * bound >= reject) {
        return mul_hi(words[w], bound);
      }
    }
  }
  return 0u;
}

fn item(_thread: u32) {
  let key = vec2<u32>(load_low(0u), load_high(0u));
  let step = load_step(0u);
  for (var i = 0u; i < params.count; i++) {
    store_y(i, i);
  }
  for (var i = params.count - 1u; i > 0u; i--) {
    let j = random_integer(i, i + 1u, step, key);
    let kept = peek_y(i);
    store_y(i, peek_y(j));
    store_y(j, kept);
  }
}

@compute @workgroup_size(1)
fn main() {
  item(0u);
}
