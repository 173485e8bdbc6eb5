/** Gradients that are not finite while the loss is: the step changes nothing, and the error names the parameter and the step. */
import { describe, expect, it } from "vitest";
import { layer } from "../../src/model/layer.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { meanSquaredError } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import type { Optimizer } from "../../src/model/optimizers.ts";
import { adam, sgd } from "../../src/model/optimizers.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { clip, exp, mul, sqrt, square } from "../../src/ops/core/elementwise.ts";
import { allFinite, bitsOf, failure, onDevices, trainerOf, wrapDevice } from "./support.ts";

/** sqrt(sum x^2): its slope at 0 is 0/0. */
const norm = layer("norm", {}, (x) => sqrt(sum(square(x), { axes: 1, keepDims: true })));
/** An output below 1 however large e^x is, whose slope is Infinity * 0. */
const limited = layer("limited", {}, (x) => clip(mul(exp(x), 1e-3), 0, 1));

const rows = 40;
const bad = 20;
/** Features 1 to 2, but for `value` in one row. */
const withRow = (value: number) => ({
  x: Float32Array.from({ length: rows * 3 }, (_, i) => (Math.floor(i / 3) === bad ? value : 1 + ((i * 7) % 10) / 10)),
  y: Float32Array.from({ length: rows }, (_, i) => i % 2),
});
const fitting = { epochs: 2, batchSize: 8, shuffle: false };

onDevices((device) => {
  describe.each(["dispatch", "resident"] as const)("as a %s plan", (plan) => {
    const cases: readonly (readonly [string, () => Parameters<typeof sequential>[1], number, Optimizer, RegExp])[] = [
      [
        "sqrt of a sum of squares that is 0",
        () => [dense(3, { useBias: false }), norm],
        0,
        sgd(),
        /dense\/kernel \(dense\) became NaN/,
      ],
      [
        "an exponential that overflows",
        () => [dense(1, { kernelInitializer: "ones" }), limited],
        1e4,
        adam(),
        /dense\/kernel \(dense\) became NaN/,
      ],
      [
        "a NaN that clipValue would limit",
        () => [dense(3, { useBias: false }), norm],
        0,
        sgd({ clipValue: 0.5 }),
        /dense\/kernel \(dense\) became NaN/,
      ],
      [
        "inputs whose gradients' squares overflow",
        () => [dense(1)],
        1e15,
        adam({ clipNorm: 1 }),
        /dense\/kernel \(dense\) became -?\d/,
      ],
    ];
    it.each(cases)("skips the step whole: %s", async (_, layers, value, optimizer, message) => {
      for (const maxQueue of [1, device().maxQueue]) {
        const make = () =>
          trainerOf(wrapDevice(device(), { maxQueue }), sequential({ input: [3] }, layers()), {
            loss: meanSquaredError(),
            optimizer,
            plan,
          });
        const trainer = make();
        const error = await failure(trainer.fit(withRow(value), fitting));
        expect(error.code).toBe("E_NONFINITE");
        expect(error.message).toMatch(/^The gradient of .* at step 3 of epoch 1, under a finite loss/);
        expect(error.message).toMatch(message);
        expect(trainer.step).toBe(2);
        expect(allFinite(await trainer.getWeights())).toBe(true);
        // The two steps before it, alone.
        const short = make();
        const { x, y } = withRow(value);
        await short.fit({ x: x.subarray(0, 48), y: y.subarray(0, 16) }, { ...fitting, epochs: 1 });
        expect(await bitsOf(trainer)).toEqual(await bitsOf(short));
        trainer.dispose();
        short.dispose();
      }
    });

    it("refuses a learning rate beyond f32, before the step", async () => {
      const trainer = trainerOf(device(), sequential({ input: [3] }, [dense(1)]), {
        optimizer: sgd({ learningRate: 1e39 }),
        plan,
      });
      const before = await bitsOf(trainer);
      const error = await failure(trainer.fit(withRow(1), fitting));
      expect(error.code).toBe("E_NONFINITE");
      expect(error.message).toContain("The learning rate is 1e+39 at step 1 of epoch 1");
      expect(await bitsOf(trainer)).toEqual(before);
      trainer.dispose();
    });
  });
});
