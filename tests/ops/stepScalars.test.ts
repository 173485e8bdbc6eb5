import { afterEach, beforeEach, expect, it } from "vitest";
import { worstRatio } from "../../src/check/compare.ts";
import { compileGraph } from "../../src/compile.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { CompileGraphOptions, Device } from "../../src/device.ts";
import type { Elements, Graph, Tensor } from "../../src/graph/types.ts";
import { input, state, stepScalar } from "../../src/ops/core/constant.ts";
import { add, mul } from "../../src/ops/core/elementwise.ts";
import { reshape } from "../../src/ops/core/view.ts";
import { matmul } from "../../src/ops/matmul/matmul.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openTestGpu } from "../devices.ts";

let device: WebGpuDevice;
beforeEach(async () => {
  device = await openTestGpu();
});
afterEach(() => device.dispose());

/** total = total * scalar 0 + scalar 0 + ... + scalar (count - 1), in several kernels: a product by the identity ends one. */
function totals(count: number): Graph {
  const identity = input("identity", [2, 2]);
  const total = state("total", [2]);
  let value: Tensor = mul(total, stepScalar("scalar 0"));
  for (let i = 0; i < count; i++) {
    value = add(value, stepScalar(`scalar ${i}`));
    if (i % 8 === 7) value = reshape(matmul(reshape(value, [1, 2]), identity), [2]);
  }
  return { outputs: {}, updates: [{ state: total, value }] };
}

/** The total after three steps of each way, in turn and in one submit, every step with scalars of its own. */
async function run(on: Device, count: number, ways: readonly Partial<CompileGraphOptions>[]): Promise<Elements> {
  const bindings = {
    identity: on.tensor({ dtype: "f32", shape: [2, 2] }, "identity", [1, 0, 0, 1]),
    total: on.tensor({ dtype: "f32", shape: [2] }, "total", [1, -2]),
  };
  const steps = await Promise.all(ways.map((way) => on.compile(totals(count), { bindings, label: "totals", ...way })));
  for (let step = 0; step < 3 * steps.length; step++) {
    const scalar = (i: number): [string, number] => [`scalar ${i}`, (1 + step) / (2 + i)];
    on.enqueue(steps[step % steps.length], Object.fromEntries(Array.from({ length: count }, (_, i) => scalar(i))));
  }
  const total = await bindings.total.read();
  for (const { dispose } of [...steps, ...Object.values(bindings)]) dispose();
  return total;
}

const immediates = { plan: "dispatch" } as const;
const row = { plan: "dispatch", limits: { immediates: false } } as const;

// 16 scalars are what immediates hold, 64 what the row does.
it.each([1, 15, 16, 17, 40, 64])("kernels read %i scalars of a step as immediates and from the row", async (count) => {
  // The row comes first: kernels without scalars have the same text in the ways that follow, but other layouts.
  for (const ways of [[row], [immediates], [{ plan: "resident" }], [immediates, row], [row, immediates]] as const) {
    const want = await run(openCpu({ precision: "f64" }), count, ways);
    expect(worstRatio(await run(device, count, ways), want)).toBeLessThanOrEqual(1);
  }
});

it("scalars are immediates where the device has them, and the row holds those that do not fit", () => {
  const some = (use: "readsImmediates" | "bindsRow", count: number, has: boolean): boolean =>
    compileGraph(totals(count), { ...LEAST_LIMITS, immediates: has }).calls.some((call) => call[use]);
  expect([some("readsImmediates", 16, true), some("bindsRow", 16, true)]).toEqual([true, false]);
  expect([some("readsImmediates", 17, true), some("bindsRow", 17, true)]).toEqual([true, true]);
  expect([some("readsImmediates", 17, false), some("bindsRow", 17, false)]).toEqual([false, true]);
});
