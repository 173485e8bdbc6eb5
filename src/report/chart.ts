import { formatTick, linearScale, niceDomain, type Scale } from "./scale.ts";
import { element, escapeText, pathData } from "./svg.ts";
import { type ColorName, colors, fontFamily, parts, seriesColors, styleOf, type Theme, textWidth } from "./theme.ts";

/** One set of points. x and y have the same length; non-finite points break a line. */
export interface Series {
  readonly kind: "line" | "step" | "area" | "points" | "bars";
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Shown in the legend. */
  readonly name?: string;
  readonly color?: ColorName;
  readonly dashed?: boolean;
  /** Radius of each point in pixels (kind "points"), default 3.5. */
  readonly radius?: ArrayLike<number>;
}

/** A straight line across the whole plot at one value. */
export interface Guide {
  readonly axis: "x" | "y";
  readonly at: number;
  readonly label?: string;
  readonly color?: ColorName;
}

/** One marked point with a label beside it. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly label: string;
  readonly color?: ColorName;
}

export interface Axis {
  readonly label: string;
  /** [low, high]; default: the data, widened to whole ticks. */
  readonly domain?: readonly [number, number];
  /** Include 0 in the default domain. */
  readonly zero?: boolean;
  /** Print whole ticks only (epochs, counts). */
  readonly whole?: boolean;
  /** What is written where, instead of round numbers (a transformed axis). */
  readonly ticks?: readonly { readonly at: number; readonly text: string }[];
}

export interface ChartOptions {
  /** A word that names the plot in the markup (`data-plot`). */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly guides?: readonly Guide[];
  readonly marks?: readonly Mark[];
  /** Pixels, default 520 x 360. */
  readonly width?: number;
  readonly height?: number;
  readonly theme?: Theme;
}

const TEXT = 11;
const TITLE = 14;
const PADDING = 18;
/** Pixels between ticks, about. */
const TICK_SPACING = { x: 70, y: 52 };

/** The frame every plot shares: card, title, style, and the plot's own content. SVG text. */
export function frame(
  options: { name: string; title: string; width: number; height: number; theme?: Theme },
  ...content: readonly string[]
): string {
  const { name, title, width, height, theme = "auto" } = options;
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "tilegrad-plot",
      "data-plot": name,
      role: "img",
      "aria-label": title,
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      "font-family": fontFamily,
      "font-size": TEXT,
    },
    styleOf(theme),
    element("rect", { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 10, ...parts.card }),
    label(PADDING, PADDING + TITLE - 1, title, { "font-size": TITLE, "font-weight": 600, ...parts.title }),
    ...content,
  );
}

/** A text element. */
export function label(x: number, y: number, text: string, attributes: Record<string, string | number> = {}): string {
  return element("text", { x, y, ...parts.text, ...attributes }, escapeText(text));
}

