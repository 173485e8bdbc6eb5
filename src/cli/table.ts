/** CSV and Parquet files as tables, and which of their rows are for what. */
import path from "node:path";
import type { CsvOptions } from "../data/csv.ts";
import { readCsv } from "../data/csv.ts";
import { stratifiedSplit } from "../data/splits.ts";
import type { Table } from "../data/table.ts";
import { rowList } from "../data/table.ts";
import type { Target } from "../data/target.ts";
import { targetOf } from "../data/target.ts";
import { TilegradError } from "../errors.ts";
import { parsePlainJson } from "../io/json.ts";
import { nearest } from "../nearest.ts";
import { openBytes } from "../node/byteStream.ts";
import { fileError, readBytes } from "../node/files.ts";
import { isParquet, readParquet } from "../node/parquet.ts";
import { print } from "./terminal/terminal.ts";

/** Reads a file as a stream; says what a user should know of it. @throws E_FILE, E_DATA, E_ABORTED */
export async function readTable(
  file: string,
  options: CsvOptions & { signal?: AbortSignal; quiet?: boolean } = {},
): Promise<Table> {
  const { quiet = false, ...rest } = options;
  if (isParquet(file)) return readParquet(file, rest);
  try {
    const { table, notes } = await readCsv(openBytes(file).bytes, { name: path.basename(file), ...rest });
    if (!quiet) for (const note of notes) print(`note: ${note}`);
    return table;
  } catch (error) {
    throw fileError(error, "read", file);
  }
}

/** Row lists from FILE#NAME. @throws E_FILE, E_ARGUMENT */
export async function readSplits(text: string): Promise<{ train: number[]; test: number[] }> {
  const at = text.lastIndexOf("#");
  const [file, name] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || name === "") {
    throw new TilegradError("E_ARGUMENT", `--splits: got ${JSON.stringify(text)}; expected FILE#NAME.`, {
      hint: 'The file is JSON: { "NAME": { "train": [rows], "test": [rows] } }, rows being data lines from 0.',
    });
  }
  const splits = parsePlainJson(await readBytes(file), file) as Record<string, unknown> | null;
  const found = typeof splits === "object" && splits !== null && Object.hasOwn(splits, name) ? splits[name] : undefined;
  if (found === undefined) {
    const known = Object.keys(splits ?? {}).filter((key) => typeof splits?.[key] === "object");
    const near = nearest(name, known);
    throw new TilegradError(
      "E_FILE",
      `${file}: there is no split ${JSON.stringify(name)}; there are ${known.join(", ") || "none"}.`,
      {
        hint: near ? `Did you mean ${JSON.stringify(near)}?` : "Name one of these after the #.",
      },
    );
  }
  const lists = found as { train?: unknown; test?: unknown };
  const list = (part: "train" | "test"): number[] => {
    const rows: unknown = lists[part];
    if (Array.isArray(rows) && rows.length > 0 && rows.every((row) => Number.isInteger(row) && row >= 0)) return rows;
    throw new TilegradError("E_FILE", `${file}#${name}: "${part}" is not a list of row numbers.`, {
      hint: "Rows are the file's data lines, counted from 0.",
    });
  };
  const [train, test] = [list("train"), list("test")];
  const seen = new Set<number>();
  for (const row of [...train, ...test]) {
    if (seen.has(row)) {
      throw new TilegradError("E_FILE", `${file}#${name}: row ${row} is listed twice; expected each row once.`, {
        hint: "A row that is both in train and test would make the test metrics too good.",
      });
    }
    seen.add(row);
  }
  return { train, test };
}

/** Rows of a table by their use. */
export interface Rows {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

/** The rows without a share of them, and that share. */
export function divide(
  table: Table,
  target: Target,
  rows: Uint32Array,
  share: number,
  seed: number,
): [Uint32Array, Uint32Array] {
  if (share === 0) return [rows, new Uint32Array(0)];
  const y = targetOf(target, table, rows);
  checkEnough(table, target, y, targetOf(target, table, rowList(table)));
  const parts = stratifiedSplit(y, { fractions: { train: 1 - share, test: share }, seed });
  const pick = (places: Uint32Array): Uint32Array => places.map((place) => rows[place]);
  return [pick(parts.train), pick(parts.test)];
}

/** @throws E_DATA unless both parts can have a row of each class */
function checkEnough(
  { name }: Table,
  { name: column, positive, negative }: Target,
  y: Float32Array,
  all: Float32Array,
): void {
  for (const [value, labels] of [
    [1, [positive]],
    [0, negative],
  ] as const) {
    const rowsIn = (part: Float32Array) => part.reduce((n, label) => n + (label === value ? 1 : 0), 0);
    const [rows, total] = [rowsIn(y), rowsIn(all)];
    if (rows >= 2) continue;
    const left = total > rows ? ` (the others of its ${total} are in another part)` : "";
    const got = `${column} = ${labels.join(" or ")} has ${rows === 1 ? "1 row" : "no row"} to divide${left}`;
    throw new TilegradError("E_DATA", `${name}: ${got}; expected at least 2, one for each part.`, {
      hint: "Bring more rows of this label, or leave a part out: --test 0 or --validation 0.",
    });
  }
}
