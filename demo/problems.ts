/** The data sets of the demo, each with a network and a way of training that suit it. */
import type { LearningRate, Optimizer } from "../src/api/core.ts";
import { adam, sgd } from "../src/api/core.ts";
import { circles, moons, spirals, xor } from "../src/api/data.ts";

export interface Points {
  /** [rows, 2], row-major. */
  readonly x: Float32Array;
  /** 0 or 1: [rows]. */
  readonly y: Float32Array;
  readonly rows: number;
}

export interface Problem {
  readonly name: string;
  readonly points: (seed: number) => Points;
  /** Hidden layers, each of as many units as the page says. */
  readonly hiddenLayers: number;
  readonly units: number;
  readonly learningRate: number;
  readonly optimizer: (learningRate: LearningRate) => Optimizer;
  readonly optimizerName: string;
  readonly batchSize: number;
  readonly epochs: number;
}

const withAdam = {
  optimizer: (learningRate: LearningRate) => adam({ learningRate }),
  optimizerName: "Adam",
  batchSize: 32,
};

export const problems = {
  xor: {
    name: "XOR",
    points: () => xor(),
    hiddenLayers: 1,
    units: 3,
    learningRate: 0.1,
    optimizer: (learningRate) => sgd({ learningRate }),
    optimizerName: "SGD",
    batchSize: 4,
    epochs: 5000,
  },
  circles: {
    ...withAdam,
    name: "Circles",
    points: (seed) => circles({ rows: 256, seed }),
    hiddenLayers: 1,
    units: 8,
    learningRate: 0.03,
    epochs: 200,
  },
  moons: {
    ...withAdam,
    name: "Moons",
    points: (seed) => moons({ rows: 256, seed }),
    hiddenLayers: 1,
    units: 8,
    learningRate: 0.03,
    epochs: 150,
  },
  spirals: {
    ...withAdam,
    name: "Spirals",
    points: (seed) => spirals({ rows: 320, turns: 1, seed }),
    hiddenLayers: 2,
    units: 12,
    learningRate: 0.01,
    epochs: 300,
  },
} satisfies Record<string, Problem>;

export type ProblemName = keyof typeof problems;
