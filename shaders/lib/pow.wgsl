// a^b by IEEE 754's rules: 1 if b is 0 or a is 1, whatever the other; a below 0 needs a whole b.
fn pow_f(a: f32, b: f32) -> f32 {
  let size = abs(a);
  let infinity = bitcast<f32>((bitcast<u32>(a) & 0u) | 0x7f800000u);
  let nan = bitcast<f32>(bitcast<u32>(a) | 0x7fc00000u);
  let is_whole = b == floor(b);
  let is_odd = is_whole && abs(b) < 16777216.0 && floor(b * 0.5) != b * 0.5;
  // Where a or b leaves no choice but 0, 1 and infinity.
  let is_zero = size < 1.1754944e-38;
  let is_extreme = is_zero || size == infinity || abs(b) == infinity;
  let grows = (size > 1.0) == (b > 0.0);
  let y = select(pow(size, b), select(0.0, infinity, grows), is_extreme);
  let signed = select(y, -y, bitcast<u32>(a) > 0x7fffffffu && is_odd);
  let is_invalid = max(bitcast<u32>(size), bitcast<u32>(abs(b))) > 0x7f800000u || (a < 0.0 && !is_zero && size != infinity && !is_whole);
  let is_one = b == 0.0 || a == 1.0 || (size == 1.0 && abs(b) == infinity);
  return select(select(signed, nan, is_invalid), 1.0, is_one);
}
