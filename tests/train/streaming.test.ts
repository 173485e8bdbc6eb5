import { describe, expect, it } from "vitest";
import { TilegradError } from "../../src/errors.ts";
import { adam } from "../../src/model/optimizers.ts";
import { mixup } from "../../src/train/augment.ts";
import { blockSize, blocksOf } from "../../src/train/blocks.ts";
import type { Data } from "../../src/train/data.ts";
import type { FitOptions } from "../../src/train/fit.ts";
import { checkpointOf, restoreCheckpoint } from "../../src/train/saving.ts";
import type { RowSource } from "../../src/train/source.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { bitsOf, failure, onDevices, problem, trainerOf, withDropout, wrapDevice } from "./support.ts";

const ROWS = 1000;
const BATCH = 16;
const data = problem(ROWS);
const validation = problem(300, { seed: 2 });
/** Bytes of 128 rows of five inputs, a label and a weight: blocks of eight batches. */
const blockBytes = 128 * 4 * 7;
/** A label that is neither yes nor no, in the last row. */
const spoilt = { ...data, y: data.y.map((v, i) => (i === ROWS - 1 ? 2 : v)) };
const fitting: FitOptions = { epochs: 3, batchSize: BATCH, blockBytes };

/** Arrays as a source; `reads` counts. */
function sourceOf({ x, y, sampleWeight }: Data, more: Partial<RowSource> = {}): RowSource & { reads: number } {
  const rows = y.length;
  const width = x.length / rows;
  const slice = (values: ArrayLike<number>, from: number, to: number) => Float32Array.from(values).slice(from, to);
  return {
    rows,
    reads: 0,
    async read(start, count) {
      this.reads++;
      return {
        x: slice(x, start * width, (start + count) * width),
        y: slice(y, start, start + count),
        ...(sampleWeight ? { sampleWeight: slice(sampleWeight, start, start + count) } : {}),
      };
    },
    ...more,
  };
}

/** The row numbers of an epoch, in the order of training. */
function orderOf(epoch: number, seed: number, rows = ROWS): number[] {
  const blockRows = blockSize(BATCH, 4 * 7, blockBytes);
  const blocks = blocksOf({ rows, batchSize: BATCH, blockRows, shuffle: { seed, epoch } });
  return blocks.flatMap((block) => {
    const held = block.runs.flatMap(({ start, count }) => Array.from({ length: count }, (_, i) => start + i));
    return Array.from(block.order(), (row) => held[row]);
  });
}

describe("blocks", () => {
  it.each([1, 15, 16, 127, 128, 129, 999, 1000, 5000])("hold each of %i rows once in an epoch", (rows) => {
    for (const blockRows of [16, 48, 128, 256, 512]) {
      const blocks = blocksOf({ rows, batchSize: 16, blockRows, shuffle: { seed: 3, epoch: 1 } });
      const seen = blocks.flatMap((block) => {
        const held = block.runs.flatMap(({ start, count }) => Array.from({ length: count }, (_, i) => start + i));
        expect(held.length).toBe(block.rows);
        expect([...block.order()].sort((a, b) => a - b)).toEqual(held.map((_, i) => i));
        return held;
      });
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
      expect(blocks.slice(0, -1).every((block) => block.rows === blockRows)).toBe(true);
      expect(blocks.map((block) => block.next)).toEqual([...blocks.slice(1), null]);
    }
  });

  it("come in another order each epoch, mixed from all over the data", () => {
    const [first, second] = [orderOf(0, 7), orderOf(1, 7)];
    expect(first).not.toEqual(second);
    expect(orderOf(0, 7)).toEqual(first);
    // The first block of sorted rows has rows of every tenth.
    const tenths = new Set(
      orderOf(0, 7, 100_000)
        .slice(0, 128)
        .map((row) => Math.floor(row / 10_000)),
    );
    expect(tenths.size).toBeGreaterThanOrEqual(4);
  });

  it("are whole batches of at most the bytes asked for, and at least one batch", () => {
    expect(blockSize(32, 100, 32 * 100 * 50)).toBe(32 * 48);
    expect(blockSize(32, 100, 32 * 100 * 7.5)).toBe(32 * 7);
    expect(blockSize(32, 100, 1)).toBe(32);
  });
});

