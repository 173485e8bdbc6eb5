/** Lists of rows for training and testing, from a JSON file. */
import { TilegradError } from "../errors.ts";
import type { RowLists } from "../experiment/options.ts";
import { parsePlainJson } from "../io/json.ts";
import { nearest } from "../nearest.ts";
import { readBytes } from "./files.ts";

/** Row lists from FILE#NAME. @throws E_FILE, E_ARGUMENT */
export async function readRowLists(text: string): Promise<RowLists> {
  const at = text.lastIndexOf("#");
  const [file, name] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || name === "") {
    throw new TilegradError("E_ARGUMENT", `\`splits\`: got ${JSON.stringify(text)}; expected FILE#NAME.`, {
      hint: 'The file is JSON: { "NAME": { "train": [rows], "test": [rows] } }, rows being data lines from 0.',
    });
  }
  const splits = Object(parsePlainJson(await readBytes(file), file)) as Record<string, unknown>;
  const isSplit = (key: string): boolean => typeof splits[key] === "object" && splits[key] !== null;
  if (!Object.hasOwn(splits, name) || !isSplit(name)) {
    const known = Object.keys(splits).filter(isSplit);
    const near = nearest(name, known);
    throw new TilegradError(
      "E_FILE",
      `${file}: there is no split ${JSON.stringify(name)}; there are ${known.join(", ") || "none"}.`,
      {
        hint: near ? `Did you mean ${JSON.stringify(near)}?` : "Name one of these after the #.",
      },
    );
  }
  const lists = splits[name] as { train?: unknown; test?: unknown };
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
  return { name: text, train, test };
}
