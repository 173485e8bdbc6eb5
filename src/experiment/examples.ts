/** Rows with their labels, in memory or in a temporary file. */

import type { Streaming } from "../cli/stream.ts";
import { joined, joinedLabels, joinedSources, streamedPart } from "../cli/stream.ts";
import type { Preprocessor } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import { targetOf } from "../data/target.ts";
import { transform } from "../data/transform.ts";
import { isStored } from "../node/columnStore.ts";
import type { RowFile, RowLabels } from "../node/rowFile.ts";
import { shuffleInPlace } from "../random.ts";
import type { RowSource } from "../train/source.ts";
import type { RowColumns } from "./rowColumns.ts";
import { rowNumbers } from "./rowColumns.ts";

export interface ArrayPart extends RowLabels {
  /** [rows, inputs], row-major. */
  readonly x: Float32Array;
}

export type Part = ArrayPart | RowFile;

/**
 * Inputs, labels, weights and amounts of some rows, on disk where the table is.
 * @throws E_DATA, E_FILE, E_ABORTED
 */
export async function partOf(
  name: string,
  preprocessor: Preprocessor,
  table: Table,
  list: Uint32Array,
  streaming?: Streaming,
  { sampleWeight, amount }: RowColumns = {},
): Promise<{ readonly part: Part; readonly warnings: readonly string[] }> {
  const labels = (rows: Uint32Array): RowLabels => ({
    y: targetOf(preprocessor, table, rows),
    ...(sampleWeight === undefined
      ? {}
      : { sampleWeight: Float32Array.from(rowNumbers(table, "sampleWeight", sampleWeight, rows)) }),
    ...(amount === undefined ? {} : { amounts: rowNumbers(table, "amount", amount, rows) }),
  });
  if (streaming && isStored(table)) {
    const rows = list.slice().sort();
    return streamedPart(name, preprocessor, table, rows, labels(rows), streaming);
  }
  const { x, warnings } = transform(preprocessor, table, list);
  return { part: { x, ...labels(list) }, warnings };
}

/** The weights of rows that have any, as an option of the metrics. */
export const weightsOf = ({ sampleWeight }: RowLabels): { readonly sampleWeight?: Float32Array } =>
  sampleWeight ? { sampleWeight } : {};

/** The weights and amounts of rows that have any, as options of what chooses or shows thresholds. */
export const pricesOf = (rows: RowLabels): Pick<RowLabels, "sampleWeight" | "amounts"> => ({
  ...weightsOf(rows),
  ...(rows.amounts ? { amounts: rows.amounts } : {}),
});

/** What `predict` takes. */
export const inputsOf = (part: Part): Float32Array | RowSource => ("x" in part ? part.x : part);

const SAMPLE_STREAM = 0x5a_4d_50;

const rowsOf = (y: Float32Array, label: number): Uint32Array =>
  Uint32Array.from(y.keys()).filter((row) => y[row] === label);

/** About `most` rows, with the classes' shares, in memory. */
export async function samplePart(part: Part, inputs: number, most: number, seed: number): Promise<ArrayPart> {
  const { y } = part;
  if (y.length <= most) return "x" in part ? part : ((await part.read(0, y.length)) as ArrayPart);
  // At least one row of each class, however rare.
  const rows = [0, 1].flatMap((label) => {
    const all = shuffleInPlace(rowsOf(y, label), seed, SAMPLE_STREAM, label);
    return [...all.subarray(0, Math.ceil((all.length * most) / y.length))];
  });
  const picked = new Float32Array(rows.length * inputs);
  for (const [i, row] of rows.entries()) {
    const x = "x" in part ? part.x.subarray(row * inputs, (row + 1) * inputs) : (await part.read(row, 1)).x;
    picked.set(x, i * inputs);
  }
  const pick = (all: Float32Array): Float32Array => Float32Array.from(rows, (row) => all[row]);
  return { x: picked, y: pick(y), ...(part.sampleWeight ? { sampleWeight: pick(part.sampleWeight) } : {}) };
}

/** One part after the other. */
export function joinedParts(a: Part, b: Part): Part {
  if (!("x" in a && "x" in b)) return joinedSources(a as RowFile, b as RowFile);
  return { x: joined(a.x, b.x), ...joinedLabels(a, b) };
}
