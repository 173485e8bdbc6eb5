import { describe, expect, it } from "vitest";
import type { Schedule } from "../../src/model/schedules.ts";
import {
  constantRate,
  cosineDecay,
  exponentialDecay,
  linearDecay,
  multiStepDecay,
  stepDecay,
} from "../../src/model/schedules.ts";
import { Plateau } from "../../src/train/plateau.ts";

/** The rates of every step of 5 epochs of 3 steps. */
const perStep = (schedule: Schedule): number[] =>
  Array.from({ length: 15 }, (_, step) =>
    schedule.rate({ step, epoch: Math.floor(step / 3), stepsPerEpoch: 3, epochs: 5 }),
  );
const perEpoch = (schedule: Schedule): number[] => perStep(schedule).filter((_, step) => step % 3 === 0);
const close = (got: readonly number[], want: readonly number[]): void => {
  expect(got).toHaveLength(want.length);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i], 12);
  });
};

describe("a schedule", () => {
  it("constant stays", () => close(perEpoch(constantRate(0.1)), [0.1, 0.1, 0.1, 0.1, 0.1]));
  it("linear ends at its end in the last epoch", () => close(perEpoch(linearDecay(1, 0.2)), [1, 0.8, 0.6, 0.4, 0.2]));
  it("linear may end one later, as in Keras", () =>
    close(perEpoch(linearDecay(1, 0, { endAt: "total" })), [1, 0.8, 0.6, 0.4, 0.2]));
  it("linear stays at its end", () => close(perEpoch(linearDecay(1, 0.5, { total: 3 })), [1, 0.75, 0.5, 0.5, 0.5]));
  it("linear per step", () =>
    close(perStep(linearDecay(14, 0, { per: "step" })), [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));
  it("linear of one epoch starts at its start", () => {
    expect(linearDecay(1, 0).rate({ step: 0, epoch: 0, stepsPerEpoch: 1, epochs: 1 })).toBe(1);
  });
  it("step", () => close(perEpoch(stepDecay(1, { size: 2, gamma: 0.5 })), [1, 1, 0.5, 0.5, 0.25]));
  it("milestones", () =>
    close(perEpoch(multiStepDecay(1, { milestones: [1, 3], gamma: 0.1 })), [1, 0.1, 0.1, 0.01, 0.01]));
  it("exponential", () => close(perEpoch(exponentialDecay(2, { gamma: 0.5 })), [2, 1, 0.5, 0.25, 0.125]));
  it("cosine", () =>
    close(
      perEpoch(cosineDecay(1)),
      [0, 1, 2, 3, 4].map((i) => (1 + Math.cos((Math.PI * i) / 5)) / 2),
    ));
  it("cosine with warm-up and a minimum", () => {
    const tail = [0, 1, 2].map((i) => 0.1 + (0.9 * (1 + Math.cos((Math.PI * i) / 3))) / 2);
    close(perEpoch(cosineDecay(1, { warmup: 2, minimum: 0.1 })), [0.5, 1, ...tail]);
    close(perEpoch(cosineDecay(1, { warmup: 2, minimum: 0.1, warmupFrom: "zero" })), [0, 0.5, ...tail]);
  });
  it("cosine stays at its minimum", () =>
    close(perEpoch(cosineDecay(1, { total: 2, minimum: 0.2 })).slice(2), [0.2, 0.2, 0.2]));
});

describe("Plateau", () => {
  const rates = (plateau: Plateau, values: readonly number[]): number[] => {
    let rate = 1;
    return values.map((value) => {
      rate = plateau.next(value, rate);
      return rate;
    });
  };

  it("reduces after patience + 1 values without improvement, again and again", () => {
    expect(rates(new Plateau({ patience: 1, factor: 0.5 }), [5, 4, 4, 4, 4, 4, 3])).toEqual([
      1, 1, 1, 0.5, 0.5, 0.25, 0.25,
    ]);
  });
  it("waits out its cooldown", () => {
    expect(rates(new Plateau({ patience: 0, factor: 0.5, cooldown: 2 }), [1, 1, 1, 1, 1])).toEqual([
      1, 0.5, 0.5, 0.5, 0.25,
    ]);
  });
  it("does not go below its minimum", () => {
    expect(rates(new Plateau({ patience: 0, factor: 0.1, minRate: 0.05 }), [1, 1, 1, 1])).toEqual([1, 0.1, 0.05, 0.05]);
  });
  it("may look for a maximum, with an absolute threshold", () => {
    const plateau = new Plateau({ mode: "max", patience: 0, factor: 0.5, threshold: 0.1, thresholdMode: "abs" });
    expect(rates(plateau, [0.5, 0.55, 0.7, 0.75])).toEqual([1, 0.5, 0.5, 0.25]);
  });
  it("takes NaN for no improvement", () => {
    expect(rates(new Plateau({ patience: 0, factor: 0.5 }), [1, Number.NaN, 0.5])).toEqual([1, 0.5, 0.5]);
  });
});
