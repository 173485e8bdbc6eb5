// Where pixels outside an image come from.

// The pixel, of `size` along an axis, that stands for pixel `at`; -1: none, it is zero. Modes: 0 constant,
// 1 nearest (a a a | a b c), 2 reflect (c b a | a b c), 3 wrap (a b c | a b c).
fn pixel_for(at: i32, size: u32, mode: u32) -> i32 {
  let n = i32(size);
  if (mode == 0u) {
    return select(-1, at, at >= 0 && at < n);
  }
  if (mode == 1u) {
    return clamp(at, 0, n - 1);
  }
  let period = select(n, 2 * n, mode == 2u);
  let within = ((at % period) + period) % period;
  return min(within, period - 1 - within) * i32(mode == 2u) + within * i32(mode == 3u);
}
