/** Scalar functions in double precision that JavaScript lacks or that must not overflow. */

export const log1p = Math.log1p;
export const expm1 = Math.expm1;

/** a^b by IEEE 754, where 1^b is 1 for every b, NaN and infinities too, and so is (-1)^(+-Infinity). */
export const pow = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;

/** The upper one of two in the middle. */
export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/** x rounded to f16 (IEEE 754 binary16), ties to even; infinite from 65520 on. */
export function roundToHalf(x: number): number {
  const a = Math.abs(x);
  if (!(a < 65520)) return x * Number.POSITIVE_INFINITY;
  // What its last bit is worth; subnormal numbers have that of the smallest normal one.
  const unit = 2 ** (Math.max(-14, Math.floor(Math.log2(a))) - 10);
  // Doubles from 2^52 on have no fraction.
  return Math.sign(x) * (a / unit + 2 ** 52 - 2 ** 52) * unit;
}

/** The number with the fewest decimal digits (at most 9) among those that f32 rounds to the same: what to print of an f32. */
export function shortestDecimal(x: number): number {
  const rounded = Math.fround(x);
  // Whatever takes fewer digits than 6 is what 6 digits say, with zeros behind it; but of subnormal numbers.
  for (let digits = Math.abs(rounded) < 2 ** -126 ? 1 : 6; digits < 9; digits++) {
    // Above a power of two more numbers round to it than below: one of them may have fewer digits than the nearest.
    for (const near of [rounded, rounded * (1 + 2 ** -25)]) {
      const decimal = Number(near.toPrecision(digits));
      if (Math.fround(decimal) === rounded) return decimal;
    }
  }
  return Number(rounded.toPrecision(9));
}

/** 1 / (1 + e^-x) */
export function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/** log(1 + e^x) */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** The error function: its Maclaurin series up to |x| = 3, beyond it erfc's continued fraction (DLMF 7.6.1, 7.9.3). */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a <= 3) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}
