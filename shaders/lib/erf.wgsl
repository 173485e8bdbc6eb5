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
