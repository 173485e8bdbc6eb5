/** The loss of each epoch, on a logarithmic axis. */
import type { Frame } from "./canvas.ts";
import { color, drawOn } from "./canvas.ts";

/** Points kept at most; beyond, neighbours are averaged, so that the curve of a long run stays cheap to draw. */
const MOST = 1024;
const MARGIN = { top: 16, right: 64, bottom: 28, left: 48 };

export class LossCurve {
  private values: number[] = [];
  /** Epochs a value stands for. */
  private stride = 1;
  private pending: number[] = [];
  private epochs = 0;
  private goal = 1;
  private readonly redraw: () => void;
  private readonly canvas: HTMLCanvasElement;

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    this.redraw = drawOn(canvas, (frame) => this.draw(frame));
  }

  /** Empties the curve; the axis spans `epochs` epochs until there are more. */
  reset(epochs: number): void {
    this.values = [];
    this.pending = [];
    this.stride = 1;
    this.epochs = 0;
    this.goal = epochs;
    this.show();
  }

  add(losses: readonly number[]): void {
    this.epochs += losses.length;
    for (const loss of losses) {
      this.pending.push(loss);
      if (this.pending.length < this.stride) continue;
      this.values.push(mean(this.pending));
      this.pending = [];
      if (this.values.length < MOST) continue;
      this.values = Array.from({ length: MOST / 2 }, (_, i) => mean(this.values.slice(2 * i, 2 * i + 2)));
      this.stride *= 2;
    }
    this.show();
  }

  show(): void {
    const last = this.values.at(-1);
    const now = last === undefined ? "no epoch yet" : `${last.toPrecision(3)} after ${this.epochs} epochs`;
    this.canvas.ariaLabel = `Curve of the training loss: ${now}`;
    this.redraw();
  }

  private draw({ context, width, height }: Frame): void {
    const { values, stride } = this;
    const left = MARGIN.left;
    const right = width - MARGIN.right;
    const bottom = height - MARGIN.bottom;
    const epochs = Math.max(this.goal, this.epochs);
    const [low, high] = decades(values);
    const xOf = (epoch: number): number => left + ((right - left) * epoch) / epochs;
    const yOf = (loss: number): number =>
      bottom - ((bottom - MARGIN.top) * (Math.log10(Math.max(loss, 1e-12)) - low)) / (high - low);

    context.font = "12px system-ui, sans-serif";
    context.lineWidth = 1;
    context.fillStyle = color("muted");
    context.strokeStyle = color("grid");
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (let decade = low; decade <= high; decade++) {
      const y = Math.round(yOf(10 ** decade)) + 0.5;
      line(context, left, y, right, y);
      context.fillText(decade < -4 ? `1e${decade}` : String(10 ** decade), left - 8, y);
    }
    context.textBaseline = "top";
    context.textAlign = "center";
    for (const epoch of ticks(epochs, width < 320 ? 2 : 4)) {
      context.fillText(epoch.toLocaleString("en-US"), xOf(epoch), bottom + 10);
    }
    if (values.length === 0) {
      context.textBaseline = "middle";
      context.fillText(
        "The loss of each epoch appears here.",
        (left + right) / 2,
        MARGIN.top + (bottom - MARGIN.top) / 4,
      );
      return;
    }

    context.strokeStyle = color("accent");
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    for (const [i, loss] of values.entries()) context.lineTo(xOf((i + 1) * stride), yOf(loss));
    context.stroke();
    const end = { x: xOf(values.length * stride), y: yOf(values[values.length - 1]) };
    context.fillStyle = color("accent");
    context.beginPath();
    context.arc(end.x, end.y, 4, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = color("strong");
    context.font = "600 12px system-ui, sans-serif";
    context.textBaseline = "bottom";
    context.textAlign = "left";
    const label = values[values.length - 1].toPrecision(3);
    context.fillText(label, Math.min(end.x + 6, width - context.measureText(label).width), end.y - 4);
  }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Powers of ten around the values, at least one decade. */
function decades(values: readonly number[]): [number, number] {
  if (values.length === 0) return [-2, 0];
  const low = Math.floor(Math.log10(Math.max(Math.min(...values), 1e-12)));
  const high = Math.ceil(Math.log10(Math.max(...values, 1e-12)));
  return [Math.min(low, high - 1), high];
}

/** Round numbers from 0 to `most`, about `count` steps apart. */
function ticks(most: number, count: number): number[] {
  const raw = most / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, power * ([1, 2, 5, 10].find((f) => f * power >= raw) as number));
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
}

function line(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}
