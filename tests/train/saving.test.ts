import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/device.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy, focal } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { openDevice } from "../../src/openDevice.ts";
import { loadModel } from "../../src/train/loading.ts";
import { bitsOf, failure, onDevices, problem, trainerOf, withDropout } from "./support.ts";

const data = problem(70);
const threshold = { value: 0.4, rule: "f1" };
const labels = { positive: "yes", negative: "no" };
const folder = mkdtempSync(join(tmpdir(), "tilegrad-"));
afterAll(() => rmSync(folder, { recursive: true }));

onDevices((device, name) => {
  it.each<[string, () => Model]>([
    ["dropout", withDropout],
    [
      "a final sigmoid",
      () =>
        sequential({ input: [5] }, [
          dense(4, { activation: "gelu", name: "first" }),
          dense(1, { activation: "sigmoid" }),
        ]),
    ],
    ["frozen layers", () => sequential({ input: [5] }, [dense(4, { trainable: false }), dropout(0.1), dense(1)])],
  ])("a saved model (%s) predicts, scores and trains on as before", async (what, model) => {
    const trainer = trainerOf(device(), model(), { loss: focal({ gamma: 1.5 }), metrics: ["rocAuc"] });
    await trainer.fit(data, { epochs: 2, batchSize: 16 });
    const place = join(folder, `${name} ${what}`);
    await trainer.save(place, { threshold, labels });
    const loaded = await loadModel(place, { device: device(), metrics: ["rocAuc"] });
    expect(await loaded.trainer.predict(data.x)).toEqual(await trainer.predict(data.x));
    expect(await loaded.trainer.evaluate(data)).toEqual(await trainer.evaluate(data));
    expect(loaded.threshold).toEqual(threshold);
    expect(loaded.labels).toEqual(labels);
    expect(loaded.training).toMatchObject({
      seed: 7,
      epochs: 2,
      lossFunction: { type: "focal", config: { gamma: 1.5 } },
    });
    await loaded.trainer.fit(data, { epochs: 1, batchSize: 16 });
    trainer.dispose();
    loaded.trainer.dispose();
  });
});

describe("a model folder", () => {
  let device: Device;
  const place = join(folder, "model");
  beforeAll(async () => {
    device = await openDevice({ backend: "cpu" });
    const trainer = trainerOf(device, withDropout());
    await trainer.save(place);
    trainer.dispose();
  });
  afterAll(() => device.dispose());

  /** Loads a copy in which one file was changed. */
  async function loadChanged(pattern: RegExp, change: (bytes: Buffer) => Buffer | string): ReturnType<typeof failure> {
    const copy = join(folder, "changed");
    rmSync(copy, { recursive: true, force: true });
    const trainer = trainerOf(device, withDropout());
    await trainer.save(copy);
    trainer.dispose();
    const file = readdirSync(copy).find((f) => pattern.test(f)) as string;
    writeFileSync(join(copy, file), change(readFileSync(join(copy, file))));
    return failure(loadModel(copy, { device }));
  }

  it("holds equal bytes when equal models are saved", async () => {
    const again = join(folder, "again");
    const trainer = trainerOf(device, withDropout());
    await trainer.save(again);
    trainer.dispose();
    const files = (where: string) => readdirSync(where).map((f) => [f, readFileSync(join(where, f))]);
    expect(files(again)).toEqual(files(place));
  });

  const edit = (from: string | RegExp, to: string) => (bytes: Buffer) => bytes.toString().replace(from, to);
  it.each<[string, RegExp, (bytes: Buffer) => Buffer | string]>([
    [
      "a flipped bit in the weights",
      /safetensors$/,
      (b) => Buffer.from(b.map((v, i) => (i === b.length - 3 ? v ^ 4 : v))),
    ],
    ["truncated weights", /safetensors$/, (b) => b.subarray(0, b.length - 8)],
    ["no weights", /safetensors$/, () => ""],
    ["truncated JSON", /json$/, (b) => b.subarray(0, b.length / 2)],
    ["another architecture", /json$/, edit('"units": 8', '"units": 9')],
    ["another input shape", /json$/, edit('"input": [5]', '"input": [6]')],
    ["an impossible layer", /json$/, edit('"units": 8', '"units": -8')],
    ["an unknown layer", /json$/, edit('"type": "dropout"', '"type": "dropin"')],
    ["an unknown loss", /json$/, edit('"type": "binaryCrossentropy"', '"type": "unaryCrossentropy"')],
    ["an unknown activation", /json$/, edit('"relu"', '"rely"')],
  ])("with %s is E_FILE, and holds no memory", async (_, file, change) => {
    const held = device.memory().bytes;
    const error = await loadChanged(file, change);
    expect(error.code, error.message).toBe("E_FILE");
    expect(device.memory().bytes).toBe(held);
  });

  it("that is missing is E_FILE", async () => {
    expect((await failure(loadModel(join(folder, "nowhere"), { device }))).code).toBe("E_FILE");
  });

  it("keeps the old model whole when a new one cannot be written", async () => {
    const trainer = trainerOf(device, withDropout(), { seed: 1 });
    const before = await bitsOf(trainer);
    writeFileSync(join(folder, "file"), "");
    expect((await failure(trainer.save(join(folder, "file", "model")))).code).toBe("E_FILE");
    expect(await bitsOf(trainer)).toEqual(before);
    trainer.dispose();
  });

  it.each<[string, unknown, RegExp]>([
    ["a number for a threshold", { threshold: 0.5 }, /^save: threshold: got 0.5; expected an object/],
    ["a misspelt name", { treshold: threshold }, /^save: there is no option "treshold"/],
    ["half a threshold", { threshold: { value: 0.3 } }, /threshold.rule: got nothing; expected text/],
    ["a rule that is no text", { threshold: { value: 0.3, rule: { maximize: "f1" } } }, /threshold.rule/],
    ["labels in a list", { labels: ["no", "yes"] }, /labels: got .*; expected an object/],
    ["an unknown calibration", { calibration: { method: "x", from: "logit" } }, /calibration.method/],
    ["a list with a hole", { preprocessing: new Array(2) }, /JSON.preprocessing\[0\]/],
    ["null", null, /^save: got null/],
  ])("keeps the old model whole when extras are wrong: %s", async (_, extras, message) => {
    const trainer = trainerOf(device, withDropout(), { seed: 2 });
    const error = await failure(trainer.save(place, extras as never));
    expect([error.code, error.message]).toEqual(["E_ARGUMENT", expect.stringMatching(message)]);
    expect((await loadModel(place, { device })).training?.seed).toBe(7);
    trainer.dispose();
  });

  it("of a custom loss or layer needs its maker", async () => {
    const twice = { type: "twice", config: {}, call: (x: Parameters<Model["trace"]>[0]) => x };
    const trainer = trainerOf(device, sequential({ input: [5] }, [twice, dense(1)]), { loss: binaryCrossentropy() });
    await trainer.save(join(folder, "custom"));
    expect((await failure(loadModel(join(folder, "custom"), { device }))).hint).toContain("`layers`");
    const loaded = await loadModel(join(folder, "custom"), { device, layers: { twice: () => twice } });
    expect(await loaded.trainer.predict(data.x)).toEqual(await trainer.predict(data.x));
    trainer.dispose();
    loaded.trainer.dispose();
  });
});
