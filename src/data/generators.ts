import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, show } from "../options.ts";
import { type Draws, draws, shuffle } from "../random.ts";
import type { Floats } from "../values.ts";

/** A generated problem: x f32 [rows, columns], row-major; y f32 [rows], class numbers from 0. */
export interface Generated {
  x: Floats;
  y: Floats;
  rows: number;
  columns: number;
}

const shapeOptions = {
  /** Default 200. */
  rows: is.integerFrom(2),
  /** Standard deviation of the normal noise on every coordinate; default 0.1. */
  noise: is.nonNegativeFinite,
  /** Any safe integer; default 0. */
  seed: is.number,
};

export interface ShapeOptions extends OptionsOf<typeof shapeOptions> {}

const circlesOptions = {
  ...shapeOptions,
  /** Radius of the inner circle; default 0.5. */
  factor: is.properFraction,
};

export interface CirclesOptions extends OptionsOf<typeof circlesOptions> {}

const spiralsOptions = {
  ...shapeOptions,
  /** Rounds of each arm; default 1.5. */
  turns: is.positiveFinite,
};

export interface SpiralsOptions extends OptionsOf<typeof spiralsOptions> {}

const blobsOptions = {
  ...shapeOptions,
  /** Points of equal dimension, one for each class; default (-2, -2) and (2, 2). */
  centers: is.list as Kind<readonly (readonly number[])[]>,
};

export interface BlobsOptions extends OptionsOf<typeof blobsOptions> {}

/** Random streams: one per thing drawn, so that no option changes what the others draw. */
const STREAM = { place: 0x6e01, noise: 0x6e02, order: 0x6e03, label: 0x6e04, mixing: 0x6e05 } as const;

/** The four corners (0 or 1) in turn, class 1 where they differ; 4 rows and no noise by default. @throws E_ARGUMENT */
export function xor(options: ShapeOptions = {}): Generated {
  checkOptions("xor", options, shapeOptions);
  const corners = [0, 1, 2, 3].map((corner) => ({
    point: [corner >> 1, corner & 1],
    label: (corner >> 1) ^ (corner & 1),
  }));
  return generate({ rows: 4, noise: 0, ...options }, (row) => corners[row % 4]);
}

/** Two interleaving half circles of radius 1, as scikit-learn's make_moons. @throws E_ARGUMENT */
export function moons(options: ShapeOptions = {}): Generated {
  checkOptions("moons", options, shapeOptions);
  return generate(options, (row, place) => {
    const angle = Math.PI * place.uniform(row);
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    return row % 2 === 0 ? { point: [x, y], label: 0 } : { point: [1 - x, 0.5 - y], label: 1 };
  });
}

/** A circle of radius 1 (class 0) around one of radius `factor` (class 1). @throws E_ARGUMENT */
export function circles(options: CirclesOptions = {}): Generated {
  const { factor = 0.5 } = checkOptions("circles", options, circlesOptions);
  return generate(options, (row, place) => {
    const angle = 2 * Math.PI * place.uniform(row);
    const radius = row % 2 === 0 ? 1 : factor;
    return { point: [radius * Math.cos(angle), radius * Math.sin(angle)], label: row % 2 };
  });
}

/** Two spiral arms of radius 0 to 1 and `turns` rounds, half a round apart. @throws E_ARGUMENT */
export function spirals(options: SpiralsOptions = {}): Generated {
  const { turns = 1.5 } = checkOptions("spirals", options, spiralsOptions);
  return generate({ noise: 0.02, ...options }, (row, place) => {
    const radius = Math.sqrt(place.uniform(row)); // even along the arm, not crowded at its centre
    const angle = 2 * Math.PI * (turns * radius + (row % 2) / 2);
    return { point: [radius * Math.cos(angle), radius * Math.sin(angle)], label: row % 2 };
  });
}

/** Normal clouds of deviation `noise` (default 1) around `centers`. @throws E_ARGUMENT */
export function blobs(options: BlobsOptions = {}): Generated {
  const {
    centers = [
      [-2, -2],
      [2, 2],
    ],
  } = checkOptions("blobs", options, blobsOptions);
  const width = Array.isArray(centers[0]) ? centers[0].length : 0;
  const even =
    width > 0 &&
    centers.every((center) => Array.isArray(center) && center.length === width && center.every(Number.isFinite));
  if (!even) {
    throw new TilegradError("E_ARGUMENT", `blobs: got centers ${show(centers)}; expected points of equal dimension.`);
  }
  return generate({ noise: 1, ...options }, (row) => {
    const label = row % centers.length;
    return { point: centers[label], label };
  });
}

