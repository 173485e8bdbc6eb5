/** Run as a process of its own: trains with a checkpoint after each epoch, goes on where an earlier run stood, prints the bits. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { moons } from "../../src/data/generators.ts";
import { fingerprint } from "../../src/io/fingerprint.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { openDevice } from "../../src/openDevice.ts";
import { modelCheckpoint } from "../../src/train/callbacks.ts";
import { compile } from "../../src/train/trainer.ts";

const folder = process.argv[2];
const device = await openDevice({ backend: "cpu" });
const model = sequential({ input: [2] }, [dense(8, { activation: "tanh" }), dropout(0.2), dense(1)]);
const trainer = await compile(model, { device, loss: binaryCrossentropy(), optimizer: adam(), seed: 3 });
const data = moons({ rows: 64, seed: 1 });
const callbacks = [
  modelCheckpoint({ folder }),
  { name: "tell", afterEpoch: (epoch: number) => void process.stdout.write(`${epoch}\n`) },
];
if (existsSync(join(folder, "checkpoint.json"))) await trainer.restoreCheckpoint(folder, callbacks, data);
await trainer.fit(data, { epochs: 20, batchSize: 16, callbacks });
process.stdout.write(
  `bits ${fingerprint(Object.values(await trainer.getWeights()).map((w) => Float32Array.from(w)))}\n`,
);
