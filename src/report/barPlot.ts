import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { frame, label } from "./chart.ts";
import { checkNamed, plotOptions } from "./check.ts";
import { formatTick } from "./scale.ts";
import { element, round } from "./svg.ts";
import { colors, parts, textWidth } from "./theme.ts";

const barPlotOptions = {
  ...plotOptions,
  /** A word that names the plot in the markup; default "importance". */
  name: is.string,
  /** Bars; default 20. */
  most: is.positiveInteger,
  /** By name. */
  deviations: is.object as Kind<Readonly<Record<string, number>>>,
};

export interface BarPlotOptions extends OptionsOf<typeof barPlotOptions> {}

/**
 * Named values as horizontal bars, largest first, at most `most` of them (importance of columns, counts of classes).
 * Values below 0 are drawn to the left in orange; a thin line shows value plus and minus its deviation.
 */
export function barPlot(values: Readonly<Record<string, number>>, options: BarPlotOptions = {}): string {
  checkNamed("barPlot", values, is.number, "numbers by name");
  const {
    title = "Importance",
    name = "importance",
    most = 20,
    deviations = {},
    theme,
  } = checkOptions("barPlot", options, barPlotOptions);
  const kept = Object.entries(values)
    .sort(([, a], [, b]) => b - a)
    .slice(0, most);
  const [row, top, width, size] = [22, 48, 520, 11];
  const nameWidth = Math.min(180, Math.max(0, ...kept.map(([text]) => textWidth(text, size))));
  const left = 18 + nameWidth + 10;
  const right = width - 18 - 52;
  const deviation = (text: string): number => deviations[text] ?? 0;
  const low = Math.min(0, ...kept.map(([text, value]) => value - deviation(text)));
  const high = Math.max(0, ...kept.map(([text, value]) => value + deviation(text)));
  const toPixel = (value: number) => left + ((value - low) / (high - low || 1)) * (right - left);
  const bars = kept.map(([text, value], i) => {
    const y = top + i * row;
    const [from, to] = [toPixel(Math.min(0, value)), toPixel(Math.max(0, value))];
    const shown = textWidth(text, size) > nameWidth ? `${text.slice(0, 28)}…` : text;
    return (
      label(left - 10, y + 12.5, shown, { "text-anchor": "end", ...parts.strong }) +
      element("rect", {
        x: from,
        y: y + 2,
        width: Math.max(1, to - from),
        height: row - 8,
        rx: 3,
        fill: value < 0 ? colors.orange : colors.blue,
      }) +
      whisker(toPixel(value - deviation(text)), toPixel(value + deviation(text)), y + 2 + (row - 8) / 2) +
      label(Math.max(to, toPixel(value + deviation(text))) + 7, y + 12.5, formatTick(+value.toPrecision(3)))
    );
  });
  return frame({ name, title, width, height: top + kept.length * row + 14, theme }, ...bars);
}

function whisker(from: number, to: number, y: number): string {
  if (to - from < 1) return "";
  const [x1, x2, middle, top, bottom] = [from, to, y, y - 3, y + 3].map(round);
  const d = `M${x1} ${middle}H${x2}M${x1} ${top}V${bottom}M${x2} ${top}V${bottom}`;
  return element("path", { d, fill: "none", ...parts.whisker });
}
