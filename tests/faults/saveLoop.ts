/** Run as a process of its own: saves ever newer models into a folder, so often or until it is killed. */
import { decodeModel, encodeModel } from "../../src/io/model.ts";
import { publishFolder, readPublished } from "../../src/node/files.ts";

const folder = process.argv[2];
const old = await readPublished(folder, "model.json").catch(() => undefined);
let round = old === undefined ? 0 : (decodeModel(old, folder).training?.epochs ?? 0);
for (let left = Number(process.argv[3] ?? Infinity); left > 0; left--) {
  round++;
  const data = new Float32Array(16_384).fill(round);
  const weights = { w: { dtype: "f32", shape: [data.length], data } } as const;
  const training = { seed: 0, epochs: round, loss: 1 / round };
  await publishFolder(folder, encodeModel({ architecture: { round }, weights, training }));
  process.stdout.write(`${round}\n`);
}
