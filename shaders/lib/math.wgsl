// Functions where WGSL's built-ins lose accuracy (tanh near 0, log near 1, e^x - 1 near 0) and IEEE's values at the edges, which
// drivers differ in. NaN and infinities are told by bits: compilers may assume that there are none.

fn is_nan_f(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// WGSL has no literals for these; x is of any value, so that no compiler works them out beforehand and refuses.
fn infinity_f(x: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(x) & 0u) | 0x7f800000u);
}

fn nan_f(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
}

// log x. Subnormal numbers are scaled up first; 0 gives -infinity, what lies below it NaN.
fn log_f(x: f32) -> f32 {
  let is_small = x < 1.1754944e-38;
  let y = log(x * select(1.0, 4294967296.0, is_small)) - select(0.0, 22.180709777918, is_small);
  let bits = bitcast<u32>(x);
  return select(select(y, -infinity_f(x), x == 0.0), nan_f(x), bits > 0x7f800000u && bits != 0x80000000u);
}

// log(1 + x). For |x| <= 1/2: 2 atanh(x / (2 + x)), a series in s^2 <= 1/9.
fn log1p_f(x: f32) -> f32 {
  let s = x / (2.0 + x);
  let z = s * s;
  let series = 2.0 * s * (1.0 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0
    + z * (1.0 / 11.0 + z * (1.0 / 13.0 + z * (1.0 / 15.0))))))));
  return select(log_f(1.0 + x), series, x > -0.5 && x <= 1.0);
}

// e^x - 1. For |x| < 1/2 its Taylor series, whose first dropped term is x^9 / 9!.
fn expm1_f(x: f32) -> f32 {
  let series = x * (1.0 + x * (1.0 / 2.0 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0
    + x * (1.0 / 720.0 + x * (1.0 / 5040.0 + x * (1.0 / 40320.0))))))));
  return select(select(exp(x) - 1.0, series, abs(x) < 0.5), x, is_nan_f(x));
}

// tanh x = (e^2|x| - 1) / (e^2|x| + 1) with the sign of x; 2|x| > 20 rounds to 1.
fn tanh_f(x: f32) -> f32 {
  let e = expm1_f(min(2.0 * abs(x), 20.0));
  return select(sign(x) * (e / (e + 2.0)), x, is_nan_f(x));
}

// 1 / (1 + e^-x), from e^-|x| so that nothing overflows.
fn sigmoid_f(x: f32) -> f32 {
  let e = exp(-abs(x));
  let d = 1.0 / (1.0 + e);
  return select(e * d, d, x >= 0.0);
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
fn softplus_f(x: f32) -> f32 {
  return select(max(x, 0.0) + log1p_f(exp(-abs(x))), x, is_nan_f(x));
}

// 1 where x is neither infinite nor NaN.
fn is_finite_f(x: f32) -> f32 {
  return select(1.0, 0.0, (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u);
}
