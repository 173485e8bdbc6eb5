/** The decision surface: the network's probability over the plane, its line of indifference, and the data points. */
import type { Frame } from "./canvas.ts";
import { channels, color, drawOn } from "./canvas.ts";
import type { Points } from "./problems.ts";

/** Grid points a side: 64 x 64 is what the trainer predicts in one go. */
const SIDE = 64;
/** How much of a class's colour a probability of 0 or 1 gets. */
const STRENGTH = 0.62;

interface Square {
  readonly left: number;
  readonly bottom: number;
  readonly size: number;
}

export class Surface {
  private points: Points = { x: new Float32Array(), y: new Float32Array(), rows: 0 };
  private square: Square = { left: 0, bottom: 0, size: 1 };
  /** Probabilities at the grid points, [row from the bottom][column]. */
  private field: Float32Array = new Float32Array();
  private readonly image = new OffscreenCanvas(SIDE, SIDE);
  private readonly redraw: () => void;

  constructor(canvas: HTMLCanvasElement) {
    this.redraw = drawOn(canvas, (frame) => this.draw(frame));
  }

  /** Takes the points to show; gives the grid [SIDE * SIDE, 2] over the square around them. */
  frame(points: Points): Float32Array {
    this.points = points;
    this.square = around(points);
    this.field = new Float32Array();
    const { left, bottom, size } = this.square;
    const grid = new Float32Array(2 * SIDE * SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) {
      grid[2 * i] = left + (size * (i % SIDE)) / (SIDE - 1);
      grid[2 * i + 1] = bottom + (size * Math.floor(i / SIDE)) / (SIDE - 1);
    }
    return grid;
  }

  /** Shows the probabilities of the grid's points. */
  show(field: Float32Array = this.field): void {
    this.field = field;
    this.redraw();
  }

  private draw({ context, width, height }: Frame): void {
    context.fillStyle = color("panel");
    context.fillRect(0, 0, width, height);
    if (this.field.length > 0) {
      this.paint();
      context.imageSmoothingQuality = "high";
      // From the middle of the outer pixels on: that is where the outer grid points are.
      context.drawImage(this.image, 0.5, 0.5, SIDE - 1, SIDE - 1, 0, 0, width, height);
      context.strokeStyle = color("strong");
      context.lineWidth = 1.5;
      context.lineCap = "round";
      context.stroke(this.contour(width, height));
    }
    this.dots(context, width, height);
  }

  /** One pixel for each grid point: the panel's colour, turning to that of a class with certainty. */
  private paint(): void {
    const context = this.image.getContext("2d") as OffscreenCanvasRenderingContext2D;
    const pixels = context.createImageData(SIDE, SIDE);
    const panel = channels(color("panel"));
    const classes = [channels(color("class-0")), channels(color("class-1"))];
    this.field.forEach((p, i) => {
      const mix = STRENGTH * Math.abs(2 * p - 1);
      const target = classes[p < 0.5 ? 0 : 1];
      // Image rows run downwards.
      const at = 4 * ((SIDE - 1 - Math.floor(i / SIDE)) * SIDE + (i % SIDE));
      for (let c = 0; c < 3; c++) pixels.data[at + c] = panel[c] + mix * (target[c] - panel[c]);
      pixels.data[at + 3] = 255;
    });
    context.putImageData(pixels, 0, 0);
  }

  /** Where p = 1/2: marching squares with linear interpolation. */
  private contour(width: number, height: number): Path2D {
    const path = new Path2D();
    const at = (column: number, row: number): number => this.field[row * SIDE + column] - 0.5;
    for (let row = 0; row + 1 < SIDE; row++) {
      for (let column = 0; column + 1 < SIDE; column++) {
        const corners = [at(column, row), at(column + 1, row), at(column + 1, row + 1), at(column, row + 1)];
        const crossings = corners.flatMap((a, k) => {
          const b = corners[(k + 1) % 4];
          if (a < 0 === b < 0) return [];
          const t = a / (a - b);
          const [x, y] = [
            [t, 0],
            [1, t],
            [1 - t, 1],
            [0, 1 - t],
          ][k];
          return [[((column + x) / (SIDE - 1)) * width, height - ((row + y) / (SIDE - 1)) * height]];
        });
        for (let k = 0; k + 1 < crossings.length; k += 2) {
          path.moveTo(crossings[k][0], crossings[k][1]);
          path.lineTo(crossings[k + 1][0], crossings[k + 1][1]);
        }
      }
    }
    return path;
  }

  private dots(context: CanvasRenderingContext2D, width: number, height: number): void {
    const { points, square } = this;
    const radius = points.rows <= 16 ? 9 : 4;
    context.lineWidth = points.rows <= 16 ? 2.5 : 1.25;
    context.strokeStyle = color("ring");
    for (let row = 0; row < points.rows; row++) {
      const x = ((points.x[2 * row] - square.left) / square.size) * width;
      const y = height - ((points.x[2 * row + 1] - square.bottom) / square.size) * height;
      context.fillStyle = color(points.y[row] === 1 ? "class-1" : "class-0");
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }
}

/** A square with room around the points. */
function around({ x, rows }: Points): Square {
  const [low, high] = [0, 1].map((fold) => {
    const pick = fold === 0 ? Math.min : Math.max;
    return Array.from({ length: rows }, (_, i) => [x[2 * i], x[2 * i + 1]]).reduce((a, b) => [
      pick(a[0], b[0]),
      pick(a[1], b[1]),
    ]);
  }) as [number[], number[]];
  const size = 1.3 * Math.max(high[0] - low[0], high[1] - low[1]);
  return { left: (low[0] + high[0] - size) / 2, bottom: (low[1] + high[1] - size) / 2, size };
}
