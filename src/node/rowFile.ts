/** Inputs in a temporary file, float32 row by row, beside their labels in memory: what training streams from. */
import { fingerprint } from "../io/fingerprint.ts";
import type { RowSource } from "../train/source.ts";
import type { Scratch } from "./scratch.ts";

/** What is known of rows beside their inputs. */
export interface RowLabels {
  /** [rows], 0 or 1. */
  readonly y: Float32Array;
  /** [rows], at least 0; where a column of weights was named. */
  readonly sampleWeight?: Float32Array;
  /** [rows], at least 0; where a column of amounts was named. */
  readonly amounts?: Float64Array;
}

export interface RowFile extends RowSource, RowLabels {
  readonly fingerprint: string;
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
  labels: RowLabels,
): Promise<RowFile> {
  const { y, sampleWeight } = labels;
  const file = scratch.file();
  const prints: string[] = [];
  for await (const x of pieces) {
    file.append(x);
    prints.push(fingerprint([x]));
  }
  return {
    rows: y.length,
    ...labels,
    fingerprint: fingerprint([new TextEncoder().encode(prints.join(" ")), y, ...(sampleWeight ? [sampleWeight] : [])]),
    async read(start, count) {
      const x = new Float32Array(count * inputs);
      await file.readLater(x, 4 * start * inputs);
      const part = (all: Float32Array): Float32Array => all.subarray(start, start + count);
      return { x, y: part(y), ...(sampleWeight ? { sampleWeight: part(sampleWeight) } : {}) };
    },
  };
}
