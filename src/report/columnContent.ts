/** What a column of a described table holds, in a line. */
import { dateText } from "../data/date.ts";
import type { ColumnDescription } from "../data/describe.ts";

const short = (n: number): string => String(Number(n.toPrecision(5)));

export function columnContent({ kind, range, top = [] }: ColumnDescription): string {
  if (range && kind === "date") return `${dateText(range.min)} .. ${dateText(range.max)}`;
  if (range) return `${short(range.min)} .. ${short(range.max)}, mean ${short(range.mean)}, std ${short(range.std)}`;
  const levels = top.slice(0, 3).map(({ level, count }) => `${level.slice(0, 24)} (${count.toLocaleString("en-US")})`);
  return levels.join(", ");
}
