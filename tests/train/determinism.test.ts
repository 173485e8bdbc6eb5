import { expect, it } from "vitest";
import type { Device } from "../../src/device.ts";
import { adam } from "../../src/model/optimizers.ts";
import { cosineDecay } from "../../src/model/schedules.ts";
import type { PlanKind } from "../../src/passes/choose.ts";
import { runningBy, waysOf } from "../support/ways.ts";
import { bitsOf, onDevices, problem, trainerOf, withDropout, wrapDevice } from "./support.ts";

const data = problem(70);

interface RunOptions {
  readonly seed?: number;
  readonly epochs?: number;
  readonly plan?: PlanKind;
}

onDevices((device) => {
  /** Three epochs with dropout, shuffling, sample weights, a schedule and a tail batch of 6. */
  async function run(on: Device, { seed = 7, epochs = 3, plan }: RunOptions = {}): Promise<Record<string, unknown>> {
    const trainer = trainerOf(on, withDropout(), {
      seed,
      ...(plan ? { plan } : {}),
      optimizer: adam({ learningRate: cosineDecay(0.02, { warmup: 2, per: "step" }) }),
    });
    try {
      const history = await trainer.fit(data, { epochs, batchSize: 16 });
      return { ...(await bitsOf(trainer)), history: structuredClone(history) };
    } finally {
      trainer.dispose();
    }
  }

  const plans: (PlanKind | undefined)[] = [undefined, "dispatch", "resident"];
  it.each(plans)(
    "gives byte-identical weights, optimizer state and history in two runs with one seed (plan %s)",
    async (plan) => {
      expect(await run(device(), { plan })).toEqual(await run(device(), { plan }));
    },
  );

  // `npm run oracles -- --ways all` forces every kernel; here are some that no software GPU would choose.
  it("gives the same bits in two runs when a way is forced, and those of the others that add in the same order", async () => {
    const want = await run(device(), { plan: "dispatch", epochs: 1 });
    const ways = Object.entries(waysOf(device())).filter(([way]) => /matmul:naive|splits|step row/.test(way));
    for (const [way, how] of ways) {
      const first = await run(runningBy(device(), how), { epochs: 1 });
      expect(await run(runningBy(device(), how), { epochs: 1 }), way).toEqual(first);
      if (way === "dispatch step row" || (device().info.software && way.startsWith("matmul")))
        expect(first, way).toEqual(want);
    }
  });

  it("gives other weights for another seed", async () => {
    const [a, b] = [await run(device()), await run(device(), { seed: 8 })];
    expect(a["dense/kernel"]).not.toEqual(b["dense/kernel"]);
  });

  it.each([1, 2, 3, 7])(
    "gives the same bits when chunks hold at most %i steps, however it is run",
    async (maxQueue) => {
      for (const plan of plans) {
        expect(await run(wrapDevice(device(), { maxQueue }), { plan })).toEqual(await run(device(), { plan }));
      }
    },
  );

  it("gives the same bits when a slow readback makes chunks small", async () => {
    const slow = wrapDevice(device(), {
      tensor: (type, label, values) => {
        const tensor = device().tensor(type, label, values);
        if (label !== "loss record") return tensor;
        const { read: fast } = tensor;
        const read: typeof fast = async (...range) => {
          const result = await fast(...range);
          await new Promise((resolve) => setTimeout(resolve, 120));
          return result;
        };
        return Object.assign(tensor, { read });
      },
    });
    expect(await run(slow, { epochs: 2 })).toEqual(await run(device(), { epochs: 2 }));
  });

  it("draws another order and other masks in every epoch", async () => {
    const trainer = trainerOf(device(), withDropout(), { optimizer: adam({ learningRate: 0 }) });
    const { loss } = await trainer.fit(data, { epochs: 4, batchSize: 16 });
    trainer.dispose();
    expect(new Set(loss).size).toBe(4);
  });
});
