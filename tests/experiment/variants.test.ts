import { expect, it } from "vitest";
import { makeLoss, makeOptimizer } from "../../src/experiment/objective.ts";
import { DEFAULTS } from "../../src/experiment/options.ts";
import { LOSSES, namesOf, OPTIMIZERS, RESAMPLERS, SCHEDULES } from "../../src/experiment/variants.ts";
import { resamplers } from "../../src/resample/methods.ts";

const y = Float32Array.of(0, 0, 0, 1);
const { loss, optimizer } = DEFAULTS;

it("names options that the library has", () => {
  const makers = Object.entries({ ...LOSSES, ...OPTIMIZERS, ...SCHEDULES }).map(([name, variant]) => ({
    name,
    variant: variant as { takes?: object; fixed?: object; defaults?: object },
    known: variant.make.options() as object,
  }));
  const methods = Object.entries(RESAMPLERS).map(([name, variant]) => ({
    name,
    variant: variant as (typeof makers)[number]["variant"],
    known: resamplers[variant.make].options() as object,
  }));
  for (const { name, variant, known } of [...makers, ...methods]) {
    const { takes = {}, fixed = {}, defaults = {} } = variant;
    const named = [...Object.values(takes), ...Object.keys(fixed), ...Object.keys(defaults)];
    expect(Object.keys(known), name).toEqual(expect.arrayContaining(named));
  }
});

it("makes every loss, and refuses the options of others", () => {
  expect(namesOf(LOSSES).map((name) => makeLoss({ ...loss, loss: name }, y).type)).toEqual([
    "binaryCrossentropy",
    "focal",
    "hinge",
    "squaredHinge",
    "meanSquaredError",
  ]);
  expect(makeLoss({ ...loss, loss: "mse", classWeight: { 1: 3 } }, y).config).toEqual({
    classWeight: { 1: 3 },
    on: "probability",
  });
  expect(makeLoss({ ...loss, loss: "bce", posWeight: "auto" }, y).config).toEqual({ posWeight: 3 });
  expect(makeLoss({ ...loss, loss: "focal", alpha: "none", gamma: 1 }, y).config).toEqual({ alpha: null, gamma: 1 });
  expect(() => makeLoss({ ...loss, loss: "hinge", gamma: 1 }, y)).toThrow(
    "`gamma`: the loss hinge has no such option.",
  );
});

it("makes every optimizer with every schedule", () => {
  const config = (given: object) => makeOptimizer({ ...optimizer, ...given }, 64).config;
  const rate = { type: "constantRate", rate: 0.01 };
  expect(config({ optimizer: "momentum" })).toEqual({ learningRate: rate, momentum: 0.9 });
  expect(config({ optimizer: "nesterov", momentum: 0.5, clipNorm: 1 })).toEqual({
    learningRate: rate,
    momentum: 0.5,
    nesterov: true,
    clipNorm: 1,
  });
  expect(config({ optimizer: "amsgrad" })).toMatchObject({ learningRate: { rate: 0.001 }, amsgrad: true });
  const scheduled = (given: object) => config({ optimizer: "sgd", learningRate: 1, ...given })["learningRate"];
  expect(scheduled({ schedule: "linear", endRate: 0.5 })).toEqual({ type: "linearDecay", start: 1, end: 0.5 });
  expect(scheduled({ schedule: "step", decay: 0.5 })).toEqual({ type: "stepDecay", start: 1, size: 10, gamma: 0.5 });
  expect(scheduled({ schedule: "exponential" })).toEqual({ type: "exponentialDecay", start: 1, gamma: 0.95 });
  expect(scheduled({ schedule: "cosine", warmup: 2 })).toEqual({ type: "cosineDecay", base: 1, minimum: 0, warmup: 2 });
  const refused = [{ optimizer: "sgd", momentum: 0.5 }, { schedule: "linear", decay: 0.5 }, { warmup: 1 }];
  for (const given of refused) expect(() => config(given)).toThrow("no such option");
});