/** A line, step, area, point or bar chart with axes, grid and legend, as SVG text. */
export function chart(options: ChartOptions): string {
  const { width = 520, height = 360, series, guides = [], marks = [] } = options;
  const named = series.map((s, i) => ({ ...s, color: s.color ?? seriesColors[i % seriesColors.length] }));
  const legend = legendOf(named, width);
  const guideRow = guides.some((guide) => guide.axis === "x" && guide.label !== undefined) ? TEXT + 4 : 0;
  const top = PADDING + TITLE + 12 + legend.height + 8 + guideRow;
  const bottom = height - 48;
  const valuesOf = (axis: "x" | "y") => named.flatMap((s) => Array.from(s[axis]));
  const count = Math.round((bottom - top) / TICK_SPACING.y);
  const yDomain = options.y.domain ?? niceDomain(valuesOf("y"), { ...options.y, count });
  const xDomain = options.x.domain ?? niceDomain(valuesOf("x"), options.x);
  const y = linearScale(yDomain, bottom, top, TICK_SPACING.y);
  const left = PADDING + 16 + 8 + Math.max(...ticksOf(y, options.y).map(({ text }) => textWidth(text, TEXT)));
  const x = linearScale(xDomain, left, width - PADDING - 6, TICK_SPACING.x);
  const box = { left, right: width - PADDING - 6, top, bottom };
  return frame(
    { ...options, width, height },
    legend.svg,
    axes(x, y, box, options),
    ...guides.map((guide) => guideLine(guide, x, y, box)),
    ...named.map((s) => seriesShape(s, x, y)),
    ...marks.map((mark) => markShape(mark, x, y, box)),
  );
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function axes(x: Scale, y: Scale, box: Box, options: ChartOptions): string {
  const vertical = ticksOf(x, options.x).map((tick) => {
    const at = x.toPixel(tick.at);
    return (
      element("line", { x1: at, x2: at, y1: box.top, y2: box.bottom, ...parts.grid }) +
      label(at, box.bottom + 16, tick.text, { "text-anchor": "middle" })
    );
  });
  const horizontal = ticksOf(y, options.y).map((tick) => {
    const at = y.toPixel(tick.at);
    return (
      element("line", { x1: box.left, x2: box.right, y1: at, y2: at, ...parts.grid }) +
      label(box.left - 8, at + 3.8, tick.text, { "text-anchor": "end" })
    );
  });
  const middle = (box.top + box.bottom) / 2;
  return [
    ...vertical,
    ...horizontal,
    element("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, ...parts.axis }),
    label((box.left + box.right) / 2, box.bottom + 36, options.x.label, { "text-anchor": "middle", ...parts.strong }),
    label(PADDING + 6, middle, options.y.label, {
      "text-anchor": "middle",
      transform: `rotate(-90 ${PADDING + 6} ${middle})`,
      ...parts.strong,
    }),
  ].join("");
}

function ticksOf(scale: Scale, { whole, ticks }: Axis): NonNullable<Axis["ticks"]> {
  const round = whole ? scale.ticks.filter(Number.isInteger) : scale.ticks;
  return ticks ?? round.map((at) => ({ at, text: formatTick(at) }));
}

type Colored = Series & { readonly color: ColorName };

function seriesShape(series: Colored, x: Scale, y: Scale): string {
  const xs = Array.from(series.x, x.toPixel);
  const ys = Array.from(series.y, y.toPixel);
  const color = colors[series.color];
  const stroke = {
    fill: "none",
    stroke: color,
    "stroke-width": series.dashed ? 1.5 : 2,
    "stroke-dasharray": series.dashed ? "5 4" : undefined,
    "stroke-linejoin": "round",
    "stroke-linecap": "round",
  };
  const floor = y.toPixel(Math.max(0, y.low));
  switch (series.kind) {
    case "line":
      // A path of one point draws nothing.
      return xs.length === 1
        ? element("circle", { cx: xs[0], cy: ys[0], r: 3, fill: color })
        : element("path", { d: pathData(xs, ys), ...stroke });
    case "step":
      return element("path", { d: pathData(xs, ys, true), ...stroke });
    case "area": {
      const closed = pathData([xs[0], ...xs, xs[xs.length - 1]], [floor, ...ys, floor], true);
      return element("path", { d: closed, fill: color, "fill-opacity": 0.18, stroke: color, "stroke-width": 1.5 });
    }
    case "points":
      return xs
        .map((px, i) => {
          const shown = Number.isFinite(px) && Number.isFinite(ys[i]);
          return shown ? element("circle", { cx: px, cy: ys[i], r: series.radius?.[i] ?? 3.5, fill: color }) : "";
        })
        .join("");
    case "bars": {
      const wide = xs.length > 1 ? Math.abs(xs[1] - xs[0]) * 0.8 : 40;
      return xs
        .map((px, i) => {
          const [from, to] = [Math.min(ys[i], floor), Math.max(ys[i], floor)];
          return element("rect", { x: px - wide / 2, y: from, width: wide, height: to - from, rx: 1.5, fill: color });
        })
        .join("");
    }
    default:
      return series.kind satisfies never;
  }
}

function guideLine(guide: Guide, x: Scale, y: Scale, box: Box): string {
  const line = { stroke: colors[guide.color ?? "grey"], "stroke-width": 1.5, "stroke-dasharray": "5 4" };
  const strong = { ...parts.strong, "font-weight": 500 };
  if (guide.axis === "x") {
    const at = x.toPixel(guide.at);
    if (at < box.left || at > box.right) return "";
    const text = guide.label ?? "";
    const half = textWidth(text, TEXT) / 2;
    const middle = Math.max(box.left + half, Math.min(box.right - half, at)); // above the plot, and within it
    return (
      element("line", { x1: at, x2: at, y1: box.top - 3, y2: box.bottom, ...line }) +
      (text === "" ? "" : label(middle, box.top - 8, text, { ...strong, "text-anchor": "middle" }))
    );
  }
  const at = y.toPixel(guide.at);
  if (at < box.top || at > box.bottom) return "";
  return (
    element("line", { x1: box.left, x2: box.right, y1: at, y2: at, ...line }) +
    haloed(box.right - 4, at - 6, guide.label ?? "", { ...strong, "text-anchor": "end" })
  );
}

function markShape(mark: Mark, x: Scale, y: Scale, box: Box): string {
  const [cx, cy] = [x.toPixel(mark.x), y.toPixel(mark.y)];
  const leftward = cx > box.left + 0.55 * (box.right - box.left);
  const below = cy < box.top + 0.5 * (box.bottom - box.top);
  const anchor = leftward ? "end" : "start";
  return (
    element("circle", { cx, cy, r: 5.5, fill: colors[mark.color ?? "orange"], "stroke-width": 2, ...parts.halo }) +
    haloed(cx + (leftward ? -10 : 10), cy + (below ? 18 : -10), mark.label, {
      ...parts.strong,
      "font-weight": 600,
      "text-anchor": anchor,
    })
  );
}

/** Text that stays legible over lines: drawn once as a wide outline in the card's colour, then as itself. */
function haloed(x: number, y: number, text: string, attributes: Record<string, string | number>): string {
  if (text === "") return "";
  const outline = { "stroke-width": 4, "stroke-linejoin": "round", fill: "none", ...parts.halo };
  return label(x, y, text, { ...attributes, ...outline }) + label(x, y, text, attributes);
}

/** Named series in rows under the title. */
function legendOf(series: readonly Colored[], width: number): { svg: string; height: number } {
  const [swatch, gap, line] = [16, 18, 18];
  let [column, row] = [PADDING, 0];
  const items: string[] = [];
  for (const { name, color, kind, dashed } of series) {
    if (name === undefined) continue;
    const needed = swatch + 6 + textWidth(name, TEXT);
    if (column > PADDING && column + needed > width - PADDING) [column, row] = [PADDING, row + 1];
    const middle = PADDING + TITLE + 14 + row * line;
    items.push(
      kind === "line" || kind === "step"
        ? element("line", {
            x1: column,
            x2: column + swatch,
            y1: middle,
            y2: middle,
            stroke: colors[color],
            "stroke-width": dashed ? 1.5 : 2.5,
            "stroke-dasharray": dashed ? "5 3" : undefined,
            "stroke-linecap": "round",
          })
        : element("rect", { x: column + 3, y: middle - 5, width: 10, height: 10, rx: 2.5, fill: colors[color] }),
      label(column + swatch + 6, middle + 3.8, name, parts.strong),
    );
    column += needed + gap;
  }
  return { svg: items.join(""), height: items.length === 0 ? 0 : (row + 1) * line };
}
