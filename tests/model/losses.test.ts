import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/types.ts";
import type { Loss, LossOptions, Reduction } from "../../src/model/losses.ts";
import {
  binaryCrossentropy,
  focal,
  hinge,
  meanSquaredError,
  reduceLoss,
  softmaxCrossentropy,
  squaredHinge,
} from "../../src/model/losses.ts";
import { sigmoid as s, softplus as sp } from "../../src/numeric.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { input } from "../../src/ops/core/constant.ts";
import { sigmoid } from "../../src/ops/core/elementwise.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import { runGraph } from "../passes/support.ts";
import { onDevices } from "../train/support.ts";

const LOGITS = [0, 1e-3, -1e-3, 0.7, -0.7, 2.5, -2.5, 30, -30, 100, -100, 1e4, -1e4];
const z = [...LOGITS, ...LOGITS];
const y = z.map((_, i) => (i < LOGITS.length ? 0 : 1));

/** In f64, of a logit z with label y: the loss and its slope. */
interface Formula {
  readonly loss: (z: number, y: number) => number;
  readonly slope: (z: number, y: number) => number;
}

const crossentropy = (positive: number, smooth: number): Formula => {
  const label = (y: number): number => y * (1 - smooth) + smooth / 2;
  return {
    loss: (z, y) => positive * label(y) * sp(-z) + (1 - label(y)) * sp(z),
    slope: (z, y) => -positive * label(y) * s(-z) + (1 - label(y)) * s(z),
  };
};
const focalOf = (gamma: number, alpha: number | null): Formula => {
  const factor = (y: number): number => (alpha === null ? 1 : y === 1 ? alpha : 1 - alpha);
  return {
    loss: (z, y) => {
      const tz = (2 * y - 1) * z;
      return factor(y) * s(-tz) ** gamma * sp(-tz);
    },
    // d (1 - p)^gamma sp(-u) / du = -(1 - p)^gamma (gamma p sp(-u) + 1 - p), p = s(u)
    slope: (z, y) => {
      const t = 2 * y - 1;
      return -factor(y) * t * s(-t * z) ** gamma * (gamma * s(t * z) * sp(-t * z) + s(-t * z));
    },
  };
};
const gap = (z: number, y: number): number => Math.max(0, 1 - (2 * y - 1) * z);
const cases: [string, Loss, Formula][] = [
  ["binary cross-entropy", binaryCrossentropy(), crossentropy(1, 0)],
  ["binary cross-entropy with posWeight", binaryCrossentropy({ posWeight: 7 }), crossentropy(7, 0)],
  ["binary cross-entropy with label smoothing", binaryCrossentropy({ labelSmoothing: 0.2 }), crossentropy(1, 0.2)],
  ["focal", focal(), focalOf(2, 0.25)],
  ["focal, gamma 0.5, no alpha", focal({ gamma: 0.5, alpha: null }), focalOf(0.5, null)],
  ["focal, gamma 0", focal({ gamma: 0, alpha: null }), crossentropy(1, 0)],
  ["hinge", hinge(), { loss: gap, slope: (z, y) => (gap(z, y) > 0 ? 1 - 2 * y : 0) }],
  ["squared hinge", squaredHinge(), { loss: (z, y) => gap(z, y) ** 2, slope: (z, y) => 2 * gap(z, y) * (1 - 2 * y) }],
  ["mean squared error", meanSquaredError(), { loss: (z, y) => (z - y) ** 2, slope: (z, y) => 2 * (z - y) }],
  [
    "mean squared error of the probability",
    meanSquaredError({ on: "probability" }),
    { loss: (z, y) => (s(z) - y) ** 2, slope: (z, y) => 2 * (s(z) - y) * s(z) * s(-z) },
  ],
];

