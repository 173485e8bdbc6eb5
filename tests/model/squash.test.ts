import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { activation, flatten, reshape } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy, meanSquaredError, softmaxCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { compile } from "../../src/train/trainer.ts";

const x = Float32Array.from({ length: 24 }, (_, i) => 40 * Math.sin(i));
const y = [0, 1, 1, 0, 1, 0, 0, 1];

async function outcome(activation: "linear" | "sigmoid" | "softmax") {
  const several = activation === "softmax";
  const model = sequential({ input: [3] }, [dense(several ? 3 : 1, { activation })]);
  const loss = several ? softmaxCrossentropy() : binaryCrossentropy();
  const trainer = await compile(model, { device: openCpu(), loss, seed: 3 });
  const history = await trainer.fit({ x, y }, { epochs: 5, batchSize: 4, validation: { x, y } });
  return { history, scores: await trainer.predict(x), outputs: await trainer.outputs(x) };
}

describe("a model that ends in a sigmoid", () => {
  it("trains, scores and is validated as the same model that ends in logits", async () => {
    const squashed = await outcome("sigmoid");
    const plain = await outcome("linear");
    expect(squashed.history).toEqual(plain.history);
    expect(squashed.scores).toEqual(plain.scores);
    expect(squashed.outputs).toEqual(squashed.scores);
    expect(plain.outputs).not.toEqual(plain.scores);
  });
});

describe("a model that ends in a softmax", () => {
  it("has a finite loss at large logits, and probabilities as scores and outputs", async () => {
    const { history, scores, outputs } = await outcome("softmax");
    for (const values of Object.values(history)) for (const v of values) expect(v).toBeLessThan(1e3);
    expect(outputs).toEqual(scores);
    for (let row = 0; row < 8; row++)
      expect(scores[3 * row] + scores[3 * row + 1] + scores[3 * row + 2]).toBeCloseTo(1, 6);
  });
});

describe("a model that ends in several softmaxes, flattened", () => {
  it("has probabilities as outputs, each three of which sum to 1", async () => {
    const model = sequential({ input: [3] }, [dense(6), reshape([2, 3]), activation("softmax"), flatten()]);
    const trainer = await compile(model, { device: openCpu(), loss: meanSquaredError(), seed: 3 });
    const outputs = await trainer.outputs(x);
    for (let i = 0; i < outputs.length; i += 3) expect(outputs[i] + outputs[i + 1] + outputs[i + 2]).toBeCloseTo(1, 6);
  });
});
