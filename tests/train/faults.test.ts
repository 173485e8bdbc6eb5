import { describe, expect, it } from "vitest";
import type { Device } from "../../src/device.ts";
import type { Files } from "../../src/io/bundle.ts";
import type { CheckpointFile } from "../../src/io/checkpoint.ts";
import { decodeCheckpoint } from "../../src/io/checkpoint.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { meanSquaredError } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { sgd } from "../../src/model/optimizers.ts";
import { openGpu } from "../../src/node/gpu.ts";
import { openDevice } from "../../src/openDevice.ts";
import { modelCheckpoint } from "../../src/train/callbacks.ts";
import { restoreCheckpoint } from "../../src/train/saving.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openGpuDevice } from "../../src/webgpu/device.ts";
import {
  allFinite,
  bitsOf,
  codeOf,
  failure,
  onDevices,
  problem,
  trainerOf,
  withDropout,
  wrapDevice,
} from "./support.ts";

const data = problem(70);

onDevices((device) => {
  describe("a loss that is not finite", () => {
    const model = () => sequential({ input: [5] }, [dense(4), dense(1)]);
    const exploding = (on: Device, momentum = 0.9) =>
      trainerOf(on, model(), { loss: meanSquaredError(), optimizer: sgd({ learningRate: 3, momentum }) });
    const fitting = { epochs: 40, batchSize: 16, shuffle: false };

    it("is E_NONFINITE and leaves the weights and slots of the step before, to the bit", async () => {
      const trainer = exploding(device());
      const error = await failure(trainer.fit(data, fitting));
      expect(error.code).toBe("E_NONFINITE");
      expect(error.message).toMatch(/The loss became (Infinity|NaN) at step \d of epoch \d/);
      const after = await bitsOf(trainer);
      expect(allFinite(await trainer.getWeights())).toBe(true);
      // As many steps of a run that is cut there: chunks of one, so that it can be.
      const cut = exploding(wrapDevice(device(), { maxQueue: 1 }));
      for await (const event of cut.run(data, fitting))
        if (event.type === "steps" && event.step === trainer.step - 1) break;
      expect(cut.step).toBe(trainer.step);
      expect(await bitsOf(cut)).toEqual(after);
      trainer.dispose();
      cut.dispose();
    });

    it("freezes at the same step however chunks are cut", async () => {
      const ends: unknown[] = [];
      for (const maxQueue of [1, 5, device().maxQueue]) {
        const trainer = exploding(wrapDevice(device(), { maxQueue }));
        await failure(trainer.fit(data, fitting));
        ends.push({ step: trainer.step, cursor: trainer.cursor, bits: await bitsOf(trainer) });
        trainer.dispose();
      }
      expect(ends[1]).toEqual(ends[0]);
      expect(ends[2]).toEqual(ends[0]);
    });

    it("does not end it all: from better weights and at a lower rate, training goes on where it stood", async () => {
      const trainer = exploding(device(), 0);
      const start = await trainer.getWeights();
      await failure(trainer.fit(data, fitting));
      trainer.setWeights(start);
      trainer.rateScale = 1e-3;
      await trainer.fit(data, fitting);
      expect(trainer.cursor).toBeNull();
      expect(trainer.step).toBe(200);
      expect(trainer.history.loss).toHaveLength(40);
      expect(trainer.history.loss.at(-1)).toBeLessThan(0.5);
      trainer.dispose();
    });
  });

  describe("an AbortSignal", () => {
    it("that fired before stops fit before anything is made", async () => {
      const trainer = trainerOf(device(), withDropout());
      const held = device().memory().bytes;
      expect(await codeOf(trainer.fit(data, { epochs: 1, signal: AbortSignal.abort() }))).toBe("E_ABORTED");
      expect(device().memory().bytes).toBe(held);
      trainer.dispose();
    });

    it("stops fit within a fraction of a second, and frees what it held", async () => {
      const trainer = trainerOf(device(), withDropout());
      const held = device().memory().bytes;
      const stop = new AbortController();
      const { signal } = stop;
      let began = 0;
      const aborted = failure(
        (async () => {
          for await (const event of trainer.run(data, { epochs: 1_000_000, batchSize: 16, signal })) {
            if (event.type !== "steps" || began > 0) continue;
            began = performance.now();
            stop.abort();
          }
        })(),
      );
      expect(await aborted).toMatchObject({ code: "E_ABORTED", cause: signal.reason });
      expect(performance.now() - began).toBeLessThan(500);
      expect(device().memory().bytes - held).toBeLessThan(1 << 16);
      trainer.dispose();
    });
  });

  it("a callback that throws ends fit with its error, and what was trained stays", async () => {
    const trainer = trainerOf(device(), withDropout());
    const failing = { name: "failing", onEpochEnd: () => Promise.reject(new Error("disk full")) };
    await expect(trainer.fit(data, { epochs: 3, batchSize: 16, callbacks: [failing] })).rejects.toThrow("disk full");
    expect(trainer).toMatchObject({ step: 5, cursor: { epoch: 1, stepInEpoch: 0 } });
    await trainer.fit(data, { epochs: 3, batchSize: 16 });
    expect(trainer.history.loss).toHaveLength(3);
    trainer.dispose();
  });
});

