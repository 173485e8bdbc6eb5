/**
 * Randomness as ops: a draw is a pure function of (seed, stream, step, element), see src/random.ts. The seed and the step
 * are step scalars, so a plan is compiled once for all of them.
 */

import philoxLib from "../../../shaders/lib/philox.wgsl";
import permutationShader from "../../../shaders/random/permutation.wgsl";
import { TilegradError } from "../../errors.ts";
import { apply1, checkTensors } from "../../graph/apply.ts";
import type { InlineCode, Node, OpDef, Tensor } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions, checkValue } from "../../options.ts";
import { draws, shuffle } from "../../random.ts";
import { stepScalar } from "../core/constant.ts";
import { greaterEqual, mul, where } from "../core/elementwise.ts";
import { f32, u32 } from "../op.ts";

const scalar = (value: number) => ({ ...u32(), values: [value] });
const randomInputs = [scalar(7), scalar(1), scalar(3)];

/** The seed whose key is (low, high), as src/random.ts takes it. */
const seedOf = (low: number, high: number): number => (high | 0) * 2 ** 32 + low;

/** `wgsl` names the function that draws one element, `wgsl4` the one that draws four. */
function drawOp(name: "uniform" | "normal", wgsl: string, wgsl4?: string): OpDef {
  const call = (f: string, code: InlineCode, node: Node, index: string): string => {
    code.use(philoxLib);
    const [low, high, step] = node.inputs.map((x) => code.at(x, "0u"));
    return `${f}(${index}, ${step}, ${code.dim(node.attrs.stream)}, vec2<u32>(${low}, ${high}))`;
  };
  return {
    name,
    shape: (_, { shape }) => [f32(...shape)],
    grad: () => [null, null, null],
    reference: ({ inputs: [[low], [high], [step]], attrs, outputs: [y] }) => {
      const draw = draws(seedOf(low, high), attrs.stream, step);
      for (let i = 0; i < y.length; i++) y[i] = draw[name](i);
    },
    inline: (code, node, index) => call(wgsl, code, node, index),
    inline4: wgsl4 === undefined ? undefined : (code, node, index) => call(wgsl4, code, node, index),
    flops: (node) => 60 * node.outputs[0].shape.reduce((a, b) => a * b, 1),
    samples: () => [
      { inputs: randomInputs, attrs: { shape: [], stream: 0 } },
      { inputs: randomInputs, attrs: { shape: [7, 13], stream: 5 } },
      { inputs: randomInputs, attrs: { shape: [1031], stream: 1 } },
      { inputs: randomInputs, attrs: { shape: [1032], stream: 1 } },
    ],
  };
}
const uniformOp = drawOp("uniform", "random_uniform", "random_uniform4");
const normalOp = drawOp("normal", "random_normal");

const permutationOp: OpDef = {
  name: "permutation",
  shape: (_, { size }) => [u32(size)],
  readsBack: true,
  reference: ({ inputs: [[low], [high], [step]], attrs, outputs: [y] }) =>
    y.set(shuffle(attrs.size, seedOf(low, high), attrs.stream, step)),
  kernel: ({ attrs }) => ({
    shader: permutationShader,
    params: { count: attrs.size, stream: attrs.stream },
    grid: { threads: 1 },
    loads: [
      { hook: "load_low", input: 0 },
      { hook: "load_high", input: 1 },
      { hook: "load_step", input: 2 },
    ],
    stores: [{ hook: "store_y", output: 0 }],
    peeks: [{ hook: "peek_y", output: 0 }],
  }),
  flops: ({ attrs }) => 60 * attrs.size,
  samples: () => [
    { inputs: randomInputs, attrs: { size: 1, stream: 0 } },
    { inputs: randomInputs, attrs: { size: 257, stream: 2 } },
  ],
};

const seedAndStep = (): Tensor[] => ["seedLow", "seedHigh", "step"].map((name) => stepScalar(name, "u32"));

const randomOptions = {
  /** Tells independent draws of one step apart; each use in a model needs its own. */
  stream: is.required(is.number),
};

export interface RandomOptions extends OptionsOf<typeof randomOptions> {}

/** @throws E_ARGUMENT */
function drawn(
  op: OpDef,
  { shape, size }: { shape?: readonly number[]; size?: number },
  options: RandomOptions,
): Tensor {
  const { stream } = checkOptions(op.name, options, randomOptions);
  if (size === undefined) checkValue(op.name, "shape", shape, is.numberList);
  else checkValue(op.name, "size", size, is.positiveInteger);
  return apply1(op, seedAndStep(), size === undefined ? { shape, stream } : { size, stream });
}

/** Uniform in [0, 1). */
export const randomUniform = (shape: readonly number[], options: RandomOptions): Tensor =>
  drawn(uniformOp, { shape }, options);

/** Standard normal. */
export const randomNormal = (shape: readonly number[], options: RandomOptions): Tensor =>
  drawn(normalOp, { shape }, options);

/** A random order of 0 .. size - 1, u32 [size]; the one `shuffle` of src/random.ts gives. */
export const randomPermutation = (size: number, options: RandomOptions): Tensor =>
  drawn(permutationOp, { size }, options);

/** 0 with probability `rate`, else 1 / (1 - rate): what dropout multiplies by. */
export function dropoutMask(shape: readonly number[], rate: number, options: RandomOptions): Tensor {
  if (!(rate >= 0 && rate < 1)) throw new TilegradError("E_ARGUMENT", `dropout: got rate ${rate}; expected [0, 1).`);
  return where(greaterEqual(randomUniform(shape, options), rate), 1 / (1 - rate), 0);
}

/** x with a share `rate` of its elements zeroed and the rest scaled by 1 / (1 - rate). */
export function dropout(x: Tensor, rate: number, options: RandomOptions): Tensor {
  checkTensors("dropout", x);
  return rate === 0 ? x : mul(x, dropoutMask(x.shape, rate, options));
}

export const randomOps = [uniformOp, normalOp, permutationOp];
