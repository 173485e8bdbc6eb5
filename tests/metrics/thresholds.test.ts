import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confusionMatrix, measures } from "../../src/metrics/confusion.ts";
import { costCurve, costEnvelope } from "../../src/metrics/costs.ts";
import { parseThresholdRule, type ThresholdRule } from "../../src/metrics/thresholdRule.ts";
import { NOTHING_POSITIVE, tuneThreshold } from "../../src/metrics/thresholds.ts";
import { thresholdTable } from "../../src/metrics/thresholdTable.ts";
import { errorOf, scoredRows } from "./support.ts";

const y = [0, 0, 0, 0, 0, 0, 0, 1, 0, 1];
const scores = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.6, 0.7, 0.9];

describe("tuneThreshold", () => {
  it("keeps a fixed threshold", () => {
    expect(tuneThreshold(y, scores, { fixed: 0.65 })).toEqual({
      threshold: 0.65,
      value: 0.2,
      attained: true,
      rule: { fixed: 0.65 },
    });
  });

  it("finds the best F1 and puts the threshold halfway to the next lower score", () => {
    const tuned = tuneThreshold(y, scores, { maximize: "f1" });
    expect(tuned.value).toBeCloseTo(0.8, 14);
    expect(tuned.threshold).toBeCloseTo((0.6 + 0.35) / 2, 6);
    expect(Math.fround(tuned.threshold)).toBe(tuned.threshold);
  });

  it("takes a quantile of the score distribution", () => {
    const { threshold, value } = tuneThreshold(y, scores, { quantile: 0.9 });
    expect(threshold).toBeGreaterThan(0.6);
    expect(threshold).toBeLessThanOrEqual(0.7);
    expect(value).toBe(0.2);
    expect(tuneThreshold(y, scores, { quantile: 0 }).value).toBe(1);
    expect(tuneThreshold(y, scores, { quantile: 1 }).value).toBe(0.1);
  });

  it("never gives more alerts than allowed, though ties fall together", () => {
    expect(tuneThreshold(y, scores, { alertsPerThousand: 100 }).value).toBe(0.5);
    expect(tuneThreshold(y, scores, { alertsPerThousand: 299 }).threshold).toBeGreaterThan(0.6);
    expect(tuneThreshold(y, scores, { alertsPerThousand: 99 }).threshold).toBe(NOTHING_POSITIVE);
    expect(tuneThreshold([0, 1], [0.5, 0.5], { alertsPerThousand: 500 }).threshold).toBe(NOTHING_POSITIVE);
  });

  it("maximizes precision under a floor on recall", () => {
    expect(tuneThreshold(y, scores, { maximize: "precision", recallAtLeast: 0.5 }).value).toBe(1);
    expect(tuneThreshold(y, scores, { maximize: "precision", recallAtLeast: 0.8 }).value).toBe(2 / 3);
  });

  it("maximizes recall under a floor on precision, and says when the floor is out of reach", () => {
    expect(tuneThreshold(y, scores, { maximize: "recall", precisionAtLeast: 0.6 }).value).toBe(1);
    const hopeless = tuneThreshold([1, 0, 0], [0.1, 0.5, 0.9], { maximize: "recall", precisionAtLeast: 0.9 });
    expect(hopeless.attained).toBe(false);
    expect(hopeless.threshold).toBe(0.1);
  });

  it("weighs costs, and takes a row's own amount", () => {
    const cheapMisses = tuneThreshold(y, scores, { minimizeCost: { fp: 10, fn: 1 } });
    expect(cheapMisses.value).toBe(1);
    expect(cheapMisses.threshold).toBeGreaterThan(0.7);
    const amounts = [0, 0, 0, 0, 0, 0, 0, 500, 0, 3];
    const byAmount = tuneThreshold(y, scores, { minimizeCost: { fp: 10, fn: "amount" } }, { amounts });
    expect(byAmount.value).toBe(10);
    expect(byAmount.threshold).toBeCloseTo((0.6 + 0.35) / 2, 6);
  });

  it("keeps the predictions of the score it found, on rows of weight 0 too", () => {
    const choose = (rule: ThresholdRule) =>
      tuneThreshold([0, 1, 1, 1], [0.1, 0.4, 0.7, 0.9], rule, { sampleWeight: [2, 0, 3, 0] }).threshold;
    for (const rule of [{ maximize: "youden" }, { minimizeCost: { fp: 1, fn: 1 } }] as const) {
      expect(choose(rule)).toBeGreaterThan(0.4);
      expect(choose(rule)).toBeLessThanOrEqual(0.7);
    }
  });

  it("alerts on nothing when every alert costs more than it saves", () => {
    const tuned = tuneThreshold([0, 1], [0.9, 0.1], { minimizeCost: { fp: 5, fn: 1 } });
    expect(tuned).toMatchObject({ threshold: NOTHING_POSITIVE, value: 1 });
    expect(JSON.parse(JSON.stringify(tuned))).toEqual(tuned);
  });

  const rules: ThresholdRule[] = [
    { maximize: "f1" },
    { maximize: "fBeta", beta: 2 },
    { maximize: "mcc" },
    { maximize: "balancedAccuracy" },
    { maximize: "youden" },
    { maximize: "accuracy" },
    { maximize: "kappa" },
    { maximize: "precision", recallAtLeast: 0.7 },
    { minimizeCost: { fp: 1, fn: 4 } },
  ];
  it.each(rules)("$maximize: no threshold does better, and the value is that of its threshold", (rule) => {
    fc.assert(
      fc.property(scoredRows, ({ y: labels, scores: values, weight }) => {
        const tuned = tuneThreshold(labels, values, rule, { sampleWeight: weight });
        const valueAt = (threshold: number): number => {
          const c = confusionMatrix(labels, values, threshold, weight);
          const m = measures(c);
          if ("minimizeCost" in rule) return -(c.fp + 4 * c.fn);
          if (!("maximize" in rule)) throw new Error("not reached");
          if (rule.maximize === "fBeta") return (5 * c.tp) / (5 * c.tp + 4 * c.fn + c.fp);
          if ("recallAtLeast" in rule && m.recall < rule.recallAtLeast) return -1;
          return m[rule.maximize] ?? 0;
        };
        const sign = "minimizeCost" in rule ? -1 : 1;
        expect(valueAt(tuned.threshold)).toBeCloseTo(sign * tuned.value, 12);
        for (const threshold of [Infinity, ...values]) {
          expect(valueAt(threshold)).toBeLessThanOrEqual(sign * tuned.value + 1e-12);
        }
      }),
    );
  });

  it("refuses rules that are none, and rows of one class", () => {
    expect(errorOf(() => tuneThreshold(y, scores, { quantile: 1.5 })).code).toBe("E_ARGUMENT");
    expect(errorOf(() => tuneThreshold(y, scores, { maximize: "profit" } as never)).code).toBe("E_ARGUMENT");
    expect(errorOf(() => tuneThreshold(y, scores, { minimizeCost: { fn: "amount" } })).message).toContain("no amounts");
    expect(errorOf(() => tuneThreshold(y, scores, { minimizeCost: { miss: 3 } as never })).message).toContain("miss");
    expect(errorOf(() => tuneThreshold([0, 0], [0.1, 0.2], { maximize: "f1" })).code).toBe("E_DATA");
  });
});

