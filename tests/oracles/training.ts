/** Checks a training-family file: whole runs through the public training API. */
import * as api from "../../src/api/core.ts";
import type { Device } from "../../src/device.ts";
import type { Layer } from "../../src/model/layer.ts";
import type { Loss } from "../../src/model/losses.ts";
import { binaryCrossentropy, meanSquaredError } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { compile } from "../../src/train/trainer.ts";
import type { OracleResult } from "./family.ts";
import { optimizerOf } from "./optimizers.ts";

interface Values {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
// biome-ignore lint/suspicious/noExplicitAny: each layer, loss and optimizer has its own parameters
type Spec = { readonly type: string; readonly [key: string]: any };
interface Run {
  readonly id: string;
  readonly dataset: string;
  readonly layers: readonly Spec[];
  readonly loss: Spec;
  readonly optimizer: Spec;
  readonly lr_per_epoch?: readonly number[];
  readonly epochs: number;
  readonly batch_size: number;
  readonly epoch_orders: readonly (readonly number[])[] | Values;
  readonly initial: Readonly<Record<string, Values>>;
  readonly loss_reported?: string;
  readonly loss_f64: Values | readonly number[];
  readonly final_f64: Readonly<Record<string, Values>>;
  readonly prediction_f64: Values | readonly number[];
  readonly tolerance: {
    readonly loss: number;
    readonly prediction: number;
    readonly weight99: number;
    readonly weight: number;
  };
}
interface Dataset {
  readonly x: Values;
  readonly y: Values;
  readonly x_test: Values;
}
export interface TrainingFile {
  readonly datasets: Readonly<Record<string, Dataset>>;
  readonly runs: readonly Run[];
}

const numbers = (v: Values | readonly number[]): readonly number[] => ("data" in v ? v.data : v);

/** Layer makers of the public API by name, so that the run is unsupported, not broken, where one is missing. */
// biome-ignore lint/suspicious/noExplicitAny: as above
const makers = api as unknown as Readonly<Record<string, ((options?: any) => Layer) | undefined>>;

/** A layer, and which of the file's weights is which of its parameters; sizes come from the weights' shapes. */
function layerOf(
  spec: Spec,
  name: string,
  initial: Run["initial"],
): { layer: Layer; weights: Readonly<Record<string, string>> } | null {
  const { type, activation = "linear", kernel, bias, strides } = spec;
  const made = (maker: string, options: object, weights: Readonly<Record<string, string>> = {}) => {
    const layer = makers[maker]?.({ name, ...options });
    return layer ? { layer, weights } : null;
  };
  switch (type) {
    case "dense":
      return made("dense", { units: initial[kernel].shape[1], activation }, { kernel, bias });
    case "conv2d": {
      const [height, width, , filters] = initial[kernel].shape;
      return made(
        "conv2d",
        { filters, kernelSize: [height, width], activation, strides, padding: spec.padding },
        { kernel, bias },
      );
    }
    case "max_pool2d":
      return made("maxPooling2d", { poolSize: spec.pool_size, strides, padding: spec.padding ?? "valid" });
    case "flatten":
      return made("flatten", {});
    case "lstm":
    case "gru":
      return made(
        type,
        { units: spec.units, returnSequences: spec.return_sequences },
        { kernel, recurrentKernel: spec.recurrent_kernel, bias },
      );
    default:
      return null;
  }
}

function lossOf({ type, ...p }: Spec): Loss | null {
  switch (type) {
    case "bce_pos_weight":
      return binaryCrossentropy({ posWeight: p.pos_weight });
    case "bce_class_weight":
      return binaryCrossentropy({ classWeight: p.class_weight, reduction: p.reduction ?? "mean" });
    case "mse":
      return meanSquaredError();
    default:
      return null;
  }
}

export async function checkRun(device: Device, file: TrainingFile, run: Run): Promise<OracleResult> {
  const { id, tolerance } = run;
  const data = file.datasets[run.dataset];
  const built = run.layers.map((spec, i) => layerOf(spec, `layer${i}`, run.initial));
  const loss = lossOf(run.loss);
  const rates = run.lr_per_epoch;
  const optimizer = optimizerOf(run.optimizer.type, run.optimizer, {
    ...(rates ? { learningRate: { type: "given", config: {}, rate: ({ epoch }) => rates[epoch] } } : {}),
    ...(run.optimizer.clip_norm === undefined ? {} : { clipNorm: run.optimizer.clip_norm }),
  });
  if (built.includes(null) || !loss || !optimizer) return { id, unsupported: true };
  const parts = built as { layer: Layer; weights: Readonly<Record<string, string>> }[];
  const model = sequential(
    { input: data.x.shape.slice(1) },
    parts.map((p) => p.layer),
  );
  const trainer = await compile(model, { device, loss, optimizer });
  const named = parts.flatMap(({ weights }, i) =>
    Object.entries(weights).map(([parameter, theirs]) => ({ ours: `layer${i}/${parameter}`, theirs })),
  );
  trainer.setWeights(Object.fromEntries(named.map(({ ours, theirs }) => [ours, run.initial[theirs].data])));

  const orders = orderLists(run.epoch_orders);
  const stepLosses: number[] = [];
  const events = trainer.run(
    { x: data.x.data, y: data.y.data },
    { epochs: run.epochs, batchSize: run.batch_size, order: (epoch) => orders[epoch % orders.length] },
  );
  for await (const event of events)
    if (event.type === "steps") for (const value of event.losses) stepLosses.push(value);
  const losses = run.loss_reported === "epoch_mean" ? epochMeans(stepLosses, orders, run) : stepLosses;
  const predictions = await trainer.outputs(data.x_test.data);
  const weights = await trainer.getWeights();
  trainer.dispose();

  const errors = (got: ArrayLike<number>, want: readonly number[]): number[] =>
    want.map((w, i) => (Number.isFinite(got[i]) ? Math.abs(got[i] - w) : Number.POSITIVE_INFINITY));
  const weightErrors = named
    .flatMap(({ ours, theirs }) => errors(weights[ours], run.final_f64[theirs].data))
    .sort((a, b) => a - b);
  const ratios = {
    loss: Math.max(...errors(losses, numbers(run.loss_f64))) / tolerance.loss,
    prediction: Math.max(...errors(predictions, numbers(run.prediction_f64))) / tolerance.prediction,
    weight99: weightErrors[Math.max(0, Math.ceil(0.99 * weightErrors.length) - 1)] / tolerance.weight99,
    weight: (weightErrors.at(-1) as number) / tolerance.weight,
  };
  const [worst, ratio] = Object.entries(ratios).sort(([, a], [, b]) => b - a)[0];
  return { id, ratio, ...(ratio > 1 ? { error: `${worst} is off` } : {}) };
}

function orderLists(orders: Run["epoch_orders"]): readonly (readonly number[])[] {
  if (!("data" in orders)) return orders;
  const [count, rows] = orders.shape;
  return Array.from({ length: count }, (_, e) => orders.data.slice(e * rows, (e + 1) * rows));
}

/** Means over the steps of each epoch: a short last batch counts like the others, unlike in the trainer's own history. */
function epochMeans(losses: readonly number[], orders: readonly (readonly number[])[], run: Run): number[] {
  let from = 0;
  return Array.from({ length: run.epochs }, (_, e) => {
    const steps = Math.ceil(orders[e % orders.length].length / run.batch_size);
    const epoch = losses.slice(from, from + steps);
    from += steps;
    return epoch.reduce((a, b) => a + b, 0) / steps;
  });
}
