/** Rows with their labels, in memory or in a temporary file. */
import type { Preprocessor } from "../data/preprocess.ts";
import { transform } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import { targetOf } from "../data/target.ts";
import { isStored } from "../node/columnStore.ts";
import type { RowFile } from "../node/rowFile.ts";
import { shuffleInPlace } from "../random.ts";
import type { RowSource } from "../train/source.ts";
import type { Streaming } from "./stream.ts";
import { joinedSources, streamedPart } from "./stream.ts";

export interface ArrayPart {
  /** [rows, inputs], row-major. */
  readonly x: Float32Array;
  /** [rows], 0 or 1. */
  readonly y: Float32Array;
}

export type Part = ArrayPart | RowFile;

/**
 * Inputs and labels of some rows, on disk where the table is.
 * @throws E_DATA, E_FILE, E_ABORTED
 */
export async function partOf(
  name: string,
  preprocessor: Preprocessor,
  table: Table,
  list: Uint32Array,
  streaming?: Streaming,
): Promise<{ readonly part: Part; readonly warnings: readonly string[] }> {
  if (streaming && isStored(table)) {
    const rows = list.slice().sort();
    return streamedPart(name, preprocessor, table, { rows, y: targetOf(preprocessor, table, rows) }, streaming);
  }
  const { x, warnings } = transform(preprocessor, table, list);
  return { part: { x, y: targetOf(preprocessor, table, list) }, warnings };
}

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
  return { x: picked, y: Float32Array.from(rows, (row) => y[row]) };
}

/** One part after the other. */
export function joinedParts(a: Part, b: Part): Part {
  const join = (first: Float32Array, second: Float32Array): Float32Array => {
    const both = new Float32Array(first.length + second.length);
    both.set(first);
    both.set(second, first.length);
    return both;
  };
  if ("x" in a && "x" in b) return { x: join(a.x, b.x), y: join(a.y, b.y) };
  return joinedSources(a as RowFile, b as RowFile);
}
