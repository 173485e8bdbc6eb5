import { expect, it } from "vitest";
import { apply, functional, input } from "../../src/model/functional.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { embedding } from "../../src/model/layers/embedding.ts";
import { concatenate } from "../../src/model/layers/merge.ts";
import { globalAveragePooling1d } from "../../src/model/layers/pooling.ts";
import { flatten, reshape } from "../../src/model/layers/shape.ts";
import { remat } from "../../src/model/layers/wrappers.ts";
import { sequential } from "../../src/model/model.ts";
import { failure, onDevices, trainerOf } from "./support.ts";

const table = () => embedding({ inputDim: 5, outputDim: 2 });

onDevices((device) => {
  it.each([5, -1, 1.5, 1e9])(
    "refuses the token %d by row and value, in training, validation and prediction",
    async (token) => {
      const trainer = trainerOf(device(), sequential({ input: [3] }, [table(), globalAveragePooling1d(), dense(1)]));
      const good = { x: [0, 1, 2, 3, 4, 0], y: [0, 1] };
      const bad = { x: [0, 1, 2, 3, token, 0], y: [0, 1] };
      const message = `x is ${token} in row 1, feature 1; layer "embedding" expects whole numbers from 0 to 4.`;
      for (const tried of [
        () => trainer.fit(bad, { epochs: 1 }),
        () => trainer.fit(good, { epochs: 1, validation: bad }),
        () => trainer.evaluate(bad),
        () => trainer.predict(bad.x),
      ]) {
        const error = await failure(tried());
        expect(error.code).toBe("E_DATA");
        expect(error.message).toContain(message);
      }
      await trainer.fit(good, { epochs: 1 });
      trainer.dispose();
    },
  );

  it("knows tokens among other inputs, reshaped, and within a segment", async () => {
    const [ids, numbers] = [input([2], { name: "ids" }), input([2], { name: "numbers" })];
    const looked = apply(flatten(), apply(remat([table()]), apply(reshape([2]), ids)));
    const model = functional({
      inputs: [numbers, ids],
      outputs: [apply(dense(1), apply(concatenate(), looked, numbers))],
    });
    expect(model.indices?.map(({ feature, below }) => [feature, below])).toEqual([
      [2, 5],
      [3, 5],
    ]);
    const trainer = trainerOf(device(), model);
    await trainer.predict([-7, 9.5, 1, 4]);
    expect((await failure(trainer.predict([-7, 9.5, 1, 7]))).message).toContain("x is 7 in row 0, feature 3");
    trainer.dispose();
  });
});