onDevices((device) => {
  /** Each example's loss, and the slope of their sum. */
  async function evaluate(
    loss: Loss,
    z: readonly number[],
    y: readonly number[],
    classes = 1,
    through = (x: Tensor): Tensor => x,
  ) {
    const rows = z.length / classes;
    const logits = input("z", [rows, classes]);
    const target = input("y", y.length === rows ? [rows] : [rows, y.length / rows]);
    const each = loss.perExample(through(logits), target);
    const graph = { outputs: { each, slope: gradients(sum(each), [logits])[0] }, updates: [] };
    const { each: losses, slope } = await runGraph(device(), graph, { feeds: { z, y } });
    return { losses: Array.from(losses), slopes: Array.from(slope) };
  }

  function expectClose(got: readonly number[], want: readonly number[]): void {
    got.forEach((v, i) => {
      expect(Number.isFinite(v), `element ${i}`).toBe(true);
      expect(Math.abs(v - want[i]), `element ${i}: ${v} for ${want[i]}`).toBeLessThanOrEqual(
        1e-6 + 5e-6 * Math.abs(want[i]),
      );
    });
  }

  describe("from logits of 0 to +-1e4", () => {
    it.each(cases)("%s and its gradient are finite and those of f64", async (_, loss, formula) => {
      const { losses, slopes } = await evaluate(loss, z, y);
      expectClose(
        losses,
        z.map((v, i) => formula.loss(v, y[i])),
      );
      expectClose(
        slopes,
        z.map((v, i) => formula.slope(v, y[i])),
      );
    });

    it("a final sigmoid is undone: the same values and gradients", async () => {
      const formula = crossentropy(1, 0);
      const { losses, slopes } = await evaluate(binaryCrossentropy(), z, y, 1, sigmoid);
      expectClose(
        losses,
        z.map((v, i) => formula.loss(v, y[i])),
      );
      expectClose(
        slopes,
        z.map((v, i) => formula.slope(v, y[i])),
      );
    });

    it.each([0, 0.1])("softmax cross-entropy (label smoothing %d)", async (labelSmoothing) => {
      const rows = [
        [0, 0, 0],
        [1e-3, 0, -1e-3],
        [30, -30, 0],
        [1e4, -1e4, 0],
        [-1e4, 1e4, 1e4],
        [3, 1, 2],
      ];
      const flat = [...rows, ...rows, ...rows].flat();
      const labels = [0, 1, 2].flatMap((c) => rows.map(() => c));
      const { losses, slopes } = await evaluate(softmaxCrossentropy({ labelSmoothing }), flat, labels, 3);
      const want = labels.map((label, r) => {
        const row = flat.slice(3 * r, 3 * r + 3);
        const most = Math.max(...row);
        const log = most + Math.log(row.reduce((t, v) => t + Math.exp(v - most), 0));
        const share = row.map((_, c) => (c === label ? 1 - labelSmoothing : 0) + labelSmoothing / 3);
        return {
          loss: row.reduce((t, v, c) => t + share[c] * (log - v), 0),
          slope: row.map((v, c) => Math.exp(v - log) - share[c]),
        };
      });
      expectClose(
        losses,
        want.map((w) => w.loss),
      );
      expectClose(
        slopes,
        want.flatMap((w) => w.slope),
      );
    });
  });

  describe("from probabilities of 0 to 1", () => {
    const p = [0, 1e-9, 1e-3, 0.25, 0.5, 0.75, 0.999, 1];
    const both = [...p, ...p];
    const labels = both.map((_, i) => (i < p.length ? 0 : 1));
    it.each([1e-3, 1e-7, 1e-8, 1e-15])("clamping to %f keeps binary cross-entropy finite", async (epsilon) => {
      const { losses } = await evaluate(binaryCrossentropy({ form: "clamp", epsilon }), both, labels);
      for (const loss of losses) expect(loss).toBeLessThanOrEqual(-Math.log(epsilon) + 1e-4);
    });

    it("epsilon inside the logarithm keeps binary cross-entropy finite", async () => {
      const { losses, slopes } = await evaluate(binaryCrossentropy({ form: "epsilonInLog" }), both, labels);
      const eps = 1e-8;
      // 1 - p is exact in f32 only for p that f32 holds.
      const q = both.map(Math.fround);
      const far = (v: number): number => Math.fround(1 - v);
      q.forEach((v, i) => {
        const want = labels[i] === 1 ? -Math.log(v + eps) : -Math.log(far(v) + eps);
        expect(Math.abs(losses[i] - want)).toBeLessThanOrEqual(1e-6 + 1e-5 * want);
        const slope = labels[i] === 1 ? -1 / (v + eps) : 1 / (far(v) + eps);
        expect(Math.abs(slopes[i] - slope)).toBeLessThanOrEqual(1e-5 * Math.abs(slope));
      });
    });

    it("clamping keeps it finite, and stops the gradient where it clamps", async () => {
      const { losses, slopes } = await evaluate(binaryCrossentropy({ form: "clamp" }), both, labels);
      both.forEach((v, i) => {
        expect(Number.isFinite(losses[i]) && Number.isFinite(slopes[i])).toBe(true);
        if (v === 0 || v === 1e-9 || v === 1) {
          expect(Math.abs(slopes[i])).toBe(0);
          return;
        }
        const want = labels[i] === 1 ? -Math.log(Math.fround(v)) : -Math.log(1 - Math.fround(v));
        expect(Math.abs(losses[i] - want)).toBeLessThanOrEqual(1e-6 + 1e-5 * want);
      });
      expect(losses[0]).toBeLessThan(2e-7);
      expect(losses[p.length]).toBeCloseTo(-Math.log(1e-7), 4);
    });
  });

  describe("reductions", () => {
    const logits = [0.5, -1, 2, 0.25, -3];
    const labels = [1, 0, 0, 1, 1];
    const weights = [1, 0.5, 2, 3, 0];
    const each = logits.map((v, i) => (labels[i] === 1 ? sp(-v) : sp(v)));
    const weighted = (w: readonly number[]): number => each.reduce((t, l, i) => t + l * w[i], 0);
    const total = (w: readonly number[]): number => w.reduce((a, b) => a + b, 0);
    const classes = labels.map((v) => (v === 1 ? 4 : 0.5));
    const both = classes.map((w, i) => w * weights[i]);
    const ones = each.map(() => 1);

    it.each<[Reduction, LossOptions["classWeight"] | undefined, boolean, number]>([
      ["mean", undefined, false, weighted(ones) / 5],
      ["mean", { 0: 0.5, 1: 4 }, false, weighted(classes) / 5],
      ["mean", [0.5, 4], false, weighted(classes) / 5],
      ["mean", Float32Array.of(0.5, 4), false, weighted(classes) / 5],
      ["mean", { 0: 0.5, 1: 4 }, true, weighted(both) / 5],
      ["sum", undefined, true, weighted(weights)],
      ["sum", { 0: 0.5, 1: 4 }, true, weighted(both)],
      ["weightedMean", undefined, false, weighted(ones) / 5],
      ["weightedMean", undefined, true, weighted(weights) / total(weights)],
      ["weightedMean", { 0: 0.5, 1: 4 }, true, weighted(both) / total(both)],
    ])("%s, class weights %j, sample weights %j", async (reduction, classWeight, sampled, want) => {
      const loss = binaryCrossentropy({ reduction, ...(classWeight ? { classWeight } : {}) });
      const weight = sampled ? input("w", [5]) : null;
      const value = reduceLoss(loss, input("z", [5, 1]), input("y", [5]), weight);
      const { value: got } = await runGraph(
        device(),
        { outputs: { value }, updates: [] },
        { feeds: { z: logits, y: labels, w: weights } },
      );
      expect(got[0]).toBeCloseTo(want, 5);
    });

    it("class weights in an array are saved as a list", () => {
      expect(hinge({ classWeight: Float32Array.of(0.5, 4) }).config).toEqual({ classWeight: [0.5, 4] });
    });

    it("class weights of several classes", async () => {
      const loss = softmaxCrossentropy({ classWeight: { 0: 2, 2: 5 } });
      const value = reduceLoss(loss, input("z", [3, 3]), input("y", [3]), null);
      const { value: got } = await runGraph(
        device(),
        { outputs: { value }, updates: [] },
        { feeds: { z: new Float32Array(9), y: [0, 1, 2] } },
      );
      expect(got[0]).toBeCloseTo(((2 + 1 + 5) * Math.log(3)) / 3, 5);
    });
  });
});

