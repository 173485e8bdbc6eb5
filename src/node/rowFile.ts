/** Inputs in a temporary file, float32 row by row, beside their labels in memory: what training streams from. */
import type { Labels } from "../experiment/rows.ts";
import { fingerprint } from "../io/fingerprint.ts";
import type { Data } from "../train/data.ts";
import type { RowSource } from "../train/source.ts";
import type { Scratch } from "./scratch.ts";

/** Rows in a file. */
export interface RowFile extends RowSource {
  readonly fingerprint: string;
  read(start: number, count: number): Promise<Data>;
}

/**
 * Writes the inputs, piece by piece.
 * @param pieces f32 [rows, inputs] of the next rows, row-major
 * @throws E_FILE
 */
export async function writeRows(
  scratch: Scratch,
  inputs: number,
  pieces: Iterable<Float32Array> | AsyncIterable<Float32Array>,
  { y, sampleWeight }: Pick<Labels, "y" | "sampleWeight">,
): Promise<RowFile> {
  const file = scratch.file();
  const prints: string[] = [];
  for await (const x of pieces) {
    file.append(x);
    prints.push(fingerprint([x]));
  }
  return {
    rows: y.length,
    fingerprint: fingerprint([new TextEncoder().encode(prints.join(" ")), y, ...(sampleWeight ? [sampleWeight] : [])]),
    async read(start, count) {
      const x = new Float32Array(count * inputs);
      await file.readLater(x, 4 * start * inputs);
      const part = (all: Float32Array): Float32Array => all.subarray(start, start + count);
      return { x, y: part(y), ...(sampleWeight ? { sampleWeight: part(sampleWeight) } : {}) };
    },
  };
}
