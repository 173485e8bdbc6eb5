// Functions where WGSL's built-ins lose accuracy: tanh near 0, log near 1, e^x - 1 near 0, and erf, which it lacks.

// log(1 + x). For |x| <= 1/2: 2 atanh(x / (2 + x)), a series in s^2 <= 1/9.
fn log1p_f(x: f32) -> f32 {
  let s = x / (2.0 + x);
  let z = s * s;
  let series = 2.0 * s * (1.0 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0
    + z * (1.0 / 11.0 + z * (1.0 / 13.0 + z * (1.0 / 15.0))))))));
  return select(log(1.0 + x), series, x > -0.5 && x <= 1.0);
}

// e^x - 1. For |x| < 1/2 its Taylor series, whose first dropped term is x^9 / 9!.
fn expm1_f(x: f32) -> f32 {
  let series = x * (1.0 + x * (1.0 / 2.0 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0
    + x * (1.0 / 720.0 + x * (1.0 / 5040.0 + x * (1.0 / 40320.0))))))));
  return select(exp(x) - 1.0, series, abs(x) < 0.5);
}

// tanh x = (e^2|x| - 1) / (e^2|x| + 1) with the sign of x; 2|x| > 20 rounds to 1.
fn tanh_f(x: f32) -> f32 {
  let e = expm1_f(min(2.0 * abs(x), 20.0));
  return sign(x) * (e / (e + 2.0));
}

// 1 / (1 + e^-x), from e^-|x| so that nothing overflows.
fn sigmoid_f(x: f32) -> f32 {
  let e = exp(-abs(x));
  let d = 1.0 / (1.0 + e);
  return select(e * d, d, x >= 0.0);
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
fn softplus_f(x: f32) -> f32 {
  return max(x, 0.0) + log1p_f(exp(-abs(x)));
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

// 1 where x is neither infinite nor NaN. By bits: compilers may assume that NaN does not exist.
fn is_finite_f(x: f32) -> f32 {
  return select(1.0, 0.0, (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u);
}

// sin(x + quarter * pi / 2): x is reduced to [-pi/4, pi/4] (pi / 2 in three parts, Cody and Waite), then Taylor's series.
// WGSL promises no better than 2^-11 for its own.
fn sin_quarters(x: f32, quarter: i32) -> f32 {
  let turns = round(x * 0.63661977236);
  let r = ((x - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.549789948768648e-8;
  let z = r * r;
  let s = r * (1.0 + z * (-1.0 / 6.0 + z * (1.0 / 120.0 + z * (-1.0 / 5040.0 + z * (1.0 / 362880.0)))));
  let c = 1.0 + z * (-0.5 + z * (1.0 / 24.0 + z * (-1.0 / 720.0 + z * (1.0 / 40320.0 - z * (1.0 / 3628800.0)))));
  let q = (i32(turns) + quarter) & 3;
  return select(1.0, -1.0, (q & 2) != 0) * select(s, c, (q & 1) != 0);
}
