import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { worstRatio } from "../../src/check/compare.ts";
import { compileGraph } from "../../src/compile.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import type { Graph, Tensor } from "../../src/graph/types.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { input } from "../../src/ops/core/constant.ts";
import { add, mul, tanh } from "../../src/ops/core/elementwise.ts";
import { remat } from "../../src/ops/core/remat.ts";
import { matmul } from "../../src/ops/matmul/matmul.ts";
import { batchNorm } from "../../src/ops/norm/normalization.ts";
import { dropout } from "../../src/ops/random/random.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import { openTestGpu } from "../devices.ts";
import { runGraph } from "./support.ts";

type Wrap = (fn: (...x: Tensor[]) => Tensor) => (...x: Tensor[]) => Tensor;
const plain: Wrap = (fn) => fn;

const WIDTH = 16;
const ROWS = 64;

/** A graph of y and of the gradients of the sum of its squares. */
function withGradients(y: Tensor, wrt: readonly Tensor[]): Graph {
  const found = gradients(sum(mul(y, y)), wrt).map((g, k) => [`d${k}`, g] as const);
  return { outputs: { y, ...Object.fromEntries(found) }, updates: [] };
}

/** So many layers tanh(x W), each with dropout, six of them a segment. */
function deep(wrap: Wrap, layers: number, rate: number): Graph {
  const x = input("x", [ROWS, WIDTH]);
  const weights = Array.from({ length: layers }, (_, k) => input(`w${k}`, [WIDTH, WIDTH]));
  let y = x;
  for (let first = 0; first < layers; first += 6) {
    const segment = (start: Tensor): Tensor =>
      weights
        .slice(first, first + 6)
        .reduce((z, w, k) => dropout(tanh(matmul(z, w)), rate, { stream: first + k }), start);
    y = wrap(segment)(y);
  }
  return withGradients(y, [x, ...weights]);
}

/** Four residual blocks x + f(x), which normalise over the batch and read x in two places, and segments of two blocks. */
function residual(wrap: Wrap): Graph {
  const x = input("x", [ROWS, WIDTH]);
  const weights = Array.from({ length: 8 }, (_, k) => input(`w${k}`, [WIDTH, WIDTH]));
  const gamma = input("gamma", [WIDTH]);
  const block = (k: number) =>
    wrap((z: Tensor): Tensor => {
      const inner = tanh(batchNorm(matmul(z, weights[2 * k]), { gamma, beta: null }).y);
      return add(mul(inner, tanh(z)), matmul(inner, weights[2 * k + 1]));
    });
  const two = (k: number) => wrap((z: Tensor) => [k, k + 1].reduce((y, n) => add(block(n)(y), y), z));
  return withGradients(two(2)(two(0)(x)), [x, ...weights]);
}

/** Several inputs, and an activation that the segment captures, whose own inputs are the segment's. */
function capturing(wrap: Wrap): Graph {
  const x = input("x", [ROWS, WIDTH]);
  const w = input("w", [WIDTH, WIDTH]);
  const captured = tanh(matmul(x, w));
  const segment = wrap((a, b) => add(matmul(add(tanh(a), mul(b, captured)), w), a));
  return withGradients(add(segment(x, captured), x), [x, w]);
}

/** Activations that the temporaries of a plan could hold. */
const activations = (graph: Graph): number =>
  compileGraph(graph, LEAST_LIMITS)
    .plan.buffers.filter(({ kind }) => kind === "slot")
    .reduce((n, { size }) => n + size / (ROWS * WIDTH), 0);

const step = { seedLow: 7, seedHigh: 0, step: 3 };

describe("remat", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());

  it("keeps the segments' inputs and one segment's activations instead of all", () => {
    expect(activations(deep(plain, 36, 0))).toBeGreaterThanOrEqual(36);
    expect(activations(deep(plain, 36, 0))).toBeLessThanOrEqual(36 + 3);
    expect(activations(deep(remat, 36, 0))).toBeLessThanOrEqual(6 + 6 + 3);
    // Masks are drawn again, too.
    expect(activations(deep(plain, 36, 0.5))).toBeGreaterThanOrEqual(3 * 35);
    expect(activations(deep(remat, 36, 0.5))).toBeLessThanOrEqual(6 + 3 * 6 + 3);
  });

  it.each([
    ["a deep net with dropout", (wrap: Wrap) => deep(wrap, 12, 0.5)],
    ["a residual net whose segments nest", residual],
  ])("changes no bit of %s", async (_, graph) => {
    for (const on of [openCpu(), device]) {
      const want = await runGraph(on, graph(plain), { step, plan: "dispatch" });
      expect(await runGraph(on, graph(remat), { step, plan: "dispatch" })).toEqual(want);
    }
  });

  it("shares what a segment captures, whose gradients are then summed in another order", async () => {
    const want = await runGraph(openCpu({ precision: "f64" }), capturing(plain));
    const got = await runGraph(device, capturing(remat), { plan: "dispatch" });
    for (const name of Object.keys(want)) expect(worstRatio(got[name], want[name]), name).toBeLessThanOrEqual(1);
  });
});
