/** Integrated gradients (Sundararajan, Taly & Yan 2017): how much each input moved the logit away from a baseline's. */

import { TilegradError } from "../errors.ts";
import type { Graph } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import type { Model } from "../model/model.ts";
import { unsquash } from "../model/squash.ts";
import { sum } from "../ops/core/broadcast.ts";
import { input, state, stepScalar } from "../ops/core/constant.ts";
import { add, mul, sub } from "../ops/core/elementwise.ts";
import { dynamicSlice, dynamicUpdateSlice } from "../ops/core/take.ts";
import { reshape } from "../ops/core/view.ts";
import { f32 } from "../ops/op.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions, checkValue } from "../options.ts";
import { gradients } from "../passes/differentiate.ts";
import { checkFeatures } from "../train/data.ts";
import type { ParameterLayout } from "../train/parameters.ts";
import { parameterViews } from "../train/parameters.ts";
import { TensorGroup } from "../train/tensors.ts";
import type { Trainer } from "../train/trainer.ts";
import type { InputGroup } from "./groups.ts";
import { checkGroups } from "./groups.ts";

const integratedGradientsOptions = {
  /** One row of inputs; default zeros, which is the mean of standardized columns. */
  baseline: is.values,
  /** Points on the way from the baseline; default 64. */
  steps: is.positiveInteger,
};

export interface IntegratedGradientsOptions extends OptionsOf<typeof integratedGradientsOptions> {}

/** Elements that one layer's output should not exceed, as in prediction. */
const MOST_ACTIVATIONS = 2 ** 22;
const MOST_ROWS = 64;

/**
 * The share of each input in logit(x) - logit(baseline), [rows, inputs]: the gradient of the logit, averaged over `steps`
 * midpoints of the straight way from the baseline to x, times how far x lies from it. Computed on the trainer's device. A
 * row's shares sum to the difference of the logits, up to the error of the midpoint rule.
 *
 * @param x [rows, ...inputShape], row-major
 * @throws E_SHAPE for x or a baseline of another size; E_ARGUMENT for bad steps, a model with several outputs, and one
 *   whose inputs have no gradient (tokens)
 */
export async function integratedGradients(
  trainer: Trainer,
  x: ArrayLike<number>,
  options: IntegratedGradientsOptions = {},
): Promise<Float32Array> {
  const where = "integratedGradients";
  checkFields(where, trainer, { model: is.object, device: is.device }, "a trainer, from await compile()");
  const { baseline, steps = 64 } = checkOptions(where, options, integratedGradientsOptions);
  const { model, device, parameters, fusion } = trainer;
  const { x: checked, rows } = checkFeatures(where, x, model);
  const inputs = sizeOf(model.inputShape);
  if (sizeOf(model.outputShape) !== 1) {
    throw new TilegradError("E_ARGUMENT", `integratedGradients: the output is [${model.outputShape}]; expected [1].`);
  }
  if (baseline !== undefined && baseline.length !== inputs) {
    throw new TilegradError(
      "E_SHAPE",
      `integratedGradients: the baseline has ${baseline.length} values; expected ${inputs}, one row.`,
    );
  }
  const widest = Math.max(inputs, ...model.layers.map((layer) => sizeOf(layer.outputShape)));
  const batch = Math.max(1, Math.min(rows, MOST_ROWS, Math.floor(MOST_ACTIVATIONS / widest / steps)));
  const own = new TensorGroup(device);
  try {
    const places = Float32Array.from({ length: steps }, (_, i) => (i + 0.5) / steps);
    const bindings = {
      ...parameters.bindings,
      x: own.make(f32(batch * inputs), "attribution x"),
      baseline: own.make(f32(inputs), "attribution baseline", baseline ?? new Float32Array(inputs)),
      places: own.make(f32(steps), "attribution places", places),
      output: own.make(f32(batch * inputs), "attribution output"),
    };
    const graph = attributionStep(model, parameters.layout, batch, steps);
    const step = await device.compile(graph, { bindings, label: "attribution", fusion });
    try {
      const result = new Float32Array(rows * inputs);
      for (let start = 0; start < rows; start += batch) {
        const count = Math.min(batch, rows - start);
        bindings.x.write(checked.subarray(start * inputs, (start + count) * inputs));
        device.enqueue(step, { offset: 0 });
        result.set((await bindings.output.read(0, count * inputs)) as Float32Array, start * inputs);
      }
      return result;
    } finally {
      step.dispose();
    }
  } finally {
    own.dispose();
  }
}

/** x [batch, inputs] -> attributions [batch, inputs], over all steps of all rows at once. */
function attributionStep(model: Model, layout: ParameterLayout, batch: number, steps: number): Graph {
  const { view } = parameterViews(layout);
  const inputs = sizeOf(model.inputShape);
  const flat = dynamicSlice(input("x", [batch * inputs]), stepScalar("offset", "u32"), batch * inputs);
  const baseline = input("baseline", [inputs]);
  const way = sub(reshape(flat, [batch, inputs]), baseline); // [batch, inputs]
  const places = reshape(input("places", [steps]), [1, steps, 1]);
  const points = add(mul(reshape(way, [batch, 1, inputs]), places), baseline); // [batch, steps, inputs]
  const traced = model.trace(reshape(points, [batch * steps, ...model.inputShape]), {
    training: false,
    parameter: ({ name }) => view(name),
  });
  // Rows do not influence each other, so the gradient of their sum is each row's own.
  const [slope] = gradients(sum(unsquash(traced)?.logits ?? traced), [points]);
  const mean = mul(sum(slope, { axes: [1] }), 1 / steps);
  const output = state("output", [batch * inputs]);
  const value = dynamicUpdateSlice(output, reshape(mul(mean, way), [batch * inputs]), stepScalar("offset", "u32"));
  return { outputs: {}, updates: [{ state: output, value }] };
}

/** Mean over rows of each group's |sum of attributions|: how far the group moves the logit, in either direction. @throws E_ARGUMENT */
export function meanAttribution(
  attributions: Float32Array,
  rows: number,
  groups: readonly InputGroup[],
): { name: string; mean: number }[] {
  checkValue("meanAttribution", "attributions", attributions, is.values);
  checkValue("meanAttribution", "rows", rows, is.positiveInteger);
  checkGroups("meanAttribution", groups);
  const width = attributions.length / rows;
  return groups.map(({ name, inputs }) => {
    let total = 0;
    for (let row = 0; row < rows; row++) {
      total += Math.abs(inputs.reduce((moved, at) => moved + attributions[row * width + at], 0));
    }
    return { name, mean: total / rows };
  });
}