onDevices((device) => {
  const make = (on = device()): Trainer => trainerOf(on, withDropout(), { optimizer: adam(), metrics: ["rocAuc"] });
  async function outcome(trainer: Trainer): Promise<Record<string, unknown>> {
    const left = { ...(await bitsOf(trainer)), history: structuredClone(trainer.history), step: trainer.step };
    trainer.dispose();
    return left;
  }

  it.each([
    ["with weights", data, {}],
    ["without weights", { x: data.x, y: data.y }, {}],
    ["with mixup", data, { augment: mixup() }],
  ])("has the bits of arrays that are trained on in the same order, %s", async (_, rows, more) => {
    const streamed = make();
    const source = sourceOf(rows);
    const options = rows === data ? fitting : { ...fitting, blockBytes: (blockBytes * 6) / 7 };
    await streamed.fit(source, { ...options, ...more, validation: sourceOf(validation) });
    const whole = make();
    await whole.fit(rows, { ...fitting, ...more, validation, order: (epoch) => orderOf(epoch, 7) });
    expect(await outcome(streamed)).toEqual(await outcome(whole));
  });

  it("has the bits of arrays where all rows fit into one block", async () => {
    const [streamed, whole] = [make(), make()];
    await streamed.fit(sourceOf(data), { epochs: 2 });
    await whole.fit(data, { epochs: 2 });
    expect(await outcome(streamed)).toEqual(await outcome(whole));
  });

  it("streams arrays that are larger than a buffer may be, to the bits of a source", async () => {
    const [large, streamed] = [make(wrapDevice(device(), { maxTensorBytes: 4 * 5 * ROWS - 1 })), make()];
    await large.fit(data, fitting);
    await streamed.fit(sourceOf(data), fitting);
    expect(await outcome(large)).toEqual(await outcome(streamed));
  });

  it("holds a block on the device, however many rows there are", async () => {
    const held = async (rows: RowSource): Promise<number> => {
      const trainer = make();
      let bytes = 0;
      for await (const _ of trainer.run(rows, { ...fitting, epochs: 1 })) bytes = device().memory().bytes;
      trainer.dispose();
      return bytes;
    };
    expect(await held(sourceOf(problem(2008)))).toBe(await held(sourceOf(data)));
  });

  it("has the bits of an uninterrupted run when a checkpoint from the middle of a block is taken up", async () => {
    const whole = make();
    await whole.fit(sourceOf(data), fitting);
    const cut = make(wrapDevice(device(), { maxQueue: 1 }));
    const stop = new AbortController();
    const aborted = (async () => {
      for await (const event of cut.run(sourceOf(data), { ...fitting, signal: stop.signal })) {
        if (event.type === "steps" && event.step === 83) stop.abort();
      }
    })();
    expect((await failure(aborted)).code).toBe("E_ABORTED");
    expect(cut.cursor).toMatchObject({ epoch: 1, blockRows: 128 });
    const resumed = make();
    restoreCheckpoint(resumed, await checkpointOf(cut, []), [], "checkpoint");
    cut.dispose();
    const source = sourceOf(data, { fingerprint: cut.progress.data });
    await resumed.fit(source, { ...fitting, blockBytes: 2 * blockBytes });
    expect(await outcome(resumed)).toEqual(await outcome(whole));
    expect(source.reads).toBeLessThan(2 * 8 * 8 + 10);
  });

  it("goes on after a source has failed", async () => {
    const whole = make();
    await whole.fit(sourceOf(data), fitting);
    const trainer = make();
    const broken = sourceOf(data, { fingerprint: "rows" });
    const read = broken.read.bind(broken);
    broken.read = async (start, count) => {
      if (broken.reads > 90) throw new TilegradError("E_FILE", "the disk is gone");
      return read(start, count);
    };
    expect(await failure(trainer.fit(broken, fitting))).toMatchObject({ code: "E_FILE", message: "the disk is gone" });
    expect(trainer.step).toBeGreaterThan(0);
    await trainer.fit(sourceOf(data, { fingerprint: "rows" }), fitting);
    expect(await outcome(trainer)).toEqual(await outcome(whole));
  });

  it("refuses other rows when a run is gone on with", async () => {
    const trainer = make();
    for await (const _ of trainer.run(sourceOf(data), fitting)) break;
    const other = sourceOf({ ...data, y: data.y.map((v, i) => (i === 3 ? 1 - v : v)) });
    expect((await failure(trainer.fit(other, fitting))).code).toBe("E_DATA");
    trainer.dispose();
  });

  it("evaluates and predicts a source as it does arrays", async () => {
    const trainer = make();
    expect(await trainer.evaluate(sourceOf(data))).toEqual(await trainer.evaluate(data));
    expect(await trainer.predict(sourceOf(spoilt))).toEqual(await trainer.predict(data.x));
    for (const rows of [spoilt, sourceOf(spoilt)]) {
      expect((await failure(trainer.evaluate(rows))).message).toMatch(/^evaluate: the label of row 999 is 2/);
    }
    trainer.dispose();
  });

  it.each<[string, string, RegExp, RowSource, FitOptions]>([
    [
      "a feature that is no number",
      "E_DATA",
      /row 700, feature 2/,
      sourceOf({ ...data, x: data.x.map((v, i) => (i === 3502 ? Number.NaN : v)) }),
      fitting,
    ],
    ["a label", "E_DATA", /^fit: the label of row 999 is 2/, sourceOf(spoilt), fitting],
    [
      "a label in a row that is not read before it is trained on",
      "E_DATA",
      /^fit: the label of row 999 is 2/,
      sourceOf(spoilt, { fingerprint: "rows" }),
      fitting,
    ],
    [
      "a label to validate by",
      "E_DATA",
      /^validation: the label of row 999 is 2/,
      sourceOf(data),
      { ...fitting, validation: sourceOf(spoilt) },
    ],
    [
      "fewer rows than asked for",
      "E_SHAPE",
      /gave 1 rows from row \d+ on; expected 1000/,
      sourceOf(data, { read: () => ({ x: data.x.slice(0, 5), y: data.y.slice(0, 1) }) }),
      fitting,
    ],
    ["no rows", "E_ARGUMENT", /has 0 rows/, sourceOf(data, { rows: 0 }), fitting],
    [
      "weights for some rows only",
      "E_SHAPE",
      /other labels or weights/,
      sourceOf(data, {
        read: (start, count) => ({
          x: data.x.slice(0, 5 * count),
          y: data.y.slice(0, count),
          ...(start > 500 ? { sampleWeight: data.y.slice(0, count) } : {}),
        }),
      }),
      fitting,
    ],
    ["an order", "E_ARGUMENT", /order/, sourceOf(data), { ...fitting, order: () => [1, 2] }],
    ["a block of no bytes", "E_ARGUMENT", /blockBytes 0/, sourceOf(data), { ...fitting, blockBytes: 0 }],
  ])("names the fault of %s", async (_, code, message, source, options) => {
    const trainer = make();
    expect(await failure(trainer.fit(source, options))).toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    trainer.dispose();
  });
});
