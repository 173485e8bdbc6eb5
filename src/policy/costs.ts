/** What running costs, per family of adapters: figures that the planner decides by. Measured; see bench/README.md. */

/** What running costs on an adapter. */
export interface Costs {
  /** Microseconds that a dispatch costs besides its work. */
  readonly dispatch: number;
  /** Floating point operations per microsecond of the whole device, and of the one workgroup of a resident plan. */
  readonly rate: number;
  readonly residentRate: number;
  /** Microseconds of one stage of a resident plan: its loop and barrier. */
  readonly stage: number;
  /** Bytes of workgroup memory that a resident plan should take at most: SwiftShader takes a second to compile 8 KB. */
  readonly near: number;
}

/** Families of adapters, by what they call themselves; the last is any hardware GPU. */
const families: readonly (readonly [name: RegExp, costs: Costs])[] = [
  [/llvmpipe|lavapipe/i, { dispatch: 40, rate: 10_000, residentRate: 2300, stage: 0.4, near: 32_768 }],
  [/swiftshader/i, { dispatch: 40, rate: 1200, residentRate: 650, stage: 1, near: 4096 }],
  [/software|microsoft basic render/i, { dispatch: 40, rate: 1200, residentRate: 650, stage: 1, near: 4096 }],
  // Published figures and an estimate of one workgroup's share; not measured here.
  [/(?:)/, { dispatch: 5, rate: 1_000_000, residentRate: 20_000, stage: 2, near: 32_768 }],
];

/** @param adapter vendor, architecture, device and description */
export const costsOf = (adapter: string): Costs => (families.find(([name]) => name.test(adapter)) ?? families[3])[1];

/** Microseconds for people: three digits, in the unit that suits them. */
export function timeText(us: number): string {
  const [value, unit] = us < 1000 ? [us, "us"] : us < 1e6 ? [us / 1000, "ms"] : [us / 1e6, "s"];
  return `${Number(value.toPrecision(3))} ${unit}`;
}
