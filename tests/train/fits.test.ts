/** Nothing is allocated before it is known to fit: sizes that no machine holds end in a typed error, at once. */
import { expect, it } from "vitest";
import type { Files } from "../../src/io/bundle.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { gru, lstm } from "../../src/model/layers/recurrent.ts";
import { bidirectional } from "../../src/model/layers/wrappers.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { adagrad } from "../../src/model/optimizers.ts";
import { modelFromJson } from "../../src/model/registry.ts";
import { openDevice } from "../../src/openDevice.ts";
import { trainerFromFiles } from "../../src/train/loading.ts";
import { modelFiles } from "../../src/train/saving.ts";
import { allFinite, failure, onDevices, problem, trainerOf } from "./support.ts";

const MOST = Number.MAX_SAFE_INTEGER;
const mlp = (units: number, inputs = 5): Model => sequential({ input: [inputs] }, [dense(units), dense(1)]);

/** What `work` throws, having taken no memory worth the name and no time. */
function refusal(work: () => unknown): unknown {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  const start = performance.now();
  try {
    work();
  } catch (error) {
    const now = process.memoryUsage();
    expect(now.arrayBuffers - arrayBuffers + now.heapUsed - heapUsed).toBeLessThan(64 * 2 ** 20);
    expect(performance.now() - start).toBeLessThan(2000);
    return error;
  }
  throw new Error("was not refused");
}

/** The files with the text of model.json edited. */
function edited(files: Files, from: string | RegExp, to: string): Files {
  const text = new TextDecoder().decode(files["model.json"]);
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  return { ...files, "model.json": new TextEncoder().encode(changed) };
}

onDevices((device) => {
  it.each([
    ["dense(1e7) on 1,000 inputs", () => mlp(1e7, 1000)],
    ["dense(2^53 - 1)", () => mlp(MOST)],
    ["rows of 2^53 - 1 features", () => mlp(1, MOST)],
  ])("%s is E_MEMORY, naming the buffer", (_, model) => {
    const held = device().memory().bytes;
    expect(refusal(() => trainerOf(device(), model()))).toMatchObject({
      code: "E_MEMORY",
      message: expect.stringMatching(/^parameters: needs [\d.e+]+ bytes; /),
      hint: expect.stringContaining("smaller layer"),
    });
    expect(device().memory().bytes).toBe(held);
  });

  it("a model.json that asks for more than its weights is E_FILE", async () => {
    const trainer = trainerOf(device(), mlp(2));
    const files = await modelFiles(trainer);
    trainer.dispose();
    const held = device().memory().bytes;
    const load = (to: string) => () =>
      trainerFromFiles(edited(files, /"units":\s*2\b/, `"units": ${to}`), "model", { device: device() });
    for (const units of ["400000000", String(MOST)]) {
      expect(refusal(load(units))).toMatchObject({
        code: "E_FILE",
        message: `model: tensor "dense/kernel": got f32 [5,2]; expected f32 [5,${units}].`,
      });
    }
    expect(refusal(load("1e300"))).toMatchObject({
      code: "E_FILE",
      message: "model: dense: got units 1e+300; expected a positive integer.",
    });
    expect(device().memory().bytes).toBe(held);
  });
});

it.each(["cpu", "webgpu"] as const)(
  "the optimizer's state must fit too, before weights are drawn, on %s",
  async (backend) => {
    // Weights of 24 MB, which fit, and as much again, which does not.
    const small = await openDevice({ backend, memoryBudget: 40_000_000 });
    const held = small.memory().bytes;
    const model = sequential({ input: [5] }, [dense(1e6)]);
    const { arrayBuffers } = process.memoryUsage();
    expect(() => trainerOf(small, model, { optimizer: adagrad() })).toThrow(
      expect.objectContaining({
        code: "E_MEMORY",
        message: expect.stringMatching(/^optimizer accumulator: needs 24000000 bytes; \d+ of 40000000 are in use\.$/),
      }),
    );
    // The CPU's tensors are memory of the host.
    if (backend === "webgpu") expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(2 ** 20);
    expect(small.memory().bytes).toBe(held);
    small.dispose();
  },
);

it("the CPU has a budget, for what a step needs too", async () => {
  const cpu = await openDevice({ backend: "cpu", memoryBudget: 250_000 });
  const trainer = trainerOf(cpu, mlp(100));
  const data = problem(64);
  const error = await failure(trainer.fit(data, { epochs: 1, batchSize: 64 }));
  expect(error).toMatchObject({
    code: "E_MEMORY",
    message: expect.stringMatching(/needs \d+ bytes; \d+ of 250000 are/),
  });
  await trainer.fit(data, { epochs: 1, batchSize: 2 });
  expect(allFinite(await trainer.getWeights())).toBe(true);
  cpu.dispose();
});

it.each([
  ["lstm", lstm],
  ["gru", gru],
] as const)("%s of more units than can be drawn is E_ARGUMENT, naming layer and option", (type, layer) => {
  for (const units of [4e8, MOST]) {
    expect(refusal(() => sequential({ input: [3, 2] }, [layer(units)]))).toMatchObject({
      code: "E_ARGUMENT",
      message: expect.stringMatching(
        new RegExp(`^layer "${type}" .*: ${type}: got units ${units}, a recurrent kernel of .*; expected fewer than`),
      ),
      hint: "Use fewer units.",
    });
  }
  expect(refusal(() => sequential({ input: [3, 2] }, [bidirectional(layer(MOST))]))).toMatchObject({
    code: "E_ARGUMENT",
    message: expect.stringContaining(`${type}: got units ${MOST}`),
  });
  expect(refusal(() => layer(1e300))).toMatchObject({
    code: "E_ARGUMENT",
    message: `${type}: got units 1e+300; expected a positive integer.`,
  });
});

it("sizes that are no safe integers are refused, in model.json too", () => {
  expect(refusal(() => dense(2 ** 53))).toMatchObject({
    code: "E_ARGUMENT",
    message: "dense: got units 9007199254740992; expected a positive integer.",
  });
  expect(refusal(() => sequential({ input: [1e300] }, [dense(1)]))).toMatchObject({ code: "E_SHAPE" });
  const json = { type: "sequential", input: [5], layers: [{ type: "dense", config: { units: 1e300 } }] };
  expect(refusal(() => modelFromJson(json))).toMatchObject({
    code: "E_ARGUMENT",
    message: "dense: got units 1e+300; expected a positive integer.",
  });
});
