import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileGraph } from "../../src/compile.ts";
import type { Device } from "../../src/device.ts";
import { print } from "../../src/graph/print.ts";
import type { Graph, Tensor, Update } from "../../src/graph/types.ts";
import { sameShape, sizeOf } from "../../src/graph/types.ts";
import { broadcastTo, sum } from "../../src/ops/core/broadcast.ts";
import { concat } from "../../src/ops/core/concat.ts";
import { input, state } from "../../src/ops/core/constant.ts";
import { abs, add, maximum, mul, relu, sigmoid, sub, tanh, where } from "../../src/ops/core/elementwise.ts";
import { max } from "../../src/ops/core/reduce.ts";
import { pad, slice } from "../../src/ops/core/slice.ts";
import { reshape, transpose } from "../../src/ops/core/view.ts";
import { matmul } from "../../src/ops/matmul/matmul.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import { openTestGpu } from "../devices.ts";
import { worstAgainstF64 } from "./support.ts";

/** One choice of a random graph: an op and numbers that pick its operands, whatever they turn out to be. */
type Choice = readonly [op: number, a: number, b: number, c: number];

const SHAPES: readonly (readonly number[])[] = [[4, 6], [6, 4], [4, 1], [1, 6], [24], [3, 8], [2, 3, 4]];

const matrix = (x: Tensor): Tensor => reshape(x, [x.shape[0] ?? 1, -1]);

/** Every op keeps values within a few units, so that errors stay those of the ops and do not grow. */
const OPS: readonly ((pick: (n: number) => Tensor, a: number, b: number, c: number) => Tensor)[] = [
  (pick, a) => tanh(pick(a)),
  (pick, a) => sigmoid(pick(a)),
  (pick, a) => relu(pick(a)),
  (pick, a, b) => joined(add, pick(a), pick(b)),
  (pick, a, b) => joined(sub, pick(a), pick(b)),
  (pick, a, b) => mul(joined(mul, tanh(pick(a)), pick(b)), 0.5),
  (pick, a, b) => joined(maximum, pick(a), pick(b)),
  (pick, a, b, c) => {
    const [x, y] = [pick(a), pick(b)];
    return joined((u, v) => where(sub(abs(u), 0.25 + (c % 4) / 4), u, v), x, y);
  },
  (pick, a, b) => {
    const x = pick(a);
    return x.shape.length === 0 ? x : mul(sum(x, { axes: b % x.shape.length, keepDims: b % 2 === 0 }), 0.25);
  },
  (pick, a, b) => {
    const x = pick(a);
    return x.shape.length === 0 ? x : max(x, { axes: b % x.shape.length, keepDims: true });
  },
  (pick, a) => mul(sum(pick(a)), 0.1),
  (pick, a, b) => {
    const x = matrix(pick(a));
    const y = matrix(pick(b));
    if (x.shape[1] === y.shape[0]) return mul(matmul(x, y), 0.25);
    if (x.shape[1] === y.shape[1]) return mul(matmul(x, transpose(y, [1, 0])), 0.25);
    return mul(matmul(transpose(x, [1, 0]), x), 0.25);
  },
  (pick, a, b) => {
    const x = pick(a);
    const order = x.shape.map((_, d) => (d + b) % x.shape.length);
    return transpose(x, order);
  },
  (pick, a) => reshape(pick(a), [-1]),
  (pick, a, b) => {
    const x = pick(a);
    const begin = x.shape.map((n, d) => (b + d) % Math.max(1, n - 1));
    return slice(
      x,
      begin,
      x.shape.map((n, d) => Math.max(1, n - begin[d] - (b % 2 === 0 && n - begin[d] > 1 ? 1 : 0))),
    );
  },
  (pick, a, b) => {
    const x = pick(a);
    return x.shape.length === 0
      ? x
      : pad(
          x,
          x.shape.map((_, d) => [(b + d) % 2, b % 3] as [number, number]),
        );
  },
  (pick, a, b, c) => {
    const [x, y, z] = [pick(a), pick(b), pick(c)].map((t) => reshape(t, [-1]));
    return concat([x, y, z].slice(0, 2 + (c % 2)), 0);
  },
  (pick, a, b) => {
    const x = pick(a);
    return x.shape.length >= 3 ? x : broadcastTo(reshape(x, [1, ...x.shape]), [1 + (b % 3), ...x.shape]);
  },
];

