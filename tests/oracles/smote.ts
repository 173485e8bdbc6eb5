/** SMOTE and its relatives against imbalanced-learn's neighbours, counts and examples. */
import type { Device } from "../../src/device.ts";
import { adasyn, adasynCounts } from "../../src/resample/adasyn.ts";
import { borderlineSmote, borderOf, othersAmong } from "../../src/resample/borderlineSmote.ts";
import { nearestNeighbors } from "../../src/resample/neighbors.ts";
import { smote } from "../../src/resample/smote.ts";
import type { Labelled, Resampled } from "../../src/resample/types.ts";
import { classesOf, take } from "../../src/resample/types.ts";
import type { CaseResult } from "./metrics.ts";

interface Tensor {
  shape: number[];
  data: number[];
}

export interface SmoteCase {
  k: number;
  x: Tensor;
  y: Tensor;
  minority_rows: number[];
  neighbours: Record<string, number[]>;
  neighbour_distances?: Tensor;
  synthetic_needed_to_balance: number;
  imblearn_example?: { rows: Tensor; base?: number[]; neighbour?: number[] };
  not_smote?: { rows: Tensor; why: string[] };
  borderline?: {
    m: number;
    majority_among_m: Record<string, number>;
    danger: number[];
    noise: number[];
    safe: number[];
  } | null;
  adasyn?: { k: number; ratio: Record<string, number>; G: number; per_row: number[]; total: number } | null;
}

const SEEDS = [0, 1, 2];

export async function checkSmote(
  device: Device,
  one: SmoteCase,
  rtol: number,
  atol: number,
): Promise<Omit<CaseResult, "id">> {
  const data: Labelled = { x: Float32Array.from(one.x.data), y: one.y.data };
  const fails = (error: string) => ({ ratio: Infinity, error });
  const classes = classesOf("oracle", data);
  if (!same(classes.minority, one.minority_rows)) return fails(`minority rows ${classes.minority}`);
  const rows = take(classes, classes.minority);
  const found = await nearestNeighbors(device, rows, rows, one.k, { excludeSelf: true });
  for (const [i, row] of one.minority_rows.entries()) {
    const got = Array.from(found.indices.subarray(i * one.k, (i + 1) * one.k), (j) => one.minority_rows[j]);
    if (!same(got, one.neighbours[row])) return fails(`neighbours of row ${row}: ${got}, want ${one.neighbours[row]}`);
  }
  const want = one.neighbour_distances?.data ?? [];
  const ratio = Math.max(0, ...want.map((d, i) => Math.abs(Math.sqrt(found.distances[i]) - d) / (rtol * d)));
  if (!(ratio <= 1)) return fails(`a distance is ${ratio} tolerances off`);

  const checker = new Segments(one, atol);
  const { imblearn_example: example, not_smote: wrong } = one;
  if (example) {
    const bad = checker.firstBad(example.rows.data);
    if (bad >= 0) return fails(`the checker rejects row ${bad} of imbalanced-learn`);
  }
  for (const [i, why] of (wrong?.why ?? []).entries()) {
    const row = (wrong?.rows.data ?? []).slice(i * checker.columns, (i + 1) * checker.columns);
    if (checker.firstBad(row) < 0) return fails(`the checker accepts a row that is ${why}`);
  }
  for (const seed of SEEDS) {
    const made = await smote(data, { device, kNeighbors: one.k, seed });
    const error = checker.judge(made, data, one.synthetic_needed_to_balance, one.minority_rows);
    if (error) return fails(`smote, seed ${seed}: ${error}`);
  }
  const error = (await checkBorderline(device, one, data, checker)) ?? (await checkAdasyn(device, one, data, checker));
  return error ? fails(error) : { ratio };
}

async function checkBorderline(
  device: Device,
  { borderline, minority_rows, k, synthetic_needed_to_balance: needed }: SmoteCase,
  data: Labelled,
  checker: Segments,
): Promise<string | null> {
  if (!borderline) return null;
  const { m, majority_among_m, ...want } = borderline;
  const classes = classesOf("oracle", data);
  const counts = await othersAmong(classes, m, device);
  const wrong = minority_rows.findIndex((row, i) => counts[i] !== majority_among_m[row]);
  if (wrong >= 0) return `row ${minority_rows[wrong]} has ${counts[wrong]} majority rows among its ${m} nearest`;
  const got = await borderOf(classes, m, { device });
  for (const part of ["danger", "noise", "safe"] as const) {
    if (!same(got[part], want[part])) return `${part}: ${got[part]}, want ${want[part]}`;
  }
  const made = await borderlineSmote(data, { device, kNeighbors: k, mNeighbors: m });
  const error = checker.judge(made, data, want.danger.length > 0 ? needed : 0, want.danger);
  return error && `borderlineSmote: ${error}`;
}

