/** Checks a losses-family file: per-example losses and gradients, and every reduction the file gives. */
import type { Device } from "../../src/device.ts";
import type { Tensor } from "../../src/graph/types.ts";
import type { Loss, LossOptions, Reduction } from "../../src/model/losses.ts";
import {
  binaryCrossentropy,
  focal,
  hinge,
  meanSquaredError,
  reduceLoss,
  softmaxCrossentropy,
  squaredHinge,
} from "../../src/model/losses.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { input } from "../../src/ops/core/constant.ts";
import { mul, sigmoid } from "../../src/ops/core/elementwise.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import type { OracleResult } from "./family.ts";

interface Values {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}
interface Expected {
  readonly per_example: Values;
  readonly grad_per_example?: Values;
  readonly grad_prob_per_example?: Values;
  readonly grad_per_example_low?: Values;
  readonly grad_per_example_high?: Values;
  readonly sum?: Reduced;
  readonly mean?: Reduced;
  readonly mean_w?: Reduced;
}
interface Reduced {
  readonly loss: number;
  readonly grad?: Values;
  readonly grad_prob?: Values;
}
interface LossCase {
  readonly id: string;
  readonly loss: string;
  // biome-ignore lint/suspicious/noExplicitAny: each loss has its own parameters
  readonly params: Readonly<Record<string, any>>;
  readonly logit?: Values;
  readonly prob?: Values;
  readonly target: Values;
  readonly weights?: Values;
  readonly expected: Expected;
  readonly expected_f32_bounds?: Expected;
  readonly atol_per_example?: Values;
  readonly atol_grad_per_example?: Values;
}
export interface LossesFile {
  readonly tolerance: { readonly rtol: number; readonly atol: number };
  readonly cases: readonly LossCase[];
}

/** The project's loss for a case; `onSigmoid` losses take p = sigmoid(z). */
function lossOf({ loss, params }: LossCase, options: LossOptions): { loss: Loss; onSigmoid?: boolean } | null {
  const weights = params.class_weight;
  const classWeight = Array.isArray(weights) ? Object.fromEntries(weights.entries()) : weights;
  const common = classWeight ? { ...options, classWeight } : options;
  const clamp = { ...common, form: "clamp", epsilon: params.eps } as const;
  const inLog = { ...common, form: "epsilonInLog", epsilon: params.eps } as const;
  switch (loss) {
    case "bce_logits":
    case "bce_class_weight":
    case "bce_sample_weight":
      return { loss: binaryCrossentropy(common) };
    case "bce_pos_weight":
      return { loss: binaryCrossentropy({ ...common, posWeight: params.pos_weight }) };
    case "bce_label_smoothing":
      return { loss: binaryCrossentropy({ ...common, labelSmoothing: params.smoothing }) };
    case "bce_prob_clamp":
      return { loss: binaryCrossentropy(clamp) };
    case "bce_prob_eps_in_log":
      return { loss: binaryCrossentropy(inLog) };
    case "bce_sigmoid_clamp":
      return { loss: binaryCrossentropy(clamp), onSigmoid: true };
    case "bce_sigmoid_eps_in_log":
      return { loss: binaryCrossentropy(inLog), onSigmoid: true };
    case "focal_logits":
      return { loss: focal({ ...common, gamma: params.gamma, alpha: params.alpha }) };
    case "mse_sigmoid":
      return { loss: meanSquaredError({ ...common, on: "probability" }) };
    case "hinge":
      return { loss: hinge(common) };
    case "squared_hinge":
      return { loss: squaredHinge(common) };
    case "softmax_cross_entropy":
      return { loss: softmaxCrossentropy({ ...common, labelSmoothing: params.smoothing }) };
    default:
      return null;
  }
}

const REDUCTIONS: readonly (readonly ["sum" | "mean" | "mean_w", Reduction])[] = [
  ["sum", "sum"],
  ["mean", "mean"],
  ["mean_w", "weightedMean"],
];