/** f(x, y) where the shapes broadcast, else of both as vectors cut to one length. */
function joined(f: (x: Tensor, y: Tensor) => Tensor, x: Tensor, y: Tensor): Tensor {
  const rank = Math.max(x.shape.length, y.shape.length);
  const at = (t: Tensor, d: number): number => t.shape[d - rank + t.shape.length] ?? 1;
  const fits = Array.from({ length: rank }, (_, d) => at(x, d) === at(y, d) || at(x, d) === 1 || at(y, d) === 1).every(
    Boolean,
  );
  if (fits) return f(x, y);
  const size = Math.min(sizeOf(x.shape), sizeOf(y.shape));
  const cut = (t: Tensor): Tensor => slice(reshape(t, [-1]), [0], [size]);
  return f(cut(x), cut(y));
}

interface Recipe {
  readonly choices: readonly Choice[];
  readonly outputs: readonly number[];
  readonly updates: readonly number[];
  readonly gradient: boolean;
}

/** Inputs, states, random nodes, a few of them as outputs and as the states' next values, and the gradient of one. */
function build({ choices, outputs, updates, gradient }: Recipe): Graph {
  const inputs = SHAPES.slice(0, 4).map((shape, i) => input(`x${i}`, shape));
  const states = SHAPES.slice(3).map((shape, i) => state(`s${i}`, shape));
  const made: Tensor[] = [...inputs, ...states];
  for (const [op, a, b, c] of choices) {
    const next = OPS[op % OPS.length]((n) => made[made.length - 1 - (n % made.length)], a, b, c);
    // Large and deep tensors would only make the test slow.
    made.push(sizeOf(next.shape) > 400 || next.shape.length > 3 ? tanh(made[made.length - 1]) : next);
  }
  const pick = (n: number): Tensor => made[made.length - 1 - (n % Math.max(1, choices.length))];
  const found: Record<string, Tensor> = Object.fromEntries(outputs.map((n, i) => [`y${i}`, pick(n)]));
  if (gradient) {
    gradients(mul(sum(pick(outputs[0])), 0.1), [inputs[0], states[0]]).forEach((g, i) => {
      found[`d${i}`] = g;
    });
  }
  const written = updates.map((n, i): Update => {
    const target = states[i % states.length];
    const source = pick(n);
    const fitting = sameShape(source.shape, target.shape) ? source : resized(source, target.shape);
    return { state: target, value: fitting };
  });
  return { outputs: found, updates: written.filter((u, i) => written.findIndex((v) => v.state === u.state) === i) };
}

/** As many elements as the shape needs, repeated or cut. */
function resized(x: Tensor, shape: readonly number[]): Tensor {
  const flat = reshape(x, [-1]);
  const times = Math.ceil(sizeOf(shape) / flat.shape[0]);
  const many = reshape(broadcastTo(reshape(flat, [1, -1]), [times, flat.shape[0]]), [-1]);
  return reshape(slice(many, [0], [sizeOf(shape)]), shape);
}

const number = fc.nat({ max: 1000 });
const recipe: fc.Arbitrary<Recipe> = fc.record({
  choices: fc.array(fc.tuple(number, number, number, number), { minLength: 1, maxLength: 14 }),
  outputs: fc.array(number, { minLength: 1, maxLength: 3 }),
  updates: fc.array(number, { maxLength: 4 }),
  gradient: fc.boolean(),
});

describe("a random graph", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());

  it.each([
    ["fused", 60, { plan: "dispatch" }],
    ["one kernel per op", 12, { plan: "dispatch", fusion: false }],
    ["resident in one kernel", 15, { plan: "resident" }],
  ] as const)("gives what the f64 reference gives when run twice, %s", async (_, numRuns, how) => {
    await fc.assert(
      fc.asyncProperty(recipe, async (r) => {
        const graph = build(r);
        expect(await worstAgainstF64(device, graph, { times: 2, ...how }), print(graph)).toBeLessThanOrEqual(1);
      }),
      { seed: 11, numRuns },
    );
  });

  it("needs no more bindings in a kernel than any device allows, fused or not", () => {
    fc.assert(
      fc.property(recipe, fc.boolean(), (r, fusion) => {
        for (const call of compileGraph(build(r), LEAST_LIMITS, { fusion }).calls) {
          expect(call.buffers.length).toBeLessThanOrEqual(LEAST_LIMITS.maxStorageBuffers);
        }
      }),
      { seed: 12, numRuns: 300 },
    );
  });

  it("never has a kernel that reads a buffer and writes it through two bindings, or writes an input", () => {
    fc.assert(
      fc.property(recipe, (r) => {
        for (const { buffers } of compileGraph(build(r), LEAST_LIMITS).calls) {
          expect(new Set(buffers.map((b) => b.buffer)).size).toBe(buffers.length);
          for (const { buffer, write } of buffers) if (write) expect(buffer.kind).not.toBe("input");
        }
      }),
      { seed: 13, numRuns: 200 },
    );
  });
});
