import { frame, label } from "./chart.ts";
import type { PlotOptions } from "./check.ts";
import { formatTick, linearScale, niceDomain } from "./scale.ts";
import { element } from "./svg.ts";
import { colors, parts, textWidth } from "./theme.ts";

/** One thing that was measured several times: its mean, and how far the measurements spread. */
export interface Measured {
  readonly name: string;
  readonly mean: number;
  /** Standard deviation; 0 draws no line. */
  readonly std: number;
}

/**
 * Named means as points on one axis, in the order given, a line reaching a deviation to either side. The axis need not
 * begin at 0, so that small differences show beside their deviations; the first is drawn in another colour.
 */
export function dotPlot(
  measured: readonly Measured[],
  options: PlotOptions & { name?: string; xLabel?: string } = {},
): string {
  const { title = "Comparison", name = "comparison", xLabel = "", theme } = options;
  const [row, top, width, size] = [26, 52, 620, 11];
  const nameWidth = Math.min(240, Math.max(0, ...measured.map((one) => textWidth(one.name, size))));
  const [left, right, bottom] = [18 + nameWidth + 16, width - 18 - 46, top + measured.length * row];
  const ends = measured.flatMap(({ mean, std }) => [mean - std, mean + std]);
  const x = linearScale(niceDomain(ends), left, right, 70);
  const grid = x.ticks.map(
    (tick) =>
      element("line", { x1: x.toPixel(tick), x2: x.toPixel(tick), y1: top - 6, y2: bottom, ...parts.grid }) +
      label(x.toPixel(tick), bottom + 18, formatTick(tick), { "text-anchor": "middle" }),
  );
  const rows = measured.map((one, i) => {
    const y = top + (i + 0.5) * row - 3;
    const stroke = colors[i === 0 ? "orange" : "blue"];
    const [from, to] = [x.toPixel(one.mean - one.std), x.toPixel(one.mean + one.std)];
    const shown = textWidth(one.name, size) > nameWidth ? `${one.name.slice(0, 38)}…` : one.name;
    return (
      label(left - 14, y + 3.8, shown, { "text-anchor": "end", ...parts.strong }) +
      element("line", { x1: from, x2: to, y1: y, y2: y, stroke, "stroke-width": 2.5, "stroke-linecap": "round" }) +
      element("circle", { cx: x.toPixel(one.mean), cy: y, r: 5, fill: stroke, "stroke-width": 1.5, ...parts.halo }) +
      label(right + 12, y + 3.8, one.mean.toFixed(3), parts.strong)
    );
  });
  return frame(
    { name, title, width, height: bottom + 46, theme },
    ...grid,
    element("line", { x1: left, x2: right, y1: bottom, y2: bottom, ...parts.axis }),
    label((left + right) / 2, bottom + 36, xLabel, { "text-anchor": "middle", ...parts.strong }),
    ...rows,
  );
}
