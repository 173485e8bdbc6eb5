import { element } from "./svg.ts";

/** Colours that stay apart under the common colour blindnesses, and read on white and on near-black. */
export const colors = {
  blue: "#2f6fdf",
  orange: "#e2711d",
  green: "#17936a",
  purple: "#8a5cd1",
  red: "#d1405b",
  teal: "#1496b4",
  grey: "#8d97a8",
} as const;

export type ColorName = keyof typeof colors;

/** The order in which series take colours. */
export const seriesColors: readonly ColorName[] = ["blue", "orange", "green", "purple", "teal", "red"];

/** Attributes of the parts that turn with the theme: light by default, dark by the style sheet below. */
export const parts = {
  card: { class: "tg-card", fill: "#ffffff", stroke: "#e4e7ec" },
  title: { class: "tg-title", fill: "#101828" },
  text: { class: "tg-text", fill: "#667085" },
  strong: { class: "tg-strong", fill: "#344054" },
  grid: { class: "tg-grid", stroke: "#eef0f4" },
  axis: { class: "tg-axis", stroke: "#c3cad5" },
  halo: { class: "tg-halo", stroke: "#ffffff" },
  whisker: { class: "tg-whisker", stroke: "#344054" },
} as const;

export const fontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif";

/** The parts' colours on a dark page, as style sheet rules. */
export const darkRules = [
  ".tg-card{fill:#14171d;stroke:#2a303b}",
  ".tg-title{fill:#f2f4f7}",
  ".tg-text{fill:#98a2b3}",
  ".tg-strong{fill:#d5dae3}",
  ".tg-grid{stroke:#232833}",
  ".tg-axis{stroke:#485163}",
  ".tg-halo{stroke:#14171d}",
  ".tg-whisker{stroke:#d5dae3}",
].join("");

/**
 * "auto" follows the reader's light or dark setting, "light" stays light (for print and fixed pages).
 * Without a style sheet, as in many converters, both are light.
 */
export type Theme = "auto" | "light";

/** The style element of a plot. */
export function styleOf(theme: Theme): string {
  return theme === "auto" ? element("style", {}, `@media(prefers-color-scheme:dark){${darkRules}}`) : "";
}

/** About how wide text is, in pixels: no font can be measured here, so glyphs count as 0.56 em. */
export const textWidth = (text: string, size: number): number => text.length * size * 0.56;
