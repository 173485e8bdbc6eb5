// Functions where WGSL's built-ins lose accuracy - tanh near 0, log near 1, e^x - 1 near 0 -, erf, which it lacks, and IEEE's values
// at the edges, which drivers differ in: NaN, infinities, zeros. These are told by bits: compilers may assume that there are none.

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

// a^b by IEEE 754's rules: 1 if b is 0 or a is 1, whatever the other; a below 0 needs a whole b.
fn pow_f(a: f32, b: f32) -> f32 {
  let size = abs(a);
  let infinity = infinity_f(a);
  let is_whole = b == floor(b);
  let is_odd = is_whole && abs(b) < 16777216.0 && floor(b * 0.5) != b * 0.5;
  // Where a or b leaves no choice but 0, 1 and infinity.
  let is_zero = size < 1.1754944e-38;
  let is_extreme = is_zero || size == infinity || abs(b) == infinity;
  let grows = (size > 1.0) == (b > 0.0);
  let y = select(pow(size, b), select(0.0, infinity, grows), is_extreme);
  let signed = select(y, -y, bitcast<u32>(a) > 0x7fffffffu && is_odd);
  let is_undefined = is_nan_f(a) || is_nan_f(b) || (a < 0.0 && !is_zero && size != infinity && !is_whole);
  let is_one = b == 0.0 || a == 1.0 || (size == 1.0 && abs(b) == infinity);
  return select(select(signed, nan_f(a), is_undefined), 1.0, is_one);
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

// erf: the Maclaurin series for |x| < 1, else 1 - erfc by the rational approximation 7.1.26 of Abramowitz and
// Stegun's handbook (|error| <= 1.5e-7).
fn erf_f(x: f32) -> f32 {
  let a = abs(x);
  let z = a * a;
  let series = 1.1283791671 * a * (1.0 + z * (-1.0 / 3.0 + z * (1.0 / 10.0 + z * (-1.0 / 42.0 + z * (1.0 / 216.0
    + z * (-1.0 / 1320.0 + z * (1.0 / 9360.0 + z * (-1.0 / 75600.0 + z * (1.0 / 685440.0)))))))));
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * select(1.0 - tail * exp(-min(z, 80.0)), series, a < 1.0);
}

// 1 where x is neither infinite nor NaN.
fn is_finite_f(x: f32) -> f32 {
  return select(1.0, 0.0, (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u);
}

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
  return select(nan_f(x), y, is_finite_f(x) == 1.0);
}
