/** Drawing on a canvas that follows its size on the page and the pixels of the screen. */

export interface Frame {
  readonly context: CanvasRenderingContext2D;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** Calls `draw` whenever the canvas changes its size; gives a function that draws anew. */
export function drawOn(canvas: HTMLCanvasElement, draw: (frame: Frame) => void): () => void {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const redraw = (): void => {
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = devicePixelRatio;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.scale(ratio, ratio);
    draw({ context, width, height });
  };
  new ResizeObserver(redraw).observe(canvas);
  return redraw;
}

/** A colour of the style sheet, which knows light from dark. */
export const color = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** "#rrggbb" -> [red, green, blue], each 0 to 255. */
export function channels(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
