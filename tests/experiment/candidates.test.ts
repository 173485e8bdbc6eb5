import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addExperimentOptions } from "../../src/cli/options/experiment.ts";
import { drawTyped, parseAxis } from "../../src/cli/options/try.ts";
import { axesOf, drawChoices, gridOf } from "../../src/experiment/candidates.ts";
import { ranked } from "../../src/experiment/search.ts";

const command = addExperimentOptions(new Command());
const drawn = (text: string) => {
  const axis = parseAxis(text);
  return drawTyped(command, [axis], 20, 0).map((choice) => Number(choice[axis.name]));
};

describe("a range with whole ends", () => {
  it("is drawn from between them where the option takes fractions", () => {
    const values = drawn("weight-decay=0..1");
    expect(values).toHaveLength(20);
    expect(values.filter(Number.isInteger)).toEqual([]);
    for (const value of values) expect(value).toBeGreaterThanOrEqual(0);
    for (const value of values) expect(value).toBeLessThanOrEqual(1);
    expect(drawChoices(axesOf({ weightDecay: { from: 0, to: 1 } }), 20, 0).map((choice) => choice.weightDecay)).toEqual(
      values,
    );
  });

  it.each(["epochs=1..9", "layers=1..9"])("gives whole numbers where the option takes no others: %s", (text) => {
    expect(drawn(text).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("does so in a space of the library", () => {
    const epochs = drawChoices(axesOf({ epochs: { from: 1, to: 3 } }), 20, 0).map((choice) => choice.epochs);
    expect(epochs.sort()).toEqual([1, 2, 3]);
  });
});

describe("a grid", () => {
  it("has every combination, the last option running fastest", () => {
    expect(gridOf(axesOf({ loss: ["bce", "mse"], layers: [[8], []] }))).toEqual([
      { loss: "bce", layers: [8] },
      { loss: "bce", layers: [] },
      { loss: "mse", layers: [8] },
      { loss: "mse", layers: [] },
    ]);
  });

  it("has no ranges", () => {
    expect(() => gridOf(axesOf({ learningRate: { from: 1, to: 2 } }))).toThrow("a grid has no ranges");
    expect(() => axesOf({ learningRate: { from: 2, to: 1 } })).toThrow("expected a range that rises");
  });
});

describe("ranking", () => {
  const trial = (value: number | null) => ({ choice: {}, budget: 1, value, std: 0, epochs: 1, ms: 0 });
  const order = (measure: "logLoss" | "prAuc", ...values: (number | null)[]) =>
    ranked(values.map(trial), measure).map(({ value }) => value);

  it("puts what is undefined last, for losses and for scores", () => {
    expect(order("logLoss", null, 0.7, null, 0.2)).toEqual([0.2, 0.7, null, null]);
    expect(order("prAuc", null, 0.2, null, 0.7)).toEqual([0.7, 0.2, null, null]);
  });
});
