import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runOnce } from "../../src/check/check.ts";
import { F32, worstRatio } from "../../src/check/compare.ts";
import type { SampleGraph } from "../../src/check/samples.ts";
import { sampleValues } from "../../src/check/samples.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import type { Elements, Tensor } from "../../src/graph/types.ts";
import { attention } from "../../src/ops/attention/attention.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { input } from "../../src/ops/core/constant.ts";
import { mul } from "../../src/ops/core/elementwise.ts";
import { f32 } from "../../src/ops/op.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import { openTestGpu } from "../devices.ts";

let gpu: Device;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.dispose());

interface Case {
  readonly batch: number;
  readonly heads: number;
  readonly time: number;
  readonly size: number;
  readonly causal: boolean;
  readonly mask?: readonly number[];
}

const cases: Case[] = [
  { batch: 1, heads: 1, time: 1, size: 1, causal: true },
  { batch: 2, heads: 3, time: 5, size: 4, causal: false },
  { batch: 2, heads: 1, time: 7, size: 3, causal: true },
  { batch: 2, heads: 2, time: 3, size: 2, causal: false, mask: [1, 1, 0, 1, 0, 0] },
  { batch: 1, heads: 2, time: 37, size: 5, causal: true, mask: Array.from({ length: 37 }, (_, i) => (i < 30 ? 1 : 0)) },
];

function graphOf({ batch, heads, time, size, causal, mask }: Case): SampleGraph {
  const shape = [batch, heads, time, size];
  const names = ["q", "k", "v", "upstream"];
  const types: Record<string, Tensor> = Object.fromEntries(names.map((name) => [name, input(name, shape)]));
  const feeds: Record<string, Elements> = Object.fromEntries(
    names.map((name, i) => [name, sampleValues(f32(...shape), i)]),
  );
  if (mask) {
    types.mask = input("mask", [batch, time]);
    feeds.mask = Float32Array.from(mask);
  }
  const y = attention(types.q, types.k, types.v, { causal, mask: types.mask });
  const [dq, dk, dv] = gradients(sum(mul(y, types.upstream)), [types.q, types.k, types.v]);
  return { name: "attention", graph: { outputs: { y, dq, dk, dv }, updates: [] }, feeds, types, step: {} };
}

/** Attention in plain loops. */
function expected({ batch, heads, time, size, causal, mask }: Case, { q, k, v }: Record<string, Elements>): number[] {
  const y = new Array<number>(q.length).fill(0);
  for (let head = 0; head < batch * heads; head++) {
    const seen = (from: number, to: number): boolean =>
      (!causal || to <= from) && (mask?.[Math.floor(head / heads) * time + to] ?? 1) === 1;
    for (let from = 0; from < time; from++) {
      const weights = Array.from({ length: time }, (_, to) => {
        let score = 0;
        for (let d = 0; d < size; d++) score += q[(head * time + from) * size + d] * k[(head * time + to) * size + d];
        return seen(from, to) ? Math.exp(score / Math.sqrt(size)) : 0;
      });
      const total = weights.reduce((a, b) => a + b, 0);
      for (let to = 0; to < time; to++) {
        for (let d = 0; d < size; d++) {
          y[(head * time + from) * size + d] += (weights[to] / total) * v[(head * time + to) * size + d];
        }
      }
    }
  }
  return y;
}

describe.each(cases)("attention $batch x $heads x $time x $size, causal $causal", (one) => {
  it("is softmax(q k^T / sqrt(size)) v over the keys that may be seen", async () => {
    const sample = graphOf(one);
    const { y } = await runOnce(openCpu({ precision: "f64" }), sample);
    expect(worstRatio(y, Float64Array.from(expected(one, sample.feeds as Record<string, Elements>)))).toBeLessThan(
      1e-3,
    );
  });

  it("has the gradients that central differences in f64 give", async () => {
    const sample = graphOf(one);
    const device = openCpu({ precision: "f64" });
    const slopes = await runOnce(device, sample);
    const at = async (name: string, shift: number): Promise<number> => {
      const moved = Float64Array.from(sample.feeds[name], (v, i) => v + shift * Math.sin(i + 1));
      const { y } = await runOnce(device, { ...sample, feeds: { ...sample.feeds, [name]: moved } });
      let total = 0;
      y.forEach((v, i) => {
        total += v * sample.feeds.upstream[i];
      });
      return total;
    };
    for (const name of ["q", "k", "v"]) {
      const numeric = ((await at(name, 1e-6)) - (await at(name, -1e-6))) / 2e-6;
      let analytic = 0;
      slopes[`d${name}`].forEach((v, i) => {
        analytic += v * Math.sin(i + 1);
      });
      expect(Math.abs(numeric - analytic)).toBeLessThanOrEqual(1e-5 + 1e-3 * Math.abs(numeric));
    }
  });

  it.each([true, false])("is the same on the GPU (fusion %s)", async (fusion) => {
    const sample = graphOf(one);
    const want = await runOnce(openCpu({ precision: "f64" }), sample);
    const got = await runOnce(gpu, sample, { fusion });
    for (const name of Object.keys(want)) expect(worstRatio(got[name], want[name], F32), name).toBeLessThanOrEqual(1);
  });
});

it("refuses shapes that do not fit", () => {
  const x = input("x", [2, 3, 4]);
  expect(() => attention(x, x, x)).toThrow(/batch, heads, time, size/);
});
