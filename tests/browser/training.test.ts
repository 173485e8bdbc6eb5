import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readOracle } from "../oracles/files.ts";
import { launchChromium } from "./chromium.ts";
import { crashGpu, openPage, serveLibrary } from "./page.ts";
import type { Server } from "./serve.ts";

/** What the page gets as `globalThis.tg`. */
declare const tg: typeof import("../../src/api/core.ts") &
  typeof import("../../src/api/data.ts") &
  typeof import("../../src/api/graph.ts") &
  typeof import("../../src/api/metrics.ts");

const LIBRARY = ["core", "data", "graph", "metrics"]
  .map((entry) => `export * from "./src/api/${entry}.ts";`)
  .join("\n");

/** Weights of a 2-3-1 network, as the model names them. */
type XorWeights = Record<"hidden/kernel" | "hidden/bias" | "out/kernel" | "out/bias", number[]>;

/** The run `xor/full_batch_bce` of PyTorch: 5,000 epochs of SGD 0.1 on all four rows. */
const reference = {
  initial: {
    "hidden/kernel": [0.8493, -0.6475, 0.432, 0.8346, 0.2298, -0.0289],
    "hidden/bias": [-0.0636, 0.0105, -0.0806],
    "out/kernel": [-1.1927, 0.1787, 0.942],
    "out/bias": [0.0659],
  } satisfies XorWeights,
  loss: 0.005783,
  logits: [-5.099396, 6.718408, 4.742486, -4.936222],
};

/** The loss of each of the 5,000 steps. */
function lossesOfPyTorch(): number[] {
  const { runs } = readOracle<{ runs: { id: string; loss_f64: number[] }[] }>("training")!;
  return runs.find(({ id }) => id === "xor/full_batch_bce")!.loss_f64;
}

const worstDifference = (got: readonly number[], want: readonly number[]): number =>
  Math.max(...want.map((value, i) => Math.abs(got[i] - value)));

/** Trains the 2-3-1 network on XOR; gives its losses, logits and probabilities. */
async function trainXor(initial: XorWeights, epochs: number) {
  const device = await tg.openDevice();
  const { x, y } = tg.xor();
  const model = tg.sequential({ input: [2] }, [
    tg.dense(3, { activation: "tanh", name: "hidden" }),
    tg.dense(1, { name: "out" }),
  ]);
  const options = { device, loss: tg.binaryCrossentropy(), optimizer: tg.sgd({ learningRate: 0.1 }) };
  const trainer = await tg.compile(model, options);
  trainer.setWeights(initial);
  const losses: number[] = [];
  for await (const event of trainer.run({ x, y }, { epochs, batchSize: 4, shuffle: false })) {
    if (event.type === "steps") losses.push(...event.losses);
  }
  const logits = await trainer.outputs(x);
  const scores = await trainer.predict(x);
  device.dispose();
  return { losses, logits: [...logits], answers: [...scores].map((p) => (p >= 0.5 ? 1 : 0)), labels: [...y] };
}

/** Adam on shuffled moons with dropout and a tail batch; gives every weight. */
async function trainMoons(): Promise<Record<string, number[]>> {
  const device = await tg.openDevice();
  const data = tg.moons({ rows: 100, seed: 5 });
  const model = tg.sequential({ input: [2] }, [tg.dense(16, { activation: "relu" }), tg.dropout(0.2), tg.dense(1)]);
  const trainer = await tg.compile(model, { device, loss: tg.binaryCrossentropy(), seed: 7 });
  await trainer.fit(data, { epochs: 12, batchSize: 32 });
  const weights = await trainer.getWeights();
  device.dispose();
  return Object.fromEntries(Object.entries(weights).map(([name, values]) => [name, [...values]]));
}

