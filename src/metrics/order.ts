import type { NumberList } from "./check.ts";

/** Below this many rows a comparison sort is faster than clearing the radix counters. */
const RADIX_FROM = 1 << 13;
const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;

/**
 * Row numbers by descending score, ties by ascending row number. Scores must be finite.
 *
 * Many rows are sorted by least-significant-digit radix over the 64 bits of each score: four linear passes, of
 * which those over digits that never vary (the low bits of float32 scores) are skipped.
 */
export function descendingOrder(scores: NumberList): Uint32Array {
  const n = scores.length;
  let order = Uint32Array.from({ length: n }, (_, i) => i);
  if (n < RADIX_FROM) return order.sort((a, b) => scores[b] - scores[a] || a - b);

  const { high, low } = descendingKeys(scores);
  const count = new Uint32Array(DIGITS);
  let next = new Uint32Array(n);
  for (const [key, shift] of [
    [low, 0],
    [low, DIGIT_BITS],
    [high, 0],
    [high, DIGIT_BITS],
  ] as const) {
    count.fill(0);
    for (let i = 0; i < n; i++) count[(key[i] >>> shift) & (DIGITS - 1)]++;
    if (count[(key[0] >>> shift) & (DIGITS - 1)] === n) continue;
    for (let d = 0, start = 0; d < DIGITS; d++) {
      const rows = count[d];
      count[d] = start;
      start += rows;
    }
    for (let k = 0; k < n; k++) {
      const i = order[k];
      next[count[(key[i] >>> shift) & (DIGITS - 1)]++] = i;
    }
    [order, next] = [next, order];
  }
  return order;
}

/** 64-bit unsigned keys, as two halves, that ascend as the scores descend. */
function descendingKeys(scores: NumberList): { high: Uint32Array; low: Uint32Array } {
  const n = scores.length;
  const high = new Uint32Array(n);
  const low = new Uint32Array(n);
  const value = new Float64Array(1);
  const bits = new Uint32Array(value.buffer); // [low, high]: every JavaScript engine in use is little-endian
  for (let i = 0; i < n; i++) {
    value[0] = scores[i] + 0; // -0 becomes 0, which it ties with
    const negative = bits[1] >>> 31 === 1;
    high[i] = negative ? bits[1] : ~bits[1] & 0x7fffffff;
    low[i] = negative ? bits[0] : ~bits[0];
  }
  return { high, low };
}
