// sin(x + quarter * pi / 2): x is reduced to [-pi/4, pi/4] (pi / 2 in three parts, Cody and Waite), then Taylor's series.
// WGSL promises no better than 2^-11 for its own. Right for |x| up to 1e5; beyond, r is kept where the result is within [-1, 1].
fn sin_quarters(x: f32, quarter: i32) -> f32 {
  let turns = round(x * 0.63661977236);
  let reduced = ((x - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.549789948768648e-8;
  let r = clamp(reduced, -0.8, 0.8);
  let z = r * r;
  let s = r * (1.0 + z * (-1.0 / 6.0 + z * (1.0 / 120.0 + z * (-1.0 / 5040.0 + z * (1.0 / 362880.0)))));
  let c = 1.0 + z * (-0.5 + z * (1.0 / 24.0 + z * (-1.0 / 720.0 + z * (1.0 / 40320.0 - z * (1.0 / 3628800.0)))));
  let q = (i32(turns) + quarter) & 3;
  let y = select(1.0, -1.0, (q & 2) != 0) * select(s, c, (q & 1) != 0);
  let bits = bitcast<u32>(x);
  return select(y, bitcast<f32>(bits | 0x7fc00000u), (bits & 0x7f800000u) == 0x7f800000u);
}
