import { describe, expect, it } from "vitest";
import { input } from "../../src/ops/core/constant.ts";
import { neg } from "../../src/ops/core/elementwise.ts";
import { f32 } from "../../src/ops/op.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { bitsOf, failure, onDevices, problem, trainerOf, withDropout } from "./support.ts";

const data = problem(70);
const fitting = { epochs: 60, batchSize: 16 };

onDevices((device, name) => {
  describe("trainers of one device", () => {
    const make = (): Trainer => trainerOf(device(), withDropout());
    /** What another trainer does, as soon as steps of this one are on their way. */
    const trainedBeside = async (other: (a: Trainer) => Promise<unknown>): Promise<Record<string, Uint32Array>> => {
      const [a, b] = [make(), make()];
      let others: Promise<unknown> = Promise.resolve();
      const onEpochEnd = (epoch: number): void => {
        if (epoch === 2) others = other(a);
      };
      await b.fit(data, { ...fitting, callbacks: [{ name: "other", onEpochEnd }] });
      await others;
      const bits = await bitsOf(b);
      a.dispose();
      b.dispose();
      return bits;
    };
    const alone = (): Promise<Record<string, Uint32Array>> => trainedBeside(async () => {});

    it("get the bits that they get alone while another trains, compiles or is disposed of in the midst of training", async () => {
      const expected = await alone();
      const disposed = async (a: Trainer): Promise<void> => {
        const fit = failure(a.fit(data, { ...fitting, epochs: 400 }));
        setTimeout(() => a.dispose(), 5);
        const error = await fit;
        expect(error.code).toBe("E_ARGUMENT");
        expect(error.message).toMatch(/^fit: this trainer was disposed of/);
      };
      const during = async (a: Trainer): Promise<void> => {
        const fit = failure(a.fit(data, fitting));
        a.dispose();
        expect((await fit).message).toMatch(/^fit: this trainer was disposed of/);
      };
      expect(await trainedBeside((a) => a.fit(data, fitting))).toEqual(expected);
      expect(await trainedBeside(disposed)).toEqual(expected);
      expect(await trainedBeside(during)).toEqual(expected);
    });

    it("say so when they were disposed of before or while they predict or evaluate", async () => {
      for (const [where, work] of [
        ["predict", (a: Trainer) => a.predict(data.x)],
        ["evaluate", (a: Trainer) => a.evaluate(data)],
        ["fit", (a: Trainer) => a.fit(data, fitting)],
      ] as const) {
        const a = make();
        const running = failure(work(a));
        a.dispose();
        for (const error of [await running, await failure(work(a))]) {
          expect(error.code).toBe("E_ARGUMENT");
          expect(error.message).toContain(`${where}: this trainer was disposed of`);
        }
      }
    });
  });

  if (name === "cpu") return;

  describe("a step", () => {
    it("whose tensors were disposed of is refused before it voids what is submitted with it", async () => {
      const x = device().tensor(f32(3), "x", [1, 2, 3]);
      const graph = { outputs: { y: neg(input("x", [3])) }, updates: [] };
      const step = await device().compile(graph, { bindings: { x }, label: "negate" });
      x.dispose();
      expect(() => device().enqueue(step, {})).toThrow(/"x 16B" was disposed of/);
      expect((await failure(x.read())).code).toBe("E_ARGUMENT");
      await device().flush();
      step.dispose();
    });
  });

  describe("a kernel that the device refuses", () => {
    it("is told of once, and not to whoever compiles next", async () => {
      const gpu = device() as WebGpuDevice;
      const source = { label: "broken", code: "fn main( {", bindings: [], steps: null, immediateSize: 0 };
      const error = await failure(gpu.race(gpu.pipelines.get(source)));
      expect(error.code).toBe("E_KERNEL");
      expect(error.message).toMatch(/^kernel broken: line 1/);
      const a = make();
      await a.fit(data, { epochs: 1, batchSize: 16 });
      a.dispose();
      await gpu.flush();
    });
    const make = (): Trainer => trainerOf(device(), withDropout());
  });
});
