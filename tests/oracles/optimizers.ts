/** Checks an optimizers-family file: trajectories and clipping on the device, schedules on the host. */
import type { Device } from "../../src/device.ts";
import type { Update } from "../../src/graph/types.ts";
import type { Optimizer, OptimizerOptions } from "../../src/model/optimizers.ts";
import { adagrad, adam, adamW, clipGradients, rmsprop, sgd } from "../../src/model/optimizers.ts";
import type { Schedule } from "../../src/model/schedules.ts";
import {
  constantRate,
  cosineDecay,
  exponentialDecay,
  linearDecay,
  multiStepDecay,
  stepDecay,
} from "../../src/model/schedules.ts";
import { pack } from "../../src/ops/core/concat.ts";
import { input, state, stepScalar } from "../../src/ops/core/constant.ts";
import { dynamicSlice, dynamicUpdateSlice } from "../../src/ops/core/take.ts";
import { reshape } from "../../src/ops/core/view.ts";
import { f32 } from "../../src/ops/op.ts";
import { Plateau } from "../../src/train/plateau.ts";
import type { OracleResult } from "./family.ts";

interface Values {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
// biome-ignore lint/suspicious/noExplicitAny: each optimizer, schedule and clip has its own parameters
type Params = Readonly<Record<string, any>>;
interface Trajectory {
  readonly id: string;
  readonly optimizer: string;
  readonly params: Params;
  readonly initial: Values;
  readonly gradients: Values;
  readonly trajectory: Values;
  readonly torch_f32_max_abs_dev: Values | readonly number[];
  readonly lr_per_step?: readonly number[];
}
interface ScheduleCase {
  readonly id: string;
  readonly schedule: string;
  readonly params: Params;
  readonly lr?: readonly number[];
  readonly metric?: readonly number[];
  readonly lr_after?: readonly number[];
}
interface ClipCase {
  readonly id: string;
  readonly clip: string;
  readonly params: Params;
  readonly gradients: readonly Values[];
  readonly clipped: readonly Values[];
}
export interface OptimizersFile {
  readonly trajectories: readonly Trajectory[];
  readonly schedules: readonly ScheduleCase[];
  readonly clipping: readonly ClipCase[];
}

/** PyTorch's parameters as the project's optimizer; also used by the training runs. */
export function optimizerOf(name: string, p: Params, extra: OptimizerOptions = {}): Optimizer | null {
  const common = {
    learningRate: p.lr,
    ...(p.weight_decay === undefined ? {} : { weightDecay: p.weight_decay }),
    ...extra,
  };
  switch (name) {
    case "sgd":
      return sgd({ ...common, momentum: p.momentum ?? 0, nesterov: p.nesterov ?? false, dampening: p.dampening ?? 0 });
    case "adam":
    case "adamw": {
      const options = {
        ...common,
        beta1: p.betas?.[0] ?? 0.9,
        beta2: p.betas?.[1] ?? 0.999,
        epsilon: p.eps ?? 1e-8,
        amsgrad: p.amsgrad ?? false,
      };
      return name === "adam" ? adam(options) : adamW(options);
    }
    case "rmsprop":
      return rmsprop({
        ...common,
        alpha: p.alpha ?? 0.99,
        epsilon: p.eps ?? 1e-8,
        momentum: p.momentum ?? 0,
        centered: p.centered ?? false,
      });
    case "adagrad":
      return adagrad({
        ...common,
        epsilon: p.eps ?? 1e-10,
        rateDecay: p.lr_decay ?? 0,
        initialAccumulator: p.initial_accumulator_value ?? 0,
      });
    default:
      return null;
  }
}

/** All steps are queued at once: gradients are read, and parameters recorded, at offsets that each step is given. */
export async function checkTrajectory(device: Device, one: Trajectory): Promise<OracleResult> {
  // Clipping before the step is named in the id alone: ".../clip_norm=1".
  const [, kind, limit] = /\/clip_(norm|value)=([\d.e+-]+)/.exec(one.id) ?? [];
  const clip = kind === undefined ? {} : kind === "norm" ? { clipNorm: Number(limit) } : { clipValue: Number(limit) };
  const optimizer = optimizerOf(one.optimizer, one.params, clip);
  if (!optimizer) return { id: one.id, unsupported: true };
  const [steps, k] = one.gradients.shape;
  const p = state("p", [k]);
  const record = state("record", [steps * k]);
  const offset = stepScalar("offset", "u32");
  const g = clipGradients(dynamicSlice(input("g", [steps * k]), offset, k), optimizer);
  const slots = Object.fromEntries(Object.keys(optimizer.slots).map((name) => [name, state(`slot ${name}`, [k])]));
  const next = optimizer.update({ p, g, slots, scalar: (name) => stepScalar(`optimizer ${name}`) });
  const updates: Update[] = [
    { state: p, value: next.p },
    { state: record, value: dynamicUpdateSlice(record, next.p, offset) },
    ...Object.entries(next.slots).map(([name, value]) => ({ state: slots[name], value })),
  ];
  const bindings = {
    p: device.tensor(f32(k), "p", one.initial.data),
    record: device.tensor(f32(steps * k), "record"),
    g: device.tensor(f32(steps * k), "g", one.gradients.data),
    ...Object.fromEntries(
      Object.entries(optimizer.slots).map(([name, value]) => [
        `slot ${name}`,
        device.tensor(f32(k), name, new Array(k).fill(value)),
      ]),
    ),
  };
  const compiled = await device.compile({ outputs: {}, updates }, { bindings, label: one.id });
  for (let t = 0; t < steps; t++) {
    const values: Record<string, number> = { offset: t * k };
    const rate = one.lr_per_step?.[t] ?? one.params.lr;
    for (const [name, value] of Object.entries(optimizer.scalars(t + 1, rate))) values[`optimizer ${name}`] = value;
    device.enqueue(compiled, values);
  }
  await device.flush();
  const got = await bindings.record.read();
  compiled.dispose();
  for (const tensor of Object.values(bindings)) tensor.dispose();
  const dev = "data" in one.torch_f32_max_abs_dev ? one.torch_f32_max_abs_dev.data : one.torch_f32_max_abs_dev;
  let worst = 0;
  for (let c = 0; c < k; c++) {
    const column = Array.from({ length: steps }, (_, t) => one.trajectory.data[t * k + c]);
    const atol = Math.max(10 * dev[c], 2e-6 * Math.max(...column.map(Math.abs)));
    column.forEach((want, t) => {
      const error = Math.abs(got[t * k + c] - want);
      worst = Math.max(worst, error === 0 ? 0 : error / atol);
    });
  }
  return { id: one.id, ratio: worst };
}

export async function checkClip(device: Device, one: ClipCase): Promise<OracleResult> {
  const options =
    one.clip === "value"
      ? { clipValue: one.params.value }
      : one.clip === "global_norm"
        ? { clipNorm: one.params.max_norm }
        : null;
  if (!options) return { id: one.id, unsupported: true };
  const inputs = one.gradients.map((g, i) => input(`g${i}`, g.shape));
  const flat = inputs.map((t) => reshape(t, [-1]));
  const offsets: number[] = [];
  let end = 0;
  for (const t of flat) {
    offsets.push(end);
    end += Math.ceil(t.shape[0] / 64) * 64;
  }
  const clipped = clipGradients(pack(flat, offsets, end), { clipValue: undefined, clipNorm: undefined, ...options });
  const bindings = Object.fromEntries(
    inputs.map((t, i) => [`g${i}`, device.tensor(t, `g${i}`, one.gradients[i].data)]),
  );
  const step = await device.compile({ outputs: { clipped }, updates: [] }, { bindings, label: one.id });
  device.enqueue(step, {});
  await device.flush();
  const got = await step.outputs.clipped.read();
  step.dispose();
  for (const tensor of Object.values(bindings)) tensor.dispose();
  let worst = 0;
  one.clipped.forEach(({ data }, i) => {
    data.forEach((want, j) => {
      worst = Math.max(worst, Math.abs(got[offsets[i] + j] - want) / (1e-7 + 1e-5 * Math.abs(want)));
    });
  });
  return { id: one.id, ratio: worst };
}

function scheduleOf(name: string, p: Params): Schedule | null {
  const span = { total: p.total };
  switch (name) {
    case "constant":
      return constantRate(p.start ?? p.lr);
    case "linear":
      return linearDecay(p.start, p.end, { ...span, endAt: p.form === "end_at_last" ? "last" : "total" });
    case "step":
      return stepDecay(p.start, { size: p.step_size, gamma: p.gamma });
    case "multistep":
      return multiStepDecay(p.start, { milestones: p.milestones, gamma: p.gamma });
    case "exponential":
      return exponentialDecay(p.start, { gamma: p.gamma });
    case "cosine_warmup":
      return cosineDecay(p.base, {
        ...span,
        warmup: p.warmup,
        minimum: p.min,
        warmupFrom: p.form === "from_zero" ? "zero" : "nonzero",
      });
    default:
      return null;
  }
}

export function checkSchedule(one: ScheduleCase): OracleResult {
  const { id, params: p } = one;
  const ratioOf = (got: readonly number[], want: readonly number[]): number =>
    Math.max(...want.map((w, i) => Math.abs(got[i] - w) / (1e-12 + 1e-6 * Math.abs(w))));
  if (one.schedule === "reduce_on_plateau" && one.metric && one.lr_after) {
    const plateau = new Plateau({
      mode: p.mode,
      factor: p.factor,
      patience: p.patience,
      threshold: p.threshold,
      thresholdMode: p.threshold_mode,
      cooldown: p.cooldown,
      minRate: p.min_lr,
      epsilon: p.eps,
    });
    let rate = p.start;
    const got = one.metric.map((value) => {
      rate = plateau.next(value, rate);
      return rate;
    });
    return { id, ratio: ratioOf(got, one.lr_after) };
  }
  const schedule = scheduleOf(one.schedule, p);
  if (!schedule || !one.lr) return { id, unsupported: true };
  return {
    id,
    ratio: ratioOf(
      one.lr.map((_, i) => schedule.rate({ step: i, epoch: i, stepsPerEpoch: 1, epochs: one.lr?.length ?? 0 })),
      one.lr,
    ),
  };
}
