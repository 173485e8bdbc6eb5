/** Trains small networks twice: the same bits must come out. */
import type { Device } from "../../src/device.ts";
import { conv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { gru, lstm, simpleRnn } from "../../src/model/layers/recurrent.ts";
import { dropout, flatten } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { draws } from "../../src/random.ts";
import { compile } from "../../src/train/trainer.ts";
import type { OracleResult } from "./family.ts";

const tanh = { activation: "tanh" } as const;

/** With kernels of every op that has several, at sizes that leave tails. */
const networks: Readonly<Record<string, () => Model>> = {
  dense: () => sequential({ input: [18] }, [dense(21, tanh), dropout(0.3), dense(6, tanh), dense(1)]),
  conv2d: () =>
    sequential({ input: [6, 3, 1] }, [
      conv2d(5, 3, { padding: "same", ...tanh }),
      conv2d(4, 3, { padding: "same", ...tanh }),
      flatten(),
      dense(1),
    ]),
  recurrent: () =>
    sequential({ input: [6, 3] }, [
      lstm(9, { returnSequences: true }),
      gru(5, { returnSequences: true }),
      simpleRnn(7),
      dense(1),
    ]),
};

const ROWS = 70;

/** Two epochs of shuffled batches of 16 rows, and one of 6. */
async function train(device: Device, model: Model): Promise<string> {
  const draw = draws(3, 0);
  const x = Float32Array.from({ length: 18 * ROWS }, (_, i) => draw.normal(i));
  const y = Float32Array.from({ length: ROWS }, (_, row) => (x[18 * row] > 0 ? 1 : 0));
  const trainer = await compile(model, { device, loss: binaryCrossentropy(), seed: 5 });
  try {
    const history = await trainer.fit({ x, y }, { epochs: 2, batchSize: 16 });
    const weights = Object.values(await trainer.getWeights()).map(({ buffer }) => new Uint32Array(buffer).join());
    return JSON.stringify([history, weights]);
  } finally {
    trainer.dispose();
  }
}

export async function checkDeterminism(device: Device): Promise<OracleResult[]> {
  const results: OracleResult[] = [];
  for (const [id, make] of Object.entries(networks)) {
    const [first, second] = [await train(device, make()), await train(device, make())];
    results.push({
      id,
      ...(first === second ? { ratio: 0 } : { ratio: Number.POSITIVE_INFINITY, error: "other bits" }),
    });
  }
  return results;
}