describe("parseThresholdRule", () => {
  it.each<[string, ThresholdRule]>([
    ["0.5", { fixed: 0.5 }],
    ["f1", { maximize: "f1" }],
    ["f2", { maximize: "fBeta", beta: 2 }],
    ["f0.5", { maximize: "fBeta", beta: 0.5 }],
    ["mcc", { maximize: "mcc" }],
    ["quantile:0.9", { quantile: 0.9 }],
    ["alerts:5", { alertsPerThousand: 5 }],
    ["recall>=0.8", { maximize: "precision", recallAtLeast: 0.8 }],
    ["precision>=0.5", { maximize: "recall", precisionAtLeast: 0.5 }],
    ["cost:fp=1,fn=5", { minimizeCost: { fp: 1, fn: 5 } }],
    ["cost:fp=5,fn=amount", { minimizeCost: { fp: 5, fn: "amount" } }],
  ])("reads %s", (text, rule) => {
    expect(parseThresholdRule(text)).toEqual(rule);
  });

  it.each(["", "best", "quantile:2", "cost:fp", "cost:fp=x", "recall>=", "f-1", "f0"])(
    "refuses %j with the list of rules",
    (text) => {
      expect(errorOf(() => parseThresholdRule(text)).code).toBe("E_ARGUMENT");
    },
  );
});