export async function checkLoss(device: Device, file: LossesFile, one: LossCase): Promise<OracleResult> {
  if (!lossOf(one, {})) return { id: one.id, unsupported: true };
  const given = (one.logit ?? one.prob) as Values;
  const z = input("z", given.shape);
  const target = input("target", one.target.shape);
  // The oracle lists the weights of a class-weighted loss too; the project derives those from the class weights.
  const weighted = one.loss === "bce_sample_weight" && one.weights ? input("weight", one.weights.shape) : null;
  const outputs: Record<string, Tensor> = {};
  const make = (options: LossOptions): { value: (l: Loss) => Tensor; loss: Loss } => {
    const { loss, onSigmoid } = lossOf(one, options) as NonNullable<ReturnType<typeof lossOf>>;
    return { loss, value: (l) => reduceLoss(l, onSigmoid ? sigmoid(z) : z, target, weighted) };
  };
  const { loss, onSigmoid } = lossOf(one, { reduction: "sum" }) as NonNullable<ReturnType<typeof lossOf>>;
  const per = loss.perExample(onSigmoid ? sigmoid(z) : z, target);
  const classWeight = loss.weight(target);
  outputs.per_example = [classWeight, weighted].reduce<Tensor>((l, w) => (w ? mul(l, w) : l), per);
  outputs.grad_per_example = gradients(sum(outputs.per_example), [z])[0];
  for (const [name, reduction] of REDUCTIONS) {
    if (!one.expected[name]) continue;
    const made = make({ reduction });
    outputs[name] = made.value(made.loss);
    outputs[`grad_${name}`] = gradients(outputs[name], [z])[0];
  }
  const bindings = {
    z: device.tensor(z, "z", given.data.map(Number)),
    target: device.tensor(target, "target", one.target.data.map(Number)),
    ...(weighted && one.weights ? { weight: device.tensor(weighted, "weight", one.weights.data.map(Number)) } : {}),
  };
  const step = await device.compile({ outputs, updates: [] }, { bindings, label: one.id });
  device.enqueue(step, {});
  await device.flush();
  const got: Record<string, ArrayLike<number>> = {};
  for (const [name, tensor] of Object.entries(step.outputs)) got[name] = await tensor.read();
  step.dispose();
  for (const tensor of Object.values(bindings)) tensor.dispose();
  return { id: one.id, ...compare(file, one, got) };
}

function compare(
  { tolerance }: LossesFile,
  one: LossCase,
  got: Readonly<Record<string, ArrayLike<number>>>,
): { ratio: number; error?: string } {
  let worst: { ratio: number; error?: string } = { ratio: 0 };
  const see = (name: string, i: number, ratios: readonly number[]): void => {
    const ratio = Math.min(...ratios.map((r) => (Number.isNaN(r) ? Number.POSITIVE_INFINITY : r)));
    if (ratio > worst.ratio) worst = { ratio, error: `${name}[${i}]` };
  };
  const ratioOf = (value: number, want: number, extra = 0): number =>
    value === want ? 0 : Math.abs(value - want) / (tolerance.atol + extra + tolerance.rtol * Math.abs(want));
  const accepted = [one.expected, ...(one.expected_f32_bounds ? [one.expected_f32_bounds] : [])];
  const check = (
    name: string,
    pick: (e: Expected) => readonly (number | string)[] | undefined,
    extra: (i: number) => number,
  ): void => {
    const wants = accepted.map(pick).filter((w) => w !== undefined);
    if (wants.length === 0) return;
    for (let i = 0; i < wants[0].length; i++)
      see(
        name,
        i,
        wants.map((w) => ratioOf(got[name][i], Number(w[i]), extra(i))),
      );
  };
  const lossExtra = (i: number): number => Number(one.atol_per_example?.data[i] ?? 0);
  const gradExtra = (i: number): number => Number(one.atol_grad_per_example?.data[i] ?? 0);
  const rows = got.per_example.length;
  const average = (extra: (i: number) => number): number => {
    let total = 0;
    for (let i = 0; i < rows; i++) total += extra(i);
    return total / rows;
  };
  check("per_example", (e) => e.per_example.data, lossExtra);
  check("grad_per_example", (e) => (e.grad_per_example ?? e.grad_prob_per_example)?.data, gradExtra);
  for (const [name] of REDUCTIONS) {
    check(
      name,
      (e) => (e[name] ? [e[name].loss] : undefined),
      () => (name === "sum" ? rows : 1) * average(lossExtra),
    );
    check(
      `grad_${name}`,
      (e) => (e[name]?.grad ?? e[name]?.grad_prob)?.data,
      (i) => gradExtra(i) / (name === "sum" ? 1 : rows),
    );
  }
  const { grad_per_example_low: low, grad_per_example_high: high } = one.expected;
  if (low && high) {
    low.data.forEach((l, i) => {
      const value = got.grad_per_example[i];
      const inside = value >= Number(l) && value <= Number(high.data[i]);
      see("grad_per_example", i, inside ? [0] : [ratioOf(value, Number(l)), ratioOf(value, Number(high.data[i]))]);
    });
  }
  return worst.ratio <= 1 ? { ratio: worst.ratio } : worst;
}
