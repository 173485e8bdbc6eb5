import { TilegradError } from "./errors.ts";

/**
 * Counter-based randomness: every draw is a pure function of (seed, stream, step, element), so dropout masks, shuffles
 * and initial weights are the same on every backend and after a resume.
 *
 * Convention: counter = [block, attempt, step, stream], key = [seed low, seed high]. Element e of a tensor takes word
 * e % 4 of block e / 4 (`shaders/lib/philox.wgsl` does the same); bounded integers take whole blocks, attempt >= 0.
 * Generator: Philox4x32-10 of Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC'11).
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const ROUNDS = 10;

/** The high 32 bits of the 64-bit product of two u32, from 16-bit halves; no sum here exceeds 32 bits. */
export function mulHi(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const carry = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** One block of Philox4x32-10, of counter c0..c3 and key k0, k1, into `out[0..3]`; all are u32. */
export function philoxInto(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHi(M0, c0);
    const low0 = Math.imul(M0, c0);
    const high1 = mulHi(M1, c2);
    const low1 = Math.imul(M1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** A u32 to a float in [0, 1): its top 24 bits, which float32 holds exactly, so CPU and GPU agree to the bit. */
export function uniform01(u: number): number {
  return (u >>> 8) * 2 ** -24;
}

/** Box-Muller: of one pair of u32, an even element is the cosine and an odd one the sine; in [-5.77, 5.77]. */
function normalFrom(u: number, v: number, odd: boolean): number {
  const angle = 2 * Math.PI * uniform01(v);
  return Math.sqrt(-2 * Math.log(1 - uniform01(u))) * (odd ? Math.sin(angle) : Math.cos(angle));
}

/**
 * The Philox key [low, high] of a seed: its 64-bit two's complement, so different safe integers have different keys.
 * @throws E_ARGUMENT when `seed` is not a safe integer.
 */
export function seedKey(seed: number): [number, number] {
  if (!Number.isSafeInteger(seed)) {
    throw new TilegradError("E_ARGUMENT", `seed: got ${String(seed)}; expected an integer within +-(2^53 - 1).`, {
      hint: "Pass a whole number such as 7.",
    });
  }
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/** What is drawn from: no draw outlives the call that fills it. */
const block = new Uint32Array(4);

/** Draws addressed by element within one (seed, stream, step). */
export class Draws {
  private readonly k0: number;
  private readonly k1: number;
  private readonly stream: number;
  private readonly step: number;

  /** @throws E_ARGUMENT for a bad seed */
  constructor(seed: number, stream: number, step: number) {
    [this.k0, this.k1] = seedKey(seed);
    this.stream = stream;
    this.step = step;
  }

  private fill(element: number, attempt: number): void {
    philoxInto(block, element, attempt, this.step, this.stream, this.k0, this.k1);
  }

  /** In [0, 1), of 24 bits. */
  uniform(element: number): number {
    this.fill(element >>> 2, 0);
    return uniform01(block[element & 3]);
  }

  /** Standard normal. */
  normal(element: number): number {
    this.fill(element >>> 2, 0);
    const pair = element & 2;
    return normalFrom(block[pair], block[pair + 1], (element & 1) === 1);
  }

  /** An unbiased integer in [0, bound), 1 <= bound <= 2^32. @throws E_ARGUMENT for another bound */
  integer(element: number, bound: number): number {
    // Lemire, "Fast random integer generation in an interval" (2019): the high word of u * bound is unbiased once the
    // 2^32 mod bound lowest values of the low word are rejected; the next word of the block then has its turn.
    if (!(bound >= 1 && bound <= 2 ** 32)) {
      throw new TilegradError("E_ARGUMENT", `bound: got ${bound}; expected an integer from 1 to 2^32.`);
    }
    const reject = 2 ** 32 % bound;
    for (let attempt = 0; ; attempt++) {
      this.fill(element, attempt);
      for (let word = 0; word < 4; word++) {
        if (bound === 2 ** 32) return block[word];
        if (Math.imul(block[word], bound) >>> 0 >= reject) return mulHi(block[word], bound);
      }
    }
  }
}

/** The draws of (seed, stream, step). @throws E_ARGUMENT for a bad seed */
export const draws = (seed: number, stream: number, step = 0): Draws => new Draws(seed, stream, step);

/**
 * A uniform random order of 0..n-1, u32 [n]: Fisher-Yates from the back, position i drawing from element i.
 * @throws E_ARGUMENT for a bad seed.
 */
export function shuffle(n: number, seed: number, stream: number, step: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  return shuffleInPlace(order, seed, stream, step);
}

/** `shuffle` of the given rows, in place; returns them. */
export function shuffleInPlace(rows: Uint32Array, seed: number, stream: number, step: number): Uint32Array {
  const draw = draws(seed, stream, step);
  for (let i = rows.length - 1; i > 0; i--) {
    const j = draw.integer(i, i + 1);
    const kept = rows[i];
    rows[i] = rows[j];
    rows[j] = kept;
  }
  return rows;
}
