import { describe, expect, it } from "vitest";
import { averagePrecision, rocAuc } from "../../src/metrics/areas.ts";
import { bootstrapIntervals } from "../../src/metrics/bootstrap.ts";
import { formatReport } from "../../src/metrics/formatReport.ts";
import { classificationReport } from "../../src/metrics/report.ts";
import { draws } from "../../src/random.ts";
import { errorOf } from "./support.ts";

const draw = draws(5, 2);
const y = Array.from({ length: 400 }, (_, i) => Number(draw.uniform(i) < 0.1));
const scores = Float32Array.from(y, (label, i) => 0.6 * draw.uniform(1000 + i) + 0.3 * label);

describe("classificationReport", () => {
  it("agrees with each measure on its own", () => {
    const report = classificationReport(y, scores, { threshold: 0.4 });
    expect(report.rocAuc).toBe(rocAuc(y, scores));
    expect(report.prAuc).toBe(averagePrecision(y, scores));
    expect(report.confusion.tp + report.confusion.fn).toBe(y.filter((label) => label === 1).length);
    expect(report.precision).toBe(report.confusion.tp / (report.confusion.tp + report.confusion.fp));
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it("stands beside what the base rate alone achieves", () => {
    const { baseline, prevalence: p } = classificationReport(y, scores);
    const constant = classificationReport(y, new Array(y.length).fill(p), { threshold: 0 });
    expect(baseline.rocAuc).toBe(constant.rocAuc);
    expect(baseline.prAuc).toBeCloseTo(constant.prAuc as number, 14);
    expect(baseline.f1).toBeCloseTo(constant.f1, 14);
    expect(baseline.logLoss).toBeCloseTo(constant.logLoss as number, 12);
    expect(baseline.brier).toBeCloseTo(constant.brier as number, 14);
    expect(baseline.accuracy).toBeCloseTo(1 - p, 14);
  });

  it("leaves log loss, Brier and ECE null for scores that are no probabilities", () => {
    const report = classificationReport([0, 1], [-2, 3], { threshold: 0 });
    expect([report.logLoss, report.brier, report.ece]).toEqual([null, null, null]);
    expect(report.rocAuc).toBe(1);
  });

  it("has ranking measures null on one class", () => {
    const report = classificationReport([0, 0], [0.2, 0.3]);
    expect([report.rocAuc, report.prAuc, report.ks, report.baseline.rocAuc]).toEqual([null, null, null, null]);
    expect(report.undefined).toContain("recall");
  });
});

describe("bootstrap intervals", () => {
  const bootstrap = { replicates: 200, seed: 3 };

  it("are the same for the same seed and others for another", () => {
    const first = classificationReport(y, scores, { bootstrap });
    expect(classificationReport(y, scores, { bootstrap })).toEqual(first);
    expect(classificationReport(y, scores, { bootstrap: { ...bootstrap, seed: 4 } })).not.toEqual(first);
  });

  it("hold the measure, and are wider at a higher level", () => {
    const { rocAuc: value, intervals } = classificationReport(y, scores, { bootstrap });
    const wide = classificationReport(y, scores, { bootstrap: { ...bootstrap, level: 0.99 } }).intervals?.rocAuc;
    const narrow = intervals?.rocAuc;
    if (!narrow || !wide || value === null) throw new Error("both classes are there");
    expect(narrow.low).toBeLessThan(value);
    expect(narrow.high).toBeGreaterThan(value);
    expect(wide.low).toBeLessThan(narrow.low);
    expect(wide.high).toBeGreaterThan(narrow.high);
  });

  it("keep each class's size in every replicate", () => {
    bootstrapIntervals(
      y,
      (weight) => {
        expect(weight.reduce((sum, w, i) => sum + w * y[i], 0)).toBe(y.filter((label) => label === 1).length);
        expect(weight.reduce((sum, w) => sum + w, 0)).toBe(y.length);
        return {};
      },
      { seed: 1, replicates: 20 },
    );
  });

  it("of a mean come near the normal approximation", () => {
    const labels = new Array<number>(500).fill(0);
    const values = labels.map((_, i) => draw.normal(5000 + i));
    const mean = (weight: ArrayLike<number>) => ({ mean: values.reduce((sum, v, i) => sum + v * weight[i], 0) / 500 });
    const { mean: interval } = bootstrapIntervals(labels, mean, { seed: 9, replicates: 1000 });
    const sample = mean(new Array(500).fill(1)).mean;
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - sample) ** 2, 0) / 500);
    const width = (interval?.high ?? 0) - (interval?.low ?? 0);
    const ratio = width / ((2 * 1.96 * deviation) / Math.sqrt(500));
    expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
  });

  it("leave out rows of weight 0, and refuse a level of 1", () => {
    const { dropped } = bootstrapIntervals([0, 1, 1], (weight) => ({ dropped: weight[2] }), {
      seed: 1,
      replicates: 20,
      sampleWeight: [1, 1, 0],
    });
    expect(dropped).toEqual({ low: 0, high: 0 });
    expect(errorOf(() => bootstrapIntervals([0, 1], () => ({}), { seed: 1, level: 1 })).code).toBe("E_ARGUMENT");
    expect(errorOf(() => bootstrapIntervals([0, 1], () => ({}), { seed: 1, replicates: 0 })).code).toBe("E_ARGUMENT");
  });
});

describe("formatReport", () => {
  it("prints each measure beside the baseline", () => {
    const text = formatReport(classificationReport([0, 0, 0, 1], [0.1, 0.2, 0.8, 0.9]));
    expect(text).toMatchInlineSnapshot(`
      "4 rows, 25.0 % positive; threshold 0.5 alerts on 50.0 %

                                   model  baseline
      ROC-AUC                     1.0000    0.5000
      PR-AUC (average precision)  1.0000    0.2500
      KS                          1.0000    0.0000
      log loss                    0.5108    0.5623
      Brier                       0.1750    0.1875
      ECE                         0.3000    0.0000
      accuracy                    0.7500    0.7500
      balanced accuracy           0.8333    0.5000
      precision                   0.5000    0.2500
      recall                      1.0000         -
      specificity                 0.6667         -
      F1                          0.6667    0.4000
      MCC                         0.5774    0.0000
      kappa                       0.5000    0.0000
      baseline: the best that some constant answer reaches, measure by measure

              said no  said yes
      is no         2         1
      is yes        0         1"
    `);
  });

  it("prints intervals when there are any, within 80 columns, and names what was 0/0", () => {
    const text = formatReport(
      classificationReport(y, scores, { threshold: 2, bootstrap: { seed: 1, replicates: 20 } }),
    );
    expect(text).toContain("95 % interval");
    expect(text).toContain("undefined on these rows (0/0), shown as 0: precision, mcc");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});
