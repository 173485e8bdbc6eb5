/** GPUs that are lost while a network trains on them: E_LOST, soon; then the last checkpoint goes on to the same bits. */
import type { Files } from "../../src/io/bundle.ts";
import { decodeCheckpoint } from "../../src/io/checkpoint.ts";
import { fingerprint } from "../../src/io/fingerprint.ts";
import { openGpu } from "../../src/node/gpu.ts";
import { modelCheckpoint } from "../../src/train/callbacks.ts";
import { restoreCheckpoint } from "../../src/train/saving.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { openGpuDevice } from "../../src/webgpu/device.ts";
import { launchChromium } from "../browser/chromium.ts";
import { crashGpu, openPage, serveLibrary } from "../browser/page.ts";
import { codeOf, problem, trainerOf, withDropout } from "../train/support.ts";
import type { Drill } from "./drill.ts";
import { noting, numbers, sleep } from "./drill.ts";

/** How long it may take until a run says that its device is lost. */
const SOON = 2000;
const data = problem(70);

const printOf = async (trainer: Trainer): Promise<string> =>
  fingerprint(Object.values(await trainer.getWeights()).map((w) => Float32Array.from(w)));

export const lostInNode: Drill = async ({ count, seed }) => {
  const draw = numbers(seed);
  const faults: string[] = [];
  const { gpu } = await openGpu();
  let [longest, resumed] = [0, 0];
  for (let i = 0; i < count; i++) {
    await noting(faults, `loss ${i}`, async () => {
      const device = await openGpuDevice({ gpu });
      let [last, lostAt]: [Files | undefined, number] = [undefined, 0];
      const publish = async (_: string, saved: Files): Promise<void> => {
        last = saved;
      };
      const trainer = trainerOf(device, withDropout(), { files: { publish, read: async () => ({}) } });
      const lose = async (ms: number): Promise<void> => {
        await sleep(ms);
        lostAt = performance.now();
        device.gpu.destroy();
      };
      const first = { name: "first", onEpochEnd: (epoch: number) => void (epoch === 0 && lose(draw(40))) };
      const callbacks = [modelCheckpoint({ folder: "run" }), first];
      const code = await codeOf(trainer.fit(data, { epochs: 1_000_000, batchSize: 16, callbacks }));
      const ms = performance.now() - lostAt;
      longest = Math.max(longest, ms);
      if (code !== "E_LOST" || ms > SOON) throw new Error(`${code} after ${Math.round(ms)} ms`);
      if (!last) return;
      const checkpoint = decodeCheckpoint(last, "run");
      const second = await openGpuDevice({ gpu });
      const fitting = { epochs: checkpoint.epoch + 2, batchSize: 16 };
      const [again, whole] = [trainerOf(second, withDropout()), trainerOf(second, withDropout())];
      // What comes after it is remembered by name; here is no more than the run itself.
      restoreCheckpoint(again, { ...checkpoint, callbacks: {} } as typeof checkpoint, [], "run");
      await again.fit(data, fitting);
      await whole.fit(data, fitting);
      if ((await printOf(again)) !== (await printOf(whole))) throw new Error("other bits");
      resumed++;
      second.dispose();
    });
  }
  return {
    tried: count,
    faults,
    note: `E_LOST after at most ${Math.round(longest)} ms, ${resumed} resumed to the same bits`,
  };
};

/** What the page gets as `globalThis.tg`. */
declare const tg: typeof import("../../src/api/core.ts") & typeof import("../../src/api/data.ts");

/** Trains until the device is lost, then on another; gives the codes and the loss there. */
async function inPage(destroyAfter: number | null): Promise<{ codes: string[]; ms: number; loss: number }> {
  const code = (error: { code?: string }): string => error.code ?? String(error);
  const seen = globalThis as { trained?: boolean; lostAt?: number };
  const make = async () => {
    const device = await tg.openDevice();
    const model = tg.sequential({ input: [2] }, [tg.dense(3, { activation: "tanh" }), tg.dense(1)]);
    return { device, trainer: await tg.compile(model, { device, loss: tg.binaryCrossentropy(), seed: 3 }) };
  };
  const { device, trainer } = await make();
  const codes: string[] = [];
  let lostAt = 0;
  void (device as unknown as { gpu: GPUDevice }).gpu.lost.then(() => {
    lostAt = performance.now();
  });
  try {
    for await (const _ of trainer.run(tg.xor(), { epochs: 10_000_000 })) {
      if (!seen.trained && destroyAfter !== null)
        setTimeout(() => (device as unknown as { gpu: GPUDevice }).gpu.destroy(), destroyAfter);
      seen.trained = true;
    }
    codes.push("ended");
  } catch (error) {
    codes.push(code(error as { code?: string }));
  }
  const ms = lostAt === 0 ? 0 : performance.now() - lostAt;
  codes.push(await trainer.getWeights().then(() => "read", code));
  // The browser may take a moment to start its GPU process again.
  for (let left = 50; ; left--) {
    try {
      const { loss } = await (await make()).trainer.fit(tg.xor(), { epochs: 20 });
      return { codes, ms, loss: loss.at(-1) as number };
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }
}

/** Every third time its GPU process ends; after more ends than a few a browser would give WebGPU up, so each gets a new one. */
export const lostInChromium: Drill = async ({ count, seed }) => {
  const draw = numbers(seed);
  const faults: string[] = [];
  const server = await serveLibrary("tg", 'export * from "./src/api/core.ts"; export * from "./src/api/data.ts";');
  let [longest, crashes, expected]: [number, number, number | null] = [0, 0, null];
  for (let i = 0; i < count; ) {
    const browser = await launchChromium();
    try {
      for (let turn = 0; turn < 3 && i < count; turn++, i++) {
        await noting(faults, `loss ${i}`, async () => {
          const page = await openPage(browser, server.url);
          const crashing = turn === 2 || count === 1;
          const training = page.evaluate(inPage, crashing ? null : draw(40));
          if (crashing) {
            crashes++;
            await page.waitForFunction(() => (globalThis as { trained?: boolean }).trained);
            await sleep(draw(40));
            await crashGpu(browser);
          }
          const { codes, ms, loss } = await training;
          longest = Math.max(longest, ms);
          expected ??= loss;
          if (codes.join() !== "E_LOST,E_LOST" || ms > SOON) throw new Error(`${codes} after ${Math.round(ms)} ms`);
          if (loss !== expected) throw new Error(`a loss of ${loss} on the next device; expected ${expected}`);
          await page.close();
        });
      }
    } finally {
      await browser.close();
    }
  }
  await server.close();
  return {
    tried: count,
    faults,
    note: `${crashes} by the end of the GPU process; E_LOST after at most ${Math.round(longest)} ms`,
  };
};
