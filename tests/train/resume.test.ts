import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FileStore, Files } from "../../src/io/bundle.ts";
import type { CheckpointFile } from "../../src/io/checkpoint.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/io/checkpoint.ts";
import type { Json } from "../../src/io/json.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { adam, rmsprop } from "../../src/model/optimizers.ts";
import { linearDecay } from "../../src/model/schedules.ts";
import type { Callback } from "../../src/train/callbacks.ts";
import { earlyStopping, modelCheckpoint, reduceOnPlateau } from "../../src/train/callbacks.ts";
import type { CompileOptions } from "../../src/train/compileOptions.ts";
import type { FitOptions } from "../../src/train/fit.ts";
import { checkpointOf, restoreCheckpoint } from "../../src/train/saving.ts";
import type { RowSource } from "../../src/train/source.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { bitsOf, codeOf, failure, onDevices, problem, trainerOf, withDropout, wrapDevice } from "./support.ts";

const data = problem(70);
const validation = problem(40, { seed: 2 });
const fitting: FitOptions = { epochs: 6, batchSize: 16 };

/** The checkpoint as it comes back from its files. */
const throughFiles = (file: CheckpointFile): CheckpointFile => decodeCheckpoint(encodeCheckpoint(file), "checkpoint");

onDevices((device) => {
  const make = (options: Partial<CompileOptions> = {}, model: Model = withDropout()): Trainer =>
    trainerOf(device(), model, {
      optimizer: adam({ learningRate: linearDecay(0.03, 0.001, { per: "step" }) }),
      ...options,
    });

  /** Its chunks hold one step, so that where it is cut does not depend on time. */
  const makeSlow = (): Trainer =>
    trainerOf(wrapDevice(device(), { maxQueue: 1 }), withDropout(), {
      optimizer: adam({ learningRate: linearDecay(0.03, 0.001, { per: "step" }) }),
    });

  /** What a finished run left behind. */
  async function outcome(trainer: Trainer): Promise<Record<string, unknown>> {
    const left = { ...(await bitsOf(trainer)), history: structuredClone(trainer.history), step: trainer.step };
    trainer.dispose();
    return left;
  }

  it("goes on with the end of an epoch whose validation failed", async () => {
    const whole = make();
    await whole.fit(data, { ...fitting, validation });
    const cut = make();
    let reads = 0;
    const source: RowSource = {
      rows: 40,
      read: async (start, count) => {
        if (++reads === 2) throw new Error("no such disk");
        const [from, to] = [start, start + count];
        const width = validation.x.length / 40;
        return { x: validation.x.slice(width * from, width * to), y: validation.y.slice(from, to) };
      },
    };
    await expect(cut.fit(data, { ...fitting, validation: source })).rejects.toThrow("no such disk");
    await cut.fit(data, { ...fitting, validation });
    expect(await outcome(cut)).toEqual(await outcome(whole));
  });

  it("saves no checkpoint while steps are on their way", async () => {
    const cut = makeSlow();
    const codes: string[] = [];
    for await (const event of cut.run(data, fitting)) {
      if (event.type === "steps" && event.step === 3) codes.push(await codeOf(checkpointOf(cut, [])));
    }
    expect(codes).toEqual(["E_ARGUMENT"]);
    expect((await checkpointOf(cut, [])).step).toBe(cut.step);
    cut.dispose();
  });

  it("has the bits of an uninterrupted run when an AbortSignal cut it mid-epoch and the same trainer goes on", async () => {
    const whole = make();
    await whole.fit(data, fitting);
    const cut = makeSlow();
    const stop = new AbortController();
    const aborted = (async () => {
      for await (const event of cut.run(data, { ...fitting, signal: stop.signal })) {
        if (event.type === "steps" && event.step === 7) stop.abort();
      }
    })();
    expect(await codeOf(aborted)).toBe("E_ABORTED");
    // Step 8 was on its way.
    expect(cut).toMatchObject({ step: 8, cursor: { epoch: 1, stepInEpoch: 3 } });
    await cut.fit(data, fitting);
    expect(await outcome(cut)).toEqual(await outcome(whole));
  });

  it("has them, too, in a fresh trainer that took up a checkpoint made mid-epoch", async () => {
    const whole = make();
    await whole.fit(data, fitting);
    const cut = makeSlow();
    for await (const event of cut.run(data, fitting)) if (event.type === "steps" && event.step === 8) break;
    expect(cut).toMatchObject({ step: 9, cursor: { epoch: 1, stepInEpoch: 4 } });
    const saved = throughFiles(await checkpointOf(cut, []));
    cut.dispose();
    const resumed = make();
    restoreCheckpoint(resumed, saved, [], "checkpoint");
    await resumed.fit(data, fitting);
    expect(await outcome(resumed)).toEqual(await outcome(whole));
  });

  it("counts every step that ran when the loop over events is left", async () => {
    const whole = make();
    await whole.fit(data, fitting);
    const left = makeSlow();
    for await (const _ of left.run(data, fitting)) break;
    expect(left.step).toBe(2);
    for await (const _ of left.run(data, fitting)) break;
    expect(left.step).toBe(4);
    await left.fit(data, fitting);
    expect(await outcome(left)).toEqual(await outcome(whole));
  });

  it.each([1, 2, 4, 5])("has them when the checkpoint of epoch %i is taken up, callbacks and all", async (epoch) => {
    const saves: Files[] = [];
    const files: FileStore = {
      publish: async (_, saved) => void saves.push(saved),
      read: async () => saves[epoch - 1],
    };
    const callbacks = (): Callback[] => [
      earlyStopping({ patience: 2, monitor: "valLoss" }),
      reduceOnPlateau({ patience: 0, factor: 0.5 }),
      modelCheckpoint({ folder: "run" }),
    ];
    const options = { ...fitting, epochs: 8, validation };
    const whole = make({ metrics: ["rocAuc"], files });
    await whole.fit(data, { ...options, callbacks: callbacks() });
    const resumed = make({ metrics: ["rocAuc"], files });
    const taken = callbacks();
    await resumed.restoreCheckpoint("run", taken);
    await resumed.fit(data, { ...options, callbacks: taken });
    expect(resumed.rateScale).toBe(whole.rateScale);
    expect(await outcome(resumed)).toEqual(await outcome(whole));
  });

  it("resumes a second fit, whose epochs have orders of their own", async () => {
    const whole = make();
    await whole.fit(data, { epochs: 2, batchSize: 16 });
    await whole.fit(data, fitting);
    const cut = makeSlow();
    await cut.fit(data, { epochs: 2, batchSize: 16 });
    for await (const event of cut.run(data, fitting)) if (event.type === "steps" && event.step === 14) break;
    const resumed = make();
    restoreCheckpoint(resumed, throughFiles(await checkpointOf(cut, [])), [], "checkpoint");
    cut.dispose();
    await resumed.fit(data, fitting);
    expect(await outcome(resumed)).toEqual(await outcome(whole));
  });

  it("goes on from a checkpoint of a finished fit with any data and batch size", async () => {
    const first = make();
    await first.fit(data, { epochs: 2, batchSize: 16 });
    const saved = throughFiles(await checkpointOf(first, []));
    await first.fit(validation, { epochs: 1, batchSize: 8 });
    const second = make();
    restoreCheckpoint(second, saved, [], "checkpoint");
    await second.fit(validation, { epochs: 1, batchSize: 8 });
    expect(await outcome(second)).toEqual(await outcome(first));
  });

  it("forgets a callback's earlier run when a new fit begins", async () => {
    const stopping = earlyStopping({ monitor: "loss", patience: 1, minDelta: 10 });
    const trainer = make();
    await trainer.fit(data, { epochs: 5, batchSize: 16, callbacks: [stopping] });
    expect(trainer.history.loss.length).toBe(2);
    await trainer.fit(data, { epochs: 5, batchSize: 16, callbacks: [stopping] });
    expect(trainer.history.loss.length).toBe(4);
    trainer.dispose();
  });

  describe("a checkpoint of another run", () => {
    let saved: CheckpointFile;
    beforeAll(async () => {
      const trainer = makeSlow();
      for await (const event of trainer.run(data, fitting)) if (event.type === "steps" && event.step === 8) break;
      saved = await checkpointOf(trainer, []);
      trainer.dispose();
    });

    it.each<[string, (make: (o?: Partial<CompileOptions>, m?: Model) => Trainer) => Trainer]>([
      ["seed", (trainer) => trainer({ seed: 8 })],
      [
        "architecture",
        (trainer) =>
          trainer({}, sequential({ input: [5] }, [dense(9, { activation: "relu" }), dropout(0.3), dense(1)])),
      ],
      ["optimizer", (trainer) => trainer({ optimizer: rmsprop() })],
    ])("(%s) is refused and changes nothing", async (what, another) => {
      const trainer = another(make);
      const before = await bitsOf(trainer);
      expect(() => restoreCheckpoint(trainer, saved, [], "here")).toThrow(
        expect.objectContaining({ code: "E_FILE", message: expect.stringMatching(new RegExp(`^here: .*${what}`)) }),
      );
      expect(await bitsOf(trainer)).toEqual(before);
      expect(trainer.step).toBe(0);
      trainer.dispose();
    });

    it("was made in f32 where it says nothing of precision", () => {
      const { precision, ...config } = saved.config as Record<string, Json>;
      expect(precision).toBe("f32");
      const trainer = make();
      restoreCheckpoint(trainer, { ...saved, config }, [], "here");
      expect(trainer.step).toBe(saved.step);
      trainer.dispose();
      if (device().limits?.f16 === false) return;
      const other = make({ precision: "mixed" });
      expect(() => restoreCheckpoint(other, { ...saved, config }, [], "here")).toThrow("made with another precision");
      other.dispose();
    });

    it.each([true, false])(
      "of a version that had `deterministic`, then %s, is gone on with if it was on",
      (deterministic) => {
        const trainer = make();
        const config = { ...(saved.config as Record<string, Json>), deterministic };
        const restore = (): void => restoreCheckpoint(trainer, { ...saved, config }, [], "here");
        if (deterministic) restore();
        else expect(restore).toThrow("made with deterministic: false, which is gone");
        expect(trainer.step).toBe(deterministic ? saved.step : 0);
        trainer.dispose();
      },
    );

    it.each<[string, "E_DATA" | "E_ARGUMENT", typeof data, FitOptions]>([
      ["one other label", "E_DATA", { ...data, y: data.y.map((v, i) => (i === 3 ? 1 - v : v)) }, fitting],
      ["other weights", "E_DATA", { ...data, sampleWeight: data.x.slice(0, 70).map(Math.abs) }, fitting],
      ["another batch size", "E_ARGUMENT", data, { ...fitting, batchSize: 8 }],
    ])("is not gone on with by %s, and nothing changes", async (_, code, rows, options) => {
      const trainer = make();
      restoreCheckpoint(trainer, saved, [], "here");
      const before = await bitsOf(trainer);
      expect(await codeOf(trainer.fit(rows, options))).toBe(code);
      expect(await bitsOf(trainer)).toEqual(before);
      expect(trainer.step).toBe(saved.step);
      trainer.dispose();
    });

    it.each([{}, { rateScale: 1, lossSum: 0, batchSize: "16", stopped: false, callbacks: {} }, { callbacks: 3 }, null])(
      "whose states are %j is a damaged file",
      async (states) => {
        const trainer = make();
        const before = await bitsOf(trainer);
        expect(() => restoreCheckpoint(trainer, { ...saved, states }, [], "here")).toThrow(
          expect.objectContaining({ code: "E_FILE" }),
        );
        expect(await bitsOf(trainer)).toEqual(before);
        trainer.dispose();
      },
    );
  });

  describe("in a folder", () => {
    const folder = mkdtempSync(join(tmpdir(), "tilegrad-"));
    afterAll(() => rmSync(folder, { recursive: true }));

    it("keeps everything that a resumed run needs", async () => {
      const whole = make();
      await whole.fit(data, fitting);
      const cut = makeSlow();
      for await (const event of cut.run(data, fitting)) if (event.type === "steps" && event.step === 8) break;
      await cut.saveCheckpoint(join(folder, "run"));
      cut.dispose();
      const resumed = make();
      await resumed.restoreCheckpoint(join(folder, "run"));
      await resumed.fit(data, fitting);
      expect(await outcome(resumed)).toEqual(await outcome(whole));
    });

    it("that holds none is a typed error", async () => {
      const trainer = make();
      expect((await failure(trainer.restoreCheckpoint(join(folder, "nowhere")))).code).toBe("E_FILE");
      trainer.dispose();
    });
  });
});
