/** What separates the cells of a text. */
import { TilegradError } from "../errors.ts";
import { type CellSink, Tokenizer } from "./tokenize.ts";

const DELIMITERS = [",", ";", "\t", "|"];
/** How much text the delimiter is guessed from, in characters, and how many of its rows are looked at. */
export const SAMPLE = 64 * 1024;
const SAMPLE_ROWS = 50;

/** The delimiter that splits most sampled rows into as many fields (at least 2) as the header has; "," if none does. */
export function detectDelimiter(text: string, whole: boolean): string {
  let best = { delimiter: ",", agreement: 0, fields: 1 };
  const sample = text.slice(0, SAMPLE);
  for (const delimiter of DELIMITERS) {
    const counts = countFields(sample, delimiter, whole && sample.length === text.length);
    const fields = counts[0];
    if (fields < 2) continue;
    const agreement = counts.filter((count) => count === fields).length / counts.length;
    const better = agreement > best.agreement || (agreement === best.agreement && fields > best.fields);
    if (better) best = { delimiter, agreement, fields };
  }
  return best.delimiter;
}

/** The field counts of the sample's first rows: those before a malformed quote, or of the one row that fills it. */
function countFields(text: string, delimiter: string, whole: boolean): number[] {
  const counts: number[] = [];
  let fields = 0;
  const counter: CellSink = {
    cell: () => void fields++,
    endRow: () => {
      counts.push(fields);
      fields = 0;
    },
  };
  const tokenizer = new Tokenizer("sample", delimiter, counter);
  try {
    tokenizer.push(text);
    if (whole) tokenizer.end();
  } catch (error) {
    if (!(error instanceof TilegradError)) throw error; // the real pass reports malformed text
  }
  return counts.length > 0 ? counts.slice(0, SAMPLE_ROWS) : [fields];
}