const classificationOptions = {
  /** Default 1000. */
  rows: is.integerFrom(2),
  /** Columns that tell the classes apart; default 5. */
  informative: is.positiveInteger,
  /** Columns that are linear mixtures of the informative ones; default 2. */
  redundant: is.integerFrom(0),
  /** Columns of pure noise; default 3. */
  useless: is.integerFrom(0),
  /** Share of class 1 before label noise; default 0.5. */
  prevalence: is.properFraction,
  /** Share of labels that are then drawn anew by a fair coin; default 0.01. */
  labelNoise: is.share,
  /** Twice the distance of each cloud's centre from the origin, in standard deviations; default 3. */
  separation: is.nonNegativeFinite,
  /** Any safe integer; default 0. */
  seed: is.number,
};

export interface ClassificationOptions extends OptionsOf<typeof classificationOptions> {}

/**
 * A two-class table: columns are informative, redundant, useless, in this order. Each class is two normal clouds. Of
 * the informative columns the first tells the class, the 2nd, 4th ... tell the cloud and the 3rd, 5th ... whether class
 * and cloud agree (a XOR), so that a linear model finds only part of it.
 * Rows come in random order; exactly round(prevalence * rows) are of class 1 before label noise.
 * @throws E_ARGUMENT for options out of range.
 */
export function makeClassification(options: ClassificationOptions = {}): Generated {
  checkOptions("makeClassification", options, classificationOptions);
  const { rows = 1000, informative = 5, redundant = 2, useless = 3, seed = 0 } = options;
  const { prevalence = 0.5, labelNoise = 0.01, separation = 3 } = options;
  const columns = informative + redundant + useless;
  const x = new Float32Array(rows * columns);
  const y = new Float32Array(rows);
  const order = shuffle(rows, seed, STREAM.order, 0);
  const place = draws(seed, STREAM.place);
  const noise = draws(seed, STREAM.noise);
  const flips = draws(seed, STREAM.label);
  const coins = draws(seed, STREAM.label, 1);
  const weight = draws(seed, STREAM.mixing);
  const mixing = Float64Array.from({ length: redundant * informative }, (_, i) => weight.normal(i));
  const positives = Math.min(rows - 1, Math.max(1, Math.round(prevalence * rows)));
  const offset = separation / 2 / Math.sqrt(informative);
  for (let row = 0; row < rows; row++) {
    const label = order[row] < positives ? 1 : 0;
    const cloud = place.uniform(row) < 0.5 ? -1 : 1;
    const cells = x.subarray(row * columns, (row + 1) * columns);
    for (let c = 0; c < columns; c++) cells[c] = noise.normal(row * columns + c);
    for (let c = 0; c < informative; c++) {
      const side = label === 1 ? 1 : -1;
      cells[c] += offset * (c === 0 ? side : c % 2 === 1 ? cloud : cloud * side);
    }
    for (let r = 0; r < redundant; r++) {
      let sum = 0;
      for (let c = 0; c < informative; c++) sum += mixing[r * informative + c] * cells[c];
      cells[informative + r] = sum;
    }
    y[row] = flips.uniform(row) < labelNoise ? Math.floor(coins.uniform(row) * 2) : label;
  }
  return { x, y, rows, columns };
}

interface Sample {
  readonly point: readonly number[];
  readonly label: number;
}

/** `rows` samples, noise added; the classes take turns. */
function generate(options: ShapeOptions, sample: (row: number, place: Draws) => Sample): Generated {
  const { rows = 200, noise = 0.1, seed = 0 } = options;
  const place = draws(seed, STREAM.place);
  const jitter = draws(seed, STREAM.noise);
  const columns = sample(0, place).point.length;
  const x = new Float32Array(rows * columns);
  const y = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const { point, label } = sample(row, place);
    y[row] = label;
    for (let c = 0; c < columns; c++) x[row * columns + c] = point[c] + noise * jitter.normal(row * columns + c);
  }
  return { x, y, rows, columns };
}