describe("a device that is lost", () => {
  const open = async (): Promise<WebGpuDevice> => openGpuDevice({ gpu: (await openGpu()).gpu });

  it("ends a running fit with E_LOST promptly; the last checkpoint resumes to the same bits on a new one", async () => {
    const first = await open();
    const saves: CheckpointFile[] = [];
    let began = 0;
    const publish = async (_: string, saved: Files): Promise<void> => {
      if (saves.push(decodeCheckpoint(saved, "run")) !== 3) return;
      setTimeout(() => first.gpu.destroy(), 5);
      began = performance.now();
    };
    const trainer = trainerOf(first, withDropout(), { files: { publish, read: async () => ({}) } });
    const callbacks = [modelCheckpoint({ folder: "run" })];
    const error = await failure(trainer.fit(data, { epochs: 1_000_000, batchSize: 16, callbacks }));
    expect(error.code).toBe("E_LOST");
    expect(error.message).toContain("destroyed");
    expect(performance.now() - began).toBeLessThan(1000);

    const second = await open();
    const last = saves.at(-1) as CheckpointFile;
    const epochs = last.epoch + 2;
    const [resumed, whole] = [trainerOf(second, withDropout()), trainerOf(second, withDropout())];
    restoreCheckpoint(resumed, last, [], "checkpoint");
    await resumed.fit(data, { epochs, batchSize: 16 });
    await whole.fit(data, { epochs, batchSize: 16 });
    expect(await bitsOf(resumed)).toEqual(await bitsOf(whole));
    second.dispose();
  });

  it("answers everything that comes after with E_LOST, and nothing hangs", async () => {
    const device = await open();
    const trainer = trainerOf(device, withDropout());
    await trainer.predict(data.x);
    device.gpu.destroy();
    await device.gpu.lost;
    expect(await codeOf(trainer.predict(data.x))).toBe("E_LOST");
    expect(await codeOf(trainer.getWeights())).toBe("E_LOST");
    expect(await codeOf(trainer.fit(data, { epochs: 1 }))).toBe("E_LOST");
    expect(await codeOf(device.flush())).toBe("E_LOST");
    expect(() => trainerOf(device, withDropout())).toThrow(expect.objectContaining({ code: "E_LOST" }));
    trainer.dispose();
  });

  it("that the caller disposed of is lost, too", async () => {
    const device = await openDevice();
    const trainer = trainerOf(device, withDropout());
    const training = failure(trainer.fit(data, { epochs: 1_000_000 }));
    setTimeout(() => device.dispose(), 100);
    expect((await training).code).toBe("E_LOST");
  });
});
