/** Attributes of an SVG element; numbers are written to 2 decimals, undefined and false are left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** One SVG element as text. Children are SVG text already; text content goes through `escapeText`. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : escapeText(String(value))}"`)
    .join("");
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join("")}</${name}>`;
}

/** Text made safe inside elements and attributes of SVG and HTML. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A number of pixels, to 2 decimals without trailing zeros. */
export const round = (pixels: number): string => String(Math.round(pixels * 100) / 100);

/** Points nearer than this to the last one drawn are left out, in pixels: a million points draw as few thousand. */
const NEAREST = 0.35;

/**
 * Path data through points given in pixels. `step`: horizontal first, then vertical. Non-finite points break the line.
 */
export function pathData(xs: readonly number[], ys: readonly number[], step = false): string {
  let path = "";
  let pen: readonly [number, number] | undefined;
  for (let i = 0; i < xs.length; i++) {
    const [x, y] = [xs[i], ys[i]];
    if (!(Number.isFinite(x) && Number.isFinite(y))) {
      pen = undefined;
      continue;
    }
    if (pen === undefined) path += `M${round(x)} ${round(y)}`;
    else if (i < xs.length - 1 && Math.abs(x - pen[0]) < NEAREST && Math.abs(y - pen[1]) < NEAREST) continue;
    else path += step ? `H${round(x)}V${round(y)}` : `L${round(x)} ${round(y)}`;
    pen = [x, y];
  }
  return path;
}
