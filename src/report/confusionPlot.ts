import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { Confusion } from "../metrics/confusion.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions } from "../options.ts";
import { frame, label } from "./chart.ts";
import { plotOptions } from "./check.ts";
import { element } from "./svg.ts";
import { colors, parts, textWidth } from "./theme.ts";

const confusionPlotOptions = {
  ...plotOptions,
  /** Of the labels 0 and 1. */
  classNames: is.strings as Kind<readonly [string, string]>,
};

export interface ConfusionPlotOptions extends OptionsOf<typeof confusionPlotOptions> {}

/**
 * The four counts as tiles, labels in rows and predictions in columns. A tile is tinted by its share of its row, so
 * that a rare class is as visible as a common one: blue where right, orange where wrong.
 */
export function confusionPlot(confusion: Confusion, options: ConfusionPlotOptions = {}): string {
  const counts = { tn: is.nonNegative, fp: is.nonNegative, fn: is.nonNegative, tp: is.nonNegative };
  checkFields("confusionPlot", confusion, counts, "counts, as confusionMatrix gives");
  const {
    title = "Confusion matrix",
    classNames = ["0", "1"],
    theme,
  } = checkOptions("confusionPlot", options, confusionPlotOptions);
  const { tn, fp, fn, tp } = confusion;
  const nameWidth = Math.max(...classNames.map((name) => textWidth(`label ${name}`, 11)));
  const [left, top, wide, high, gap] = [Math.max(92, 18 + nameWidth + 12), 72, 140, 92, 6];
  const tiles = [[tn, fp] as const, [fn, tp] as const].flatMap((row, i) =>
    row.map((count, j) => {
      const share = row[0] + row[1] > 0 ? count / (row[0] + row[1]) : 0;
      const [x, y] = [left + j * (wide + gap), top + i * (high + gap)];
      const middle = x + wide / 2;
      return (
        element("rect", {
          x,
          y,
          width: wide,
          height: high,
          rx: 6,
          fill: i === j ? colors.blue : colors.orange,
          "fill-opacity": 0.06 + 0.4 * share,
        }) +
        label(middle, y + high / 2 + 1, countText(count), {
          "text-anchor": "middle",
          "font-size": 22,
          "font-weight": 600,
          ...parts.title,
        }) +
        label(middle, y + high / 2 + 22, `${(100 * share).toFixed(1)} % of the row`, {
          "text-anchor": "middle",
          ...parts.strong,
        })
      );
    }),
  );
  const columns = classNames.map((name, j) =>
    label(left + j * (wide + gap) + wide / 2, top - 10, `predicted ${name}`, {
      "text-anchor": "middle",
      ...parts.strong,
    }),
  );
  const rows = classNames.map((name, i) =>
    label(left - 12, top + i * (high + gap) + high / 2 + 4, `label ${name}`, { "text-anchor": "end", ...parts.strong }),
  );
  return frame(
    { name: "confusion", title, width: left + 2 * wide + gap + 30, height: 290, theme },
    ...tiles,
    ...columns,
    ...rows,
  );
}

/** Whole counts with thousands separated, weighted ones to one decimal. */
const countText = (count: number): string =>
  count.toLocaleString("en-US", { maximumFractionDigits: Number.isInteger(count) ? 0 : 1 });
