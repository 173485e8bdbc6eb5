import { describe, expect, it } from "vitest";
import { scoreDistribution } from "../../src/metrics/distribution.ts";

describe("the distribution of scores", () => {
  it.each([
    ["probabilities", [0.1, 0.7], [0, 1]],
    ["small probabilities, as when yes is rare", [0.001, 0.17], [0, 0.2]],
    ["very small ones", [0.001, 0.0041], [0, 0.005]],
    ["logits", [-3, 2.5], [-3, 2.5]],
    ["zeros alone", [0, 0], [0, 1]],
  ])("spans what %s reach", (_what, scores, [low, high]) => {
    const found = scoreDistribution([0, 1], scores);
    expect(found.low).toBe(low);
    expect(found.high).toBeCloseTo(high, 12);
    expect(found.counts.flat().reduce((sum, count) => sum + count, 0)).toBe(2);
  });
});
