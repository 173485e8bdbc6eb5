/** Turns an op's samples into graphs to run: its outputs and, where it has a gradient, that of a random projection. */

import { apply } from "../graph/apply.ts";
import type { Elements, Graph, OpDef, Sample, SampleInput, StepValues, Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { sum } from "../ops/core/broadcast.ts";
import { input } from "../ops/core/constant.ts";
import { add, mul } from "../ops/core/elementwise.ts";
import { gradients } from "../passes/differentiate.ts";
import { draws } from "../random.ts";

export interface SampleGraph {
  readonly name: string;
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Elements>>;
  readonly types: Readonly<Record<string, Tensor>>;
  readonly step: StepValues;
}

export const SAMPLE_STEP: StepValues = { seedLow: 7, seedHigh: 1, step: 3 };

/** Values that depend on the shape and position only. f32 values are representable, so that both precisions see the same. */
export function sampleValues({ dtype, shape, range, values }: SampleInput, stream: number): Elements {
  const size = sizeOf(shape);
  const draw = draws(20, stream);
  if (dtype !== "f32") {
    const [low, high] = range ?? [0, 8];
    const integers = Array.from({ length: size }, (_, i) => values?.[i] ?? low + draw.integer(i, high - low));
    return dtype === "u32" ? Uint32Array.from(integers) : Int32Array.from(integers);
  }
  const [low, high] = range ?? [-2, 2];
  return Float32Array.from({ length: size }, (_, i) => values?.[i] ?? low + (high - low) * draw.uniform(i));
}

/** With `gradient`, outputs also hold d sum(output * upstream) / d input for each f32 input. */
export function sampleGraph(op: OpDef, sample: Sample, { gradient }: { gradient: boolean }): SampleGraph {
  // Drawn when they are first asked for: who wants to know which kernels run needs no values.
  const drawFeeds: (() => [string, Elements])[] = [];
  let feeds: Readonly<Record<string, Elements>> | undefined;
  const types: Record<string, Tensor> = {};
  const feed = (name: string, spec: SampleInput, stream: number): Tensor => {
    drawFeeds.push(() => [name, sampleValues(spec, stream)]);
    types[name] = input(name, spec.shape, spec.dtype);
    return types[name];
  };
  const inputs = sample.inputs.map((spec, k) => feed(`x${k}`, spec, k));
  const made = apply(op, inputs, sample.attrs ?? {});
  const outputs: Record<string, Tensor> = Object.fromEntries(made.map((t, k) => [`y${k}`, t]));
  const differentiable = made.every((t) => t.dtype === "f32") && inputs.some((t) => t.dtype === "f32");
  if (gradient && op.grad && differentiable) {
    const terms = made
      .filter((t) => t.index !== op.saved)
      .map((t) => sum(mul(t, feed(`upstream${t.index}`, { ...t, range: [-1, 1] }, 50 + t.index))));
    const wrt = inputs.filter((t) => t.dtype === "f32");
    gradients(terms.reduce(add), wrt).forEach((g, k) => {
      outputs[`d${k}`] = g;
    });
  }
  const shapes = sample.inputs.map((t) => `[${t.shape}]`).join(" ");
  const attrs = JSON.stringify(sample.attrs ?? {}).replace(/["{}]/g, "");
  return {
    name: `${op.name} ${shapes}${attrs ? ` ${attrs}` : ""}`,
    graph: { outputs, updates: [] },
    get feeds() {
      feeds ??= Object.fromEntries(drawFeeds.map((drawn) => drawn()));
      return feeds;
    },
    types,
    step: SAMPLE_STEP,
  };
}