it("the hint of an unknown rule names what programs write for f2", () => {
  const y = [0, 1, 1];
  const error = errorOf(() => tuneThreshold(y, y, { maximize: "f2" } as unknown as ThresholdRule));
  expect(error.hint).toContain('{ maximize: "fBeta", beta: 2 }');
  expect(tuneThreshold(y, y, { maximize: "fBeta", beta: 2 }).value).toBe(1);
});

describe("costs", () => {
  it("the cost curve gives the total at every threshold", () => {
    const { threshold, cost } = costCurve([0, 1, 1], [0.2, 0.2, 0.8], { fp: 1, fn: 5, tp: 0.5 });
    expect(Array.from(threshold)).toEqual([Infinity, 0.8, 0.2]);
    expect(Array.from(cost)).toEqual([10, 5.5, 2]);
  });

  it("amounts are checked", () => {
    const costs = { fn: "amount" } as const;
    expect(errorOf(() => costCurve([0, 1], [0, 1], costs, { amounts: [1] })).code).toBe("E_ARGUMENT");
    expect(errorOf(() => costCurve([0, 1], [0, 1], costs, { amounts: [1, Number.NaN] })).code).toBe("E_DATA");
  });

  it("the envelope is never above always or never alerting, and 0 for a perfect ranking", () => {
    const noisy = costEnvelope(y, scores);
    const perfect = costEnvelope([0, 0, 1], [0.1, 0.2, 0.9]);
    if (noisy === null || perfect === null) throw new Error("both classes are there");
    noisy.cost.forEach((cost, i) => {
      expect(cost).toBeLessThanOrEqual(noisy.trivial[i]);
    });
    expect(Math.max(...perfect.cost)).toBe(0);
  });
});

describe("thresholdTable", () => {
  it("refuses options that there are not, and values of another kind", () => {
    const wrong = (options: object) => errorOf(() => thresholdTable(y, scores, options)).message;
    expect(wrong({ treshold: [0.5] })).toMatch(
      /^thresholdTable: there is no option "treshold"; expected any of .*thresholds/,
    );
    expect(wrong({ thresholds: 0.5 })).toMatch(/^thresholdTable: got thresholds 0.5; expected an array of values/);
  });

  it("has at each threshold what confusionMatrix counts there, and the cost", () => {
    fc.assert(
      fc.property(scoredRows, ({ y: labels, scores: values, weight }) => {
        const costs = { fp: 1, fn: 4 };
        const thresholds = [0, 0.3, 0.5, 1, Infinity];
        for (const row of thresholdTable(labels, values, { thresholds, costs, sampleWeight: weight })) {
          const c = confusionMatrix(labels, values, row.threshold, weight);
          expect(row.confusion).toEqual(c);
          expect(row.precision).toBe(measures(c).precision);
          expect(row.cost).toBeCloseTo(c.fp + 4 * c.fn, 12);
        }
      }),
    );
  });

  it("runs from 0.05 to 0.95 by default, without costs", () => {
    const table = thresholdTable(y, scores);
    expect(table.map((row) => row.threshold).slice(0, 3)).toEqual([0.05, 0.1, 0.15]);
    expect(table.at(-1)).toMatchObject({ threshold: 0.95, alerts: 0, precision: 0, cost: null });
  });
});
