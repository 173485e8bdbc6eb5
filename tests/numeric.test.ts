import { expect, it } from "vitest";
import { shortestDecimal } from "../src/numeric.ts";
import { draws } from "../src/random.ts";

it("gives the decimal of fewest digits that is the same f32", () => {
  const bits = new Uint32Array(1);
  const asFloat = new Float32Array(bits.buffer);
  const powers = Array.from({ length: 254 }, (_, i) => 2 ** (i - 126));
  const any = Array.from({ length: 500 }, (_, i) => {
    bits[0] = draws(1, 2, i).integer(0, 0x7f7fffff);
    return asFloat[0];
  });
  const scores = Array.from({ length: 500 }, (_, i) => Math.fround(draws(1, 3, i).uniform(0)));
  for (const x of [0, 0.1, 0.7, 1 / 3, 2 ** -149, 1 - 2 ** -24, ...powers, ...any, ...scores].map(Math.fround)) {
    const decimal = shortestDecimal(x);
    expect(Math.fround(decimal)).toBe(x);
    const digits = digitsOf(decimal);
    expect(digits).toBeLessThanOrEqual(9);
    if (digits === 1) continue;
    // None with a digit less, on either side.
    const near = Number(x.toPrecision(digits - 1));
    const unit = 10 ** (Math.floor(Math.log10(x)) - digits + 2);
    for (const other of [near - unit, near, near + unit]) expect(Math.fround(other)).not.toBe(x);
  }
  expect([0.1, 0.7, 1e-7, 2 ** -24].map((x) => shortestDecimal(Math.fround(x)))).toEqual([
    0.1, 0.7, 1e-7, 5.9604645e-8,
  ]);
});

const digitsOf = (decimal: number): number =>
  decimal.toExponential().split("e")[0].replace(".", "").replace("-", "").length;
