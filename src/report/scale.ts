/** Maps data to pixels along one axis, with the ticks to print. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  toPixel(value: number): number;
}

/** Multiples of 1, 2 or 5 times a power of ten within [low, high], about `count` of them. */
export function niceTicks(low: number, high: number, count = 5): number[] {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0 && Number.isFinite(rough))) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const steps = [1, 2, 5, 10].map((multiple) => multiple * power);
  const farness = (step: number) => Math.abs(Math.log(step / rough));
  const step = steps.reduce((best, other) => (farness(other) < farness(best) ? other : best));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => roundTo((first + i) * step, step));
}

/** Takes floating point dust off a multiple of step. */
function roundTo(value: number, step: number): number {
  const digits = Math.max(0, 1 - Math.floor(Math.log10(step)));
  return digits > 15 ? value : Number(value.toFixed(digits)) + 0;
}

/** The extent of the finite values, widened to whole ticks (about `count`); [0, 1] when there are none. */
export function niceDomain(
  values: Iterable<number>,
  options: { zero?: boolean; count?: number } = {},
): [number, number] {
  let low = options.zero ? 0 : Infinity;
  let high = options.zero ? 0 : -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  if (low === high) return low === 0 ? [0, 1] : [Math.min(0, 2 * low), Math.max(0, 2 * low)];
  const [first, second] = niceTicks(low, high, options.count);
  const step = second === undefined ? high - low : second - first;
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

/** A linear scale from [low, high] to pixels [from, to], with a tick about every `spacing` pixels. */
export function linearScale(domain: readonly [number, number], from: number, to: number, spacing: number): Scale {
  const [low, high] = domain;
  return {
    low,
    high,
    ticks: niceTicks(low, high, Math.max(2, Math.round(Math.abs(to - from) / spacing))),
    toPixel: (value) => from + ((value - low) / (high - low)) * (to - from),
  };
}

/** A tick as text: plain decimals, thousands as k and M, tiny numbers with an exponent. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(4)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(4)}k`;
  if (size > 0 && size < 1e-3) return value.toExponential(0);
  return String(+value.toPrecision(6));
}
