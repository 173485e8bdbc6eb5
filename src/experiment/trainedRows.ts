/** Which rows a model has learned from: saved with it, so that nobody takes its metrics on them for those on new rows. */
import type { Preprocessor } from "../data/preprocess.ts";
import { inputShapeOf } from "../data/preprocess.ts";
import { sizeOf } from "../graph/types.ts";
import { fingerprint } from "../io/fingerprint.ts";
import type { Json } from "../io/json.ts";
import type { Examples } from "./rows.ts";

/** Different rows that are kept: those of the smallest fingerprints, which are as good as drawn at random. */
const KEPT = 256;
/** Hex digits of a fingerprint that count. */
const DIGITS = 12;
/** Rows that are read together. */
const BLOCK = 4096;
/** Rows that are there again and again are no sign, unless each is there as often: from these shares of what is kept on. */
const REPEATED = 0.02;
const SIGN = { unique: 0.02, repeated: 0.98 };
/** Where rows repeat, so many times more of them hold all rows of training by chance. */
const MUCH_MORE = 3;

type Counts = Map<number, number>;

/** How often each of some rows, inputs and label, is there: of those whose fingerprint is less than `limit`. */
async function countsOf(preprocessor: Preprocessor, part: Examples, limit: number): Promise<Counts> {
  const inputs = sizeOf(inputShapeOf(preprocessor));
  const counts: Counts = new Map();
  const rows = part.y.length;
  for (let at = 0; at < rows; at += BLOCK) {
    const size = Math.min(BLOCK, rows - at);
    const x =
      "x" in part
        ? part.x.subarray(at * inputs, (at + size) * inputs)
        : ((await part.read(at, size)).x as Float32Array);
    for (let i = 0; i < size; i++) {
      const row = [x.subarray(i * inputs, (i + 1) * inputs), part.y.subarray(at + i, at + i + 1)];
      const print = Number.parseInt(fingerprint(row).slice(0, DIGITS), 16);
      if (print < limit) counts.set(print, (counts.get(print) ?? 0) + 1);
    }
  }
  return counts;
}

/** What is saved of the rows that were learned from. */
export async function trainedRows(preprocessor: Preprocessor, part: Examples): Promise<Json> {
  const rows = part.y.length;
  const counts = await countsOf(preprocessor, part, Math.min(1, (4 * KEPT) / rows) * 16 ** DIGITS);
  const kept = [...counts].sort(([a], [b]) => a - b).slice(0, KEPT);
  return { rows, prints: kept.map(([print]) => print), counts: kept.map(([, count]) => count) };
}

/** The warning that rows were learned from, if some were. @param saved by `trainedRows`; anything else says nothing */
export async function seenBefore(
  preprocessor: Preprocessor,
  part: Examples,
  saved: Json | undefined,
): Promise<string[]> {
  const { rows, prints, counts } = Object(saved) as { rows?: unknown; prints?: unknown; counts?: unknown };
  if (typeof rows !== "number" || !Array.isArray(prints) || !Array.isArray(counts) || prints.length === 0) return [];
  const here = await countsOf(preprocessor, part, Math.max(...(prints as number[])) + 1);
  const share = (holds: (i: number) => boolean): number => prints.filter((_, i) => holds(i)).length / prints.length;
  const repeats = share((i) => counts[i] > 1) > REPEATED;
  const found = share((i) => (here.get(prints[i]) ?? 0) >= (repeats ? counts[i] : 1));
  if (repeats && part.y.length > MUCH_MORE * rows) return [];
  if (found < (repeats ? SIGN.repeated : SIGN.unique)) return [];
  const much = found > 0.99 ? "the rows" : `about ${Math.round(100 * found)} % of the rows`;
  return [`${much} that the model was trained on are among these: its metrics here are too good.`];
}