describe("a loss described wrongly is a typed error:", () => {
  const z3 = input("z", [4, 3]);
  const labels = input("y", [4]);
  it.each<[string, string, () => unknown]>([
    ["label smoothing of 1", "E_ARGUMENT", () => binaryCrossentropy({ labelSmoothing: 1 })],
    ["a negative posWeight", "E_ARGUMENT", () => binaryCrossentropy({ posWeight: -1 })],
    ["a NaN class weight", "E_ARGUMENT", () => hinge({ classWeight: { 0: Number.NaN } })],
    // biome-ignore lint/suspicious/noSparseArray: what is refused
    ["a list of class weights with a hole", "E_ARGUMENT", () => hinge({ classWeight: [, 2] as never })],
    ["the weight of no class", "E_ARGUMENT", () => hinge({ classWeight: { 2: 10 } })],
    ["the weight of class -1", "E_ARGUMENT", () => softmaxCrossentropy({ classWeight: { [-1]: 2 } })],
    [
      "the weight of class 3",
      "E_ARGUMENT",
      () => softmaxCrossentropy({ classWeight: [1, 1, 1, 9] }).perExample(z3, labels),
    ],
    ["class weights for labels [4, 3]", "E_ARGUMENT", () => meanSquaredError({ classWeight: { 1: 2 } }).weight(z3)],
    ["two labels for each of three classes", "E_SHAPE", () => softmaxCrossentropy().perExample(z3, input("y", [4, 2]))],
    ["an epsilon of 0", "E_ARGUMENT", () => binaryCrossentropy({ form: "clamp", epsilon: 0 })],
    ["an epsilon of 0.7", "E_ARGUMENT", () => binaryCrossentropy({ form: "epsilonInLog", epsilon: 0.7 })],
    ["a negative gamma", "E_ARGUMENT", () => focal({ gamma: -1 })],
    ["alpha over 1", "E_ARGUMENT", () => focal({ alpha: 2 })],
    ["three outputs for a binary loss", "E_SHAPE", () => binaryCrossentropy().perExample(z3, labels)],
    ["three outputs for hinge", "E_SHAPE", () => hinge().perExample(z3, labels)],
    ["other sizes for mean squared error", "E_SHAPE", () => meanSquaredError().perExample(z3, labels)],
    ["a vector for softmax", "E_SHAPE", () => softmaxCrossentropy().perExample(labels, labels)],
    ["class weights for soft labels", "E_ARGUMENT", () => softmaxCrossentropy({ classWeight: { 0: 2 } }).weight(z3)],
  ])("%s", (_, code, make) => {
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});