describe("the library in Chromium", () => {
  let browser: Browser;
  let server: Server;
  let page: Page;
  beforeAll(async () => {
    server = await serveLibrary("tg", LIBRARY);
    browser = await launchChromium();
    page = await openPage(browser, server.url);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it("says that the GPU is a software one", async () => {
    const info = await page.evaluate(async () => {
      const device = await tg.openDevice();
      device.dispose();
      return device.info;
    });
    expect(info).toMatchObject({ backend: "webgpu", software: true });
    expect(info.driver).toMatch(/swiftshader/i);
  });

  it("learns XOR in 5,000 epochs to PyTorch's losses, logits and the four right answers", async () => {
    const { losses, logits, answers, labels } = await page.evaluate(trainXor, reference.initial, 5000);
    expect(losses).toHaveLength(5000);
    expect(Math.abs(losses[4999] - reference.loss)).toBeLessThan(1e-5);
    expect(worstDifference(losses, lossesOfPyTorch())).toBeLessThan(1e-5);
    expect(worstDifference(logits, reference.logits)).toBeLessThan(5e-5);
    expect(answers).toEqual(labels);
  });

  it("computes ops and their gradients as the f64 reference does", async () => {
    const names = ["add", "tanh", "softplus", "matmul", "linear", "sum", "gather", "softmax"];
    const results = await page.evaluate(async (wanted) => {
      const device = await tg.openDevice();
      const chosen = tg.allOps.filter((op) => wanted.includes(op.name));
      const checked = await tg.checkOps(device, chosen);
      device.dispose();
      return checked.map(({ op, name, ratio, error }) => ({ op, name, ratio, error }));
    }, names);
    expect(results.filter(({ ratio }) => !(ratio <= 1))).toEqual([]);
    expect(new Set(results.map(({ op }) => op)).size).toBeGreaterThanOrEqual(6);
  });

  it("gives the same bits in two runs, and in another page", async () => {
    const first = await page.evaluate(trainMoons);
    expect(await page.evaluate(trainMoons)).toEqual(first);
    const other = await openPage(browser, server.url);
    expect(await other.evaluate(trainMoons)).toEqual(first);
    await other.close();
  });

  it("saves a model in the browser's storage and loads it after a reload with the same scores", async () => {
    const before = await page.evaluate(async () => {
      const device = await tg.openDevice();
      const data = tg.moons({ rows: 64, seed: 1 });
      const model = tg.sequential({ input: [2] }, [tg.dense(8, { activation: "tanh" }), tg.dense(1)]);
      const trainer = await tg.compile(model, { device, loss: tg.binaryCrossentropy(), seed: 3 });
      await trainer.fit(data, { epochs: 5 });
      await trainer.save("models/moons", { threshold: { value: 0.4, rule: "fixed" } });
      const scores = [...(await trainer.predict(data.x))];
      device.dispose();
      return scores;
    });
    await page.reload();
    const after = await page.evaluate(async () => {
      const device = await tg.openDevice();
      const { trainer, threshold } = await tg.loadModel("models/moons", { device });
      const scores = [...(await trainer.predict(tg.moons({ rows: 64, seed: 1 }).x))];
      device.dispose();
      return { scores, threshold: threshold?.value };
    });
    expect(after).toEqual({ scores: before, threshold: 0.4 });
  });

  it("reports a lost GPU as E_LOST, and trains on a new device", async () => {
    const lost = await openPage(browser, server.url);
    const training = lost.evaluate(async () => {
      const device = await tg.openDevice();
      const model = tg.sequential({ input: [2] }, [tg.dense(1)]);
      const trainer = await tg.compile(model, { device, loss: tg.binaryCrossentropy() });
      const code = (error: { code?: string }) => error.code ?? String(error);
      const run = trainer.run(tg.xor(), { epochs: 10_000_000 });
      try {
        for await (const _ of run) (globalThis as { trained?: boolean }).trained = true;
        return ["ended"];
      } catch (error) {
        const later = await trainer.getWeights().then(() => "read", code);
        return [code(error as { code?: string }), later];
      }
    });
    await lost.waitForFunction(() => (globalThis as { trained?: boolean }).trained);
    await crashGpu(browser);
    expect(await training).toEqual(["E_LOST", "E_LOST"]);
    const { answers, labels } = await lost.evaluate(trainXor, reference.initial, 2000);
    expect(answers).toEqual(labels);
  });
});
