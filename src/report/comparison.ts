/** A page with one table and one plot: what was compared, and what came of it. */
import { dotPlot, type Measured } from "./dotPlot.ts";
import { page, plots, section, table, tag } from "./page.ts";

export interface Comparison {
  readonly title: string;
  readonly file: string;
  /** One or two sentences: what follows from it. */
  readonly verdict: string;
  /** How it was measured. */
  readonly method: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The row to be seen first. */
  readonly best?: number;
  readonly plot: ComparisonPlot;
  readonly command: string;
  readonly version: string;
}

/** A point for each thing compared, with its deviation. */
export interface ComparisonPlot {
  readonly title: string;
  readonly measured: readonly Measured[];
}

export const comparisonPlot = ({ title, measured }: ComparisonPlot): string =>
  dotPlot(measured, { title, xLabel: measured.some(({ std }) => std > 0) ? "mean ± deviation" : "", theme: "light" });

/** A self-contained document; `data` lies in it as JSON. */
export function comparisonHtml(found: Comparison, data: unknown): string {
  const { title, file, verdict, method, header, rows, best, plot, command, version } = found;
  return page({
    title: `${title} – ${file}`,
    header: [tag("p class=eyebrow", file), tag("h1", title), tag("p class=verdict", verdict)],
    sections: [
      section("comparison", "What came of it", tag("p", method), plots(comparisonPlot(plot))),
      section("table", "In numbers", table(header, rows, best === undefined ? {} : { strong: best })),
      section("reproduce", "To do it again", tag("pre", command)),
    ],
    footer: `Made by tilegrad ${version}. Everything is in this file; nothing is loaded from elsewhere.`,
    data,
  });
}
