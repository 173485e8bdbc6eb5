import { describe, expect, it } from "vitest";
import { costEnvelope } from "../../src/metrics/costs.ts";
import { detCurve, prCurve, rocCurve } from "../../src/metrics/curves.ts";
import { scoreDistribution } from "../../src/metrics/distribution.ts";
import { gainCurve } from "../../src/metrics/gains.ts";
import { calibrationCurve } from "../../src/metrics/probability.ts";
import { draws } from "../../src/random.ts";
import { barPlot } from "../../src/report/barPlot.ts";
import { confusionPlot } from "../../src/report/confusionPlot.ts";
import {
  calibrationPlot,
  costPlot,
  detPlot,
  gainPlot,
  learningCurvePlot,
  prPlot,
  rocPlot,
  scoreCdfPlot,
  scoreHistogramPlot,
  thresholdPlot,
} from "../../src/report/plots.ts";

const draw = draws(1, 4);

function rows(n: number) {
  const y = Int32Array.from({ length: n }, (_, i) => Number(i < 2 ? i : draw.uniform(i) < 0.1));
  const scores = Float32Array.from(y, (label, i) => 0.7 * draw.uniform(n + i) + 0.3 * label);
  const [roc, pr, gain] = [rocCurve(y, scores), prCurve(y, scores), gainCurve(y, scores)];
  const [det, cost] = [detCurve(y, scores), costEnvelope(y, scores)];
  if (!(roc && pr && gain && det && cost)) throw new Error("both classes are there");
  return { y, scores, roc, pr, gain, det, cost };
}

function plotsOf(n: number): Record<string, string> {
  const { y, scores, roc, pr, gain, det, cost } = rows(n);
  return {
    learning: learningCurvePlot({ training: [3, 2, 1.5], validation: [3, 2.5, Number.NaN] }, { bestEpoch: 2 }),
    roc: rocPlot(roc, { auc: 0.9, point: { fpr: 0.1, tpr: 0.8, threshold: 0.4 } }),
    pr: prPlot(pr, { averagePrecision: 0.5, prevalence: 0.1, point: { precision: 0.4, recall: 0.8, threshold: 0.4 } }),
    scores: scoreHistogramPlot(scoreDistribution(y, scores), { threshold: 0.4 }),
    cdf: scoreCdfPlot(scoreDistribution(y, scores), { threshold: 0.4 }),
    calibration: calibrationPlot({ model: calibrationCurve(y, scores) }),
    thresholds: thresholdPlot(
      [0.2, 0.4, 0.6],
      { precision: [0.1, 0.3, Number.NaN], recall: [1, 0.6, 0] },
      { threshold: 0.4 },
    ),
    gain: gainPlot(gain),
    det: detPlot(det, { point: { fpr: 0.1, fnr: 0.2, threshold: 0.4 } }),
    cost: costPlot(cost),
    confusion: confusionPlot({ tn: 880, fp: 20, fn: 30, tp: 70 }),
    importance: barPlot({ age: 0.2, 'a<b> & "c"': -0.01 }),
  };
}

/** Throws unless tags nest and close, attributes are quoted, and no bare & or < is in the text. */
function checkWellFormed(svg: string): void {
  const open: string[] = [];
  const rest = svg.replace(/<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/g, (_, close, name, __, selfClosed) => {
    if (close) expect(open.pop()).toBe(name);
    else if (!selfClosed) open.push(name);
    return "";
  });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!#\d+;)/);
}

describe("every plot", () => {
  it.each(Object.entries(plotsOf(500)))("%s is well-formed, named, and has no NaN in it", (name, svg) => {
    checkWellFormed(svg);
    expect(svg).toContain(`data-plot="${name}"`);
    expect(svg).toMatch(/^<svg xmlns=.*<\/svg>$/s);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it.each(Object.entries(plotsOf(2)))("%s can be drawn of two rows", (_, svg) => {
    checkWellFormed(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("carries a dark style only when it follows the reader's setting", () => {
    expect(learningCurvePlot({ loss: [2, 1] })).toContain("prefers-color-scheme:dark");
    expect(learningCurvePlot({ loss: [2, 1] }, { theme: "light" })).not.toContain("<style");
  });
});

describe("plots say what they show", () => {
  const svg = plotsOf(500);

  it("the operating point and the threshold are labelled", () => {
    for (const name of ["roc", "pr", "det", "scores", "cdf", "thresholds"])
      expect(svg[name]).toContain(">threshold 0.4<");
  });

  it("curves carry their area and the baseline's", () => {
    expect(svg.roc).toContain("model, AUC 0.900");
    expect(svg.pr).toContain("prevalence 0.100");
  });

  it("epochs are whole numbers, and one epoch alone is a dot", () => {
    expect(svg.learning).not.toContain(`text-anchor="middle">1.5<`);
    expect(learningCurvePlot({ loss: [0.7] })).toContain("<circle");
  });

  it("the confusion matrix shows its four counts", () => {
    for (const count of [880, 20, 30, 70]) expect(svg.confusion).toContain(`>${count}<`);
  });

  it("error rates are printed at the deviates of the normal distribution, at equal distances from a half", () => {
    const at = (text: string) => Number(new RegExp(`x="([0-9.]+)"[^>]*middle">${text}<`).exec(svg.det)?.[1]);
    expect(at("50") - at("20")).toBeCloseTo(at("80") - at("50"), 1);
    expect((at("50") - at("1")) / (at("50") - at("20"))).toBeCloseTo(2.3263 / 0.8416, 1);
  });

  it("bars carry a whisker where their deviation is known", () => {
    expect(barPlot({ a: 1, b: 2 }, { deviations: { a: 0.3 } }).match(/tg-whisker"/g)).toHaveLength(1);
    expect(barPlot({ a: 1, b: 2 })).not.toContain('tg-whisker"');
  });

  it("bars are sorted, cut to the most, and drawn left of 0 in another colour", () => {
    const bars = barPlot({ a: 1, b: 3, c: -2, d: 2 }, { most: 4 });
    expect([...bars.matchAll(/>([abcd])</g)].map((match) => match[1])).toEqual(["b", "d", "a", "c"]);
    expect(barPlot({ a: 1, b: 3 }, { most: 1 })).not.toContain(">a<");
  });
});

describe("options", () => {
  const { roc, pr } = rows(100);

  it("that there are not are refused, with the one that was meant", () => {
    const misspelt = { tilte: "ROC" } as never;
    for (const draw of [() => rocPlot(roc, misspelt), () => prPlot(pr, misspelt), () => barPlot({ a: 1 }, misspelt)]) {
      expect(draw).toThrow(
        expect.objectContaining({
          code: "E_ARGUMENT",
          message: expect.stringContaining('there is no option "tilte"'),
          hint: "Did you mean title?",
        }),
      );
    }
  });

  it("of another kind are refused by name", () => {
    expect(() => rocPlot(roc, { theme: "dark" as never })).toThrow('rocPlot: got theme "dark"; expected auto, light.');
    expect(() => barPlot({ a: 1 }, { most: 0.5 })).toThrow("barPlot: got most 0.5; expected a positive integer.");
  });
});

describe("many points", () => {
  it("are thinned to what pixels can show: 200,000 rows draw in under 100 kB", () => {
    const { roc, pr } = rows(200_000);
    expect(rocPlot(roc).length).toBeLessThan(100_000);
    expect(prPlot(pr).length).toBeLessThan(100_000);
  });
});
