import { expect, it } from "vitest";
import { dense } from "../../src/model/layers/dense.ts";
import { batchNormalization } from "../../src/model/layers/normalization.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { bitsOf, onDevices, problem, trainerOf } from "./support.ts";

onDevices((device) => {
  it.each(["dispatch", "resident"] as const)("a batch whose weights are all 0 changes nothing: %s", async (plan) => {
    const { x, y } = problem(24);
    const sampleWeight = new Float32Array(24).fill(1.5, 0, 16);
    const make = () =>
      trainerOf(device(), sequential({ input: [5] }, [dense(4), batchNormalization(), dense(1)]), {
        loss: binaryCrossentropy({ reduction: "weightedMean" }),
        optimizer: adam({ weightDecay: 0.1 }),
        plan,
      });
    const [whole, part] = [make(), make()];
    const fitting = { epochs: 1, batchSize: 8, shuffle: false };
    const history = await whole.fit({ x, y, sampleWeight }, fitting);
    await part.fit({ x: x.subarray(0, 80), y: y.subarray(0, 16), sampleWeight: sampleWeight.subarray(0, 16) }, fitting);
    expect(history.loss[0]).toBeGreaterThan(0);
    expect(await bitsOf(whole)).toEqual(await bitsOf(part));
    whole.dispose();
    part.dispose();
  });
});
