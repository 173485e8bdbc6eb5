import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { draws, shuffle } from "../random.ts";
import type { Generated } from "./generators.ts";

const strokeDigitsOptions = {
  /** Images; default 200. */
  rows: is.positiveInteger,
  /** Height and width in pixels; default 28. */
  size: is.integerFrom(8),
  /** Standard deviation of the normal noise on every pixel; default 0.05. */
  noise: is.nonNegativeFinite,
  /** How far digits are turned, slanted, stretched and moved, and how pens differ, up to 2; 0 for not at all; default 1. */
  variation: {
    expected: "a number from 0 to 2",
    holds: (v) => is.nonNegative.holds(v) && Number(v) <= 2,
  } as Kind<number>,
  /** Any safe integer; default 0. */
  seed: is.number,
};

export interface StrokeDigitsOptions extends OptionsOf<typeof strokeDigitsOptions> {}

type Point = readonly [x: number, y: number];

/** An arc of an ellipse as points, angles in quarters of a turn, clockwise from the right since y points down. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): Point[] {
  const steps = Math.ceil(6 * Math.abs(to - from));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + (i / steps) * (to - from)) * Math.PI) / 2;
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
  });
}

/** The strokes of each digit within x, y in [-1, 1]. */
const DIGITS: readonly (readonly (readonly Point[])[])[] = [
  [arc(0, 0, 0.6, 0.9, 0, 4)],
  [
    [
      [-0.4, -0.5],
      [0.05, -0.9],
      [0.05, 0.9],
    ],
  ],
  [[...arc(0, -0.4, 0.55, 0.5, -2, 0.4), [-0.55, 0.9], [0.6, 0.9]]],
  [[...arc(-0.05, -0.45, 0.5, 0.45, -1.8, 1)], [...arc(-0.05, 0.45, 0.58, 0.45, -1, 1.8)]],
  [
    [
      [0.3, 0.9],
      [0.3, -0.9],
      [-0.6, 0.35],
      [0.65, 0.35],
    ],
  ],
  [[[0.5, -0.9], [-0.4, -0.9], [-0.45, -0.1], ...arc(-0.02, 0.35, 0.55, 0.55, -1.4, 1.6)]],
  [[[0.35, -0.9], [-0.25, -0.3], ...arc(0, 0.4, 0.52, 0.5, -2, 2)]],
  [
    [
      [-0.55, -0.9],
      [0.55, -0.9],
      [-0.1, 0.9],
    ],
  ],
  [arc(0, -0.45, 0.45, 0.45, 1, 5), arc(0, 0.45, 0.55, 0.45, -1, 3)],
  [[...arc(0, -0.4, 0.5, 0.5, 0, 4), [0.42, 0.3], [0.2, 0.9]]],
];

const STREAM = { shape: 0x6e08, noise: 0x6e09, order: 0x6e0a } as const;
/** Of an image's size: how far digits reach from its centre, and half the width of a stroke. */
const REACH = 0.36;
const HALF_WIDTH = 0.045;

/**
 * Images of the digits 0 to 9 drawn as strokes, each turned, slanted, stretched, moved and drawn with another pen. x is
 * [rows, size · size], row by row, ink 1 on paper 0; y is the digit. All ten are about equally frequent, in random order.
 * @throws E_ARGUMENT for bad options
 */
export function strokeDigits(options: StrokeDigitsOptions = {}): Generated {
  const {
    rows = 200,
    size = 28,
    noise = 0.05,
    variation = 1,
    seed = 0,
  } = checkOptions("strokeDigits", options, strokeDigitsOptions);
  const pixels = size * size;
  const x = new Float32Array(rows * pixels);
  const y = new Float32Array(rows);
  const speckle = draws(seed, STREAM.noise);
  shuffle(rows, seed, STREAM.order, 0).forEach((place, row) => {
    y[row] = place % 10;
    const image = x.subarray(row * pixels, (row + 1) * pixels);
    drawDigit(image, size, y[row], (i) => variation * draws(seed, STREAM.shape, row).normal(i));
    for (let i = 0; noise > 0 && i < pixels; i++) {
      image[i] = Math.min(1, Math.max(0, image[i] + noise * speckle.normal(row * pixels + i)));
    }
  });
  return { x, y, rows, columns: pixels };
}

/** Ink is 1 within half a pen's width of a stroke and fades over a pixel; `vary` gives independent normal numbers. */
function drawDigit(image: Float32Array, size: number, digit: number, vary: (i: number) => number): void {
  const [turn, slant] = [0.12 * vary(0), 0.15 * vary(1)];
  const [wide, high] = [1 + 0.12 * vary(2), 1 + 0.08 * vary(3)].map((scale) => scale * REACH * size);
  const [left, top] = [vary(4), vary(5)].map((move) => size * (0.5 + 0.035 * move) - 0.5);
  const half = Math.max(0.4, HALF_WIDTH * (1 + 0.25 * vary(6)) * size);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const strokes = DIGITS[digit].map((stroke) =>
    stroke.map(([px, py]): Point => {
      const [u, v] = [(px - slant * py) * wide, py * high];
      return [left + cos * u - sin * v, top + sin * u + cos * v];
    }),
  );
  for (const stroke of strokes) {
    for (let i = 1; i < stroke.length; i++) drawLine(image, size, stroke[i - 1], stroke[i], half);
  }
}

function drawLine(image: Float32Array, size: number, [ax, ay]: Point, [bx, by]: Point, half: number): void {
  const [dx, dy] = [bx - ax, by - ay];
  const squared = dx * dx + dy * dy || 1;
  const within = (from: number, to: number): [number, number] => [
    Math.max(0, Math.floor(Math.min(from, to) - half - 1)),
    Math.min(size - 1, Math.ceil(Math.max(from, to) + half + 1)),
  ];
  const [[left, right], [top, bottom]] = [within(ax, bx), within(ay, by)];
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const t = Math.min(1, Math.max(0, ((column - ax) * dx + (row - ay) * dy) / squared));
      const distance = Math.hypot(column - ax - t * dx, row - ay - t * dy);
      const ink = Math.min(1, Math.max(0, half + 0.5 - distance));
      image[row * size + column] = Math.max(image[row * size + column], ink);
    }
  }
}