async function checkAdasyn(
  device: Device,
  { adasyn: want, minority_rows }: SmoteCase,
  data: Labelled,
  checker: Segments,
): Promise<string | null> {
  if (!want) return null;
  const others = await othersAmong(classesOf("oracle", data), want.k, device);
  const wrong = minority_rows.findIndex((row, i) => Math.abs(others[i] / want.k - want.ratio[row]) > 1e-6);
  if (wrong >= 0) return `adasyn: ratio ${others[wrong] / want.k} of row ${minority_rows[wrong]}`;
  const counts = adasynCounts(others, want.k, want.G);
  if (!same(counts, want.per_row)) return `adasyn: ${counts} samples, want ${want.per_row}`;
  if (want.k !== checker.k) return null;
  const made = await adasyn(data, { device, nNeighbors: want.k });
  const bases = minority_rows.filter((_, i) => counts[i] > 0);
  const error = checker.judge(made, data, want.total, bases);
  return error && `adasyn: ${error}`;
}

/** Which segments a synthetic row may lie on. */
class Segments {
  readonly columns: number;
  readonly k: number;
  private readonly one: SmoteCase;
  private readonly atol: number;

  constructor(one: SmoteCase, atol: number) {
    this.one = one;
    this.atol = atol;
    this.columns = one.x.shape[1];
    this.k = one.k;
  }

  /** Base and lambda of the first segment from one of `bases` that the row lies on. */
  find(row: ArrayLike<number>, bases: readonly number[]): { base: number; lambda: number } | null {
    const at = (r: number, c: number) => this.one.x.data[r * this.columns + c];
    for (const base of bases) {
      for (const neighbor of this.one.neighbours[base]) {
        let along = 0;
        let length = 0;
        for (let c = 0; c < this.columns; c++) {
          const step = at(neighbor, c) - at(base, c);
          along += step * (row[c] - at(base, c));
          length += step * step;
        }
        const lambda = length === 0 ? 0 : Math.min(1, Math.max(0, along / length));
        let worst = 0;
        for (let c = 0; c < this.columns; c++) {
          worst = Math.max(worst, Math.abs(row[c] - (at(base, c) + lambda * (at(neighbor, c) - at(base, c)))));
        }
        if (worst <= this.atol) return { base, lambda };
      }
    }
    return null;
  }

  /** The first row that lies on no segment, or -1. */
  firstBad(rows: readonly number[]): number {
    for (let i = 0; i * this.columns < rows.length; i++) {
      if (!this.find(rows.slice(i * this.columns, (i + 1) * this.columns), this.one.minority_rows)) return i;
    }
    return -1;
  }

  /** What is wrong with a resampled table, if anything. */
  judge({ x, y, source }: Resampled, data: Labelled, needed: number, bases: readonly number[]): string | null {
    const rows = data.y.length;
    if (y.length !== rows + needed) return `${y.length - rows} new rows, want ${needed}`;
    if (!same(x.subarray(0, data.x.length), data.x) || !same(y.subarray(0, rows), data.y)) return "an original changed";
    if (source.some((from, i) => from !== (i < rows ? i : -1))) return "the sources are wrong";
    const rare = data.y[this.one.minority_rows[0]];
    if (y.subarray(rows).some((label) => label !== rare)) return "a new row has the wrong label";
    const found = Array.from({ length: needed }, (_, s) =>
      this.find(x.subarray((rows + s) * this.columns, (rows + s + 1) * this.columns), bases),
    );
    const off = found.indexOf(null);
    if (off >= 0) return `new row ${off} lies on no segment`;
    const lambdas = found.map((segment) => segment?.lambda as number);
    const mean = lambdas.reduce((a, b) => a + b, 0) / needed;
    // Five standard errors of the mean of a uniform number.
    // (With one column, a row lies on segments of many bases.)
    if (needed > 0 && this.columns > 1 && Math.abs(mean - 0.5) > 5 * Math.sqrt(1 / 12 / needed))
      return `lambda is ${mean} in the mean`;
    if (needed >= 20 && bases.length > 1 && new Set(found.map((segment) => segment?.base)).size === 1)
      return "all new rows come from one row";
    return null;
  }
}

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => value === b[i]);
