/**
 * `npm run soak -- --minutes N [--device cpu]`: one device and one trainer in use for long, others made, saved, loaded and disposed
 * of beside them. Memory and handles do not grow, and the same short training gives the same bits each time.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encode as encodePng } from "fast-png";
import { moons } from "../../src/data/generators.ts";
import { fingerprint } from "../../src/io/fingerprint.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { decodeImage } from "../../src/node/images.ts";
import { openDevice } from "../../src/openDevice.ts";
import { modelCheckpoint } from "../../src/train/callbacks.ts";
import { loadModel } from "../../src/train/loading.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { compile } from "../../src/train/trainer.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, device: { type: "string", default: "webgpu" } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes: got ${values.minutes}; expected a number above 0.`);

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What may grow from the first quarter's end to the last: caches of V8 and of the driver settle late. */
const MOST_GROWTH = { heap: 8e6, rss: 100e6, device: 0, handles: 2 };
type Use = Record<keyof typeof MOST_GROWTH, number>;

const folder = mkdtempSync(path.join(tmpdir(), "tilegrad-soak-"));
const device = await openDevice({ backend: values.device as "webgpu" | "cpu" });
const data = moons({ rows: 256, noise: 0.2, seed: 1 });
const make = (seed: number): Promise<Trainer> =>
  compile(sequential({ input: [2] }, [dense(16, { activation: "relu" }), dropout(0.2), dense(1)]), {
    device,
    loss: binaryCrossentropy(),
    optimizer: adam({ learningRate: 0.01 }),
    seed,
  });
const bitsOf = async (trainer: Trainer): Promise<string> =>
  fingerprint(Object.values(await trainer.getWeights()).map((w) => Float32Array.from(w)));
const png = encodePng({ width: 32, height: 32, channels: 3, data: new Uint8Array(32 * 32 * 3) });

const lasting = await make(1);

/** The bits of a short training, and of its model once saved and loaded. */
async function round(): Promise<string> {
  const trainer = await make(2);
  await trainer.fit(data, {
    epochs: 3,
    batchSize: 32,
    callbacks: [modelCheckpoint({ folder: path.join(folder, "run") })],
  });
  await trainer.save(path.join(folder, "model"));
  const { trainer: loaded } = await loadModel(path.join(folder, "model"), { device });
  const bits = [await bitsOf(trainer), await bitsOf(loaded)];
  trainer.dispose();
  loaded.dispose();
  await decodeImage(png);
  await lasting.predict(data.x);
  await lasting.evaluate(data);
  await lasting.fit(data, { epochs: 1, batchSize: 32 });
  return bits.join();
}

function use(): Use {
  collectGarbage();
  const { heapUsed, rss } = process.memoryUsage();
  const files = process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
  return {
    heap: heapUsed,
    rss,
    device: device.memory().bytes,
    handles: files + process.getActiveResourcesInfo().length,
  };
}

const shown = ({ heap, rss, device, handles }: Use): string =>
  `heap ${(heap / 1e6).toFixed(1)} MB, RSS ${(rss / 1e6).toFixed(0)} MB, device ${device} bytes, ${handles} handles`;

console.log(`device: ${device.info.adapter}`);
const began = performance.now();
const elapsed = (): number => (performance.now() - began) / 60_000;
const first = await round();
let [rounds, others, next] = [1, 0, 1];
let settled: Use | null = null;
while (elapsed() < minutes) {
  if ((await round()) !== first) others++;
  rounds++;
  if (!settled && elapsed() > minutes / 4) settled = use();
  if (elapsed() < next) continue;
  console.log(`${next++} min, ${rounds} rounds: ${shown(use())}`);
}
const end = use();
settled ??= end;
const grown = (Object.keys(MOST_GROWTH) as (keyof Use)[]).filter(
  (name) => end[name] - settled[name] > MOST_GROWTH[name],
);
console.log(`after a quarter: ${shown(settled)}\nat the end:      ${shown(end)}`);
console.log(
  `${rounds} rounds, ${others} of other bits; ${grown.length === 0 ? "nothing grew" : `grew: ${grown.join(", ")}`}`,
);
lasting.dispose();
device.dispose();
rmSync(folder, { recursive: true });
process.exitCode = others > 0 || grown.length > 0 ? 1 : 0;
