/** A trainer as files: the model people copy around, and the checkpoint a run goes on from. */

import type { DeviceTensor } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Files } from "../io/bundle.ts";
import type { CheckpointFile } from "../io/checkpoint.ts";
import type { Json } from "../io/json.ts";
import { stringifyJson } from "../io/json.ts";
import { encodeModel, MODEL_EXTRAS, parseExtras } from "../io/model.ts";
import type { Place } from "../io/place.ts";
import { asJson, asNumber, asObject, field, misplaced, optional } from "../io/place.ts";
import type { StoredTensors } from "../io/safetensors.ts";
import { parseTuning } from "../io/tunings.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { Loss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions } from "../options.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import type { Callback } from "./callbacks.ts";
import type { Parameters, Weights } from "./parameters.ts";
import type { Cursor, TrainingProgress } from "./progress.ts";

/** What is saved of a trainer. */
export interface Saved {
  readonly model: Model;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly seed: number;
  readonly parameters: Parameters;
  /** The optimizer's, bound as `slot NAME`. */
  readonly slots: Readonly<Record<string, DeviceTensor>>;
  readonly precision: TrainingPrecision;
  /** Of mixed precision, bound by name. */
  readonly lossScaling: Readonly<Record<string, DeviceTensor>>;
  readonly progress: TrainingProgress;
}

const EXTRAS = {
  ...MODEL_EXTRAS,
  /** More to remember of how it was trained. */
  training: is.object as Kind<Readonly<Record<string, Json>>>,
};

/** What travels with a model besides its weights. */
export interface ModelExtras extends OptionsOf<typeof EXTRAS> {}

/** What is saved must be read again. @throws E_ARGUMENT */
function checkExtras(extras: ModelExtras): ModelExtras {
  checkOptions("save", extras, EXTRAS);
  try {
    parseExtras({ value: extras as Json, file: "save", path: "" });
    return extras;
  } catch (cause) {
    throw new TilegradError("E_ARGUMENT", (cause as Error).message, { cause });
  }
}

/** The trained model as files, `model.json` last. @throws E_ARGUMENT for extras that could not be read again */
export async function modelFiles(trainer: Saved, given: ModelExtras = {}): Promise<Files> {
  checkFields("modelFiles", trainer, { model: is.object, progress: is.object }, "a trainer, from await compile()");
  const { training, ...extras } = checkExtras(given);
  const {
    model,
    loss,
    seed,
    parameters,
    progress: { history },
  } = trainer;
  const weights = stored(await parameters.read(), Object.fromEntries(model.parameters.map((p) => [p.name, p.shape])));
  return encodeModel({
    ...extras,
    architecture: model.architecture,
    weights,
    training: {
      ...training,
      seed,
      epochs: history.loss?.length ?? 0,
      loss: history.loss?.at(-1) ?? Number.NaN,
      lossFunction: { type: loss.type, config: { ...loss.config } },
    },
  });
}

/** What a checkpoint's tensors are called. */
const PARAMETER = "parameter ";
const SLOT = "slot ";
const SCALING = "scaling ";
const BEST = "best ";

const configOf = ({ model, loss, optimizer, precision }: Saved): Json => ({
  architecture: model.architecture,
  loss: { type: loss.type, config: { ...loss.config } },
  optimizer: { type: optimizer.type, config: { ...optimizer.config } },
  precision,
});

/** What stood there before there were options for it. */
const EARLIER = { precision: "f32" };

/** All that a resumed run needs. @throws E_ARGUMENT while steps are on their way, which it would not count */
export async function checkpointOf(trainer: Saved, callbacks: readonly Callback[]): Promise<CheckpointFile> {
  const { parameters, progress } = trainer;
  if (progress.flying) {
    throw new TilegradError("E_ARGUMENT", "saveCheckpoint: steps are on their way; expected a trainer at rest.", {
      hint: "Use the checkpoint callback, or leave the loop over trainer.run first: fit then goes on.",
    });
  }
  const shapes = Object.fromEntries(trainer.model.parameters.map((p) => [p.name, p.shape]));
  const tensors: StoredTensors = { ...prefixed(PARAMETER, stored(await parameters.read(), shapes)) };
  const others = { ...prefixed(SLOT, trainer.slots), ...prefixed(SCALING, trainer.lossScaling) };
  for (const [name, tensor] of Object.entries(others)) {
    Object.assign(tensors, { [name]: { dtype: "f32", shape: tensor.shape, data: await tensor.read() } });
  }
  const states: Record<string, Json> = {};
  for (const callback of callbacks) {
    const state = callback.state?.();
    if (!state) continue;
    states[callback.name] = state.json;
    if (state.weights) Object.assign(tensors, prefixed(`${BEST}${callback.name} `, stored(state.weights, shapes)));
  }
  const { step, cursor, rateScale, stopped, data, tuning, history } = progress;
  // No batch size: no `fit` is to be gone on with.
  const { epoch, stepInEpoch, lossSum, batchSize, blockRows } = cursor ?? {
    epoch: 0,
    stepInEpoch: 0,
    lossSum: 0,
    batchSize: 0,
    blockRows: 0,
  };
  return {
    step,
    epoch,
    cursor: stepInEpoch,
    seed: trainer.seed,
    data,
    plan: trainer.progress.plan,
    config: configOf(trainer),
    states: { rateScale, stopped, lossSum, batchSize, blockRows, tuning: tuning as unknown as Json, callbacks: states },
    history: structuredClone(history),
    tensors,
  };
}

/**
 * Puts a trainer and its callbacks where a checkpoint was made; `data` is the fingerprint of what it will go on with.
 * @throws E_FILE when it belongs to another run; nothing is changed then
 */
export function restoreCheckpoint(
  trainer: Saved,
  checkpoint: CheckpointFile,
  callbacks: readonly Callback[],
  where: string,
  data?: string,
): void {
  const differs = (what: string): TilegradError =>
    new TilegradError("E_FILE", `${where}: this checkpoint was made with ${what}.`, {
      hint: "Resume with the data and the options the run was started with, or start a new run in another folder.",
    });
  if (checkpoint.seed !== trainer.seed) throw differs("another seed");
  // Before the model, which may follow from the data: its first bias is the share of positives.
  if (data !== undefined && checkpoint.data !== "" && checkpoint.data !== data) throw differs("other data");
  const config: Readonly<Record<string, Json>> = {
    ...EARLIER,
    ...asObject({ value: checkpoint.config, file: where, path: "config" }),
  };
  for (const [name, value] of Object.entries(configOf(trainer) as Record<string, Json>)) {
    if (stringifyJson(config[name] ?? null) !== stringifyJson(value)) throw differs(`another ${name}`);
  }
  // Earlier versions had kernels that sum in another order for such a run, which cannot go on to the same bits without them.
  if (config.deterministic === false) {
    throw new TilegradError("E_FILE", `${where}: this checkpoint was made with deterministic: false, which is gone.`, {
      hint: "Go on with the version that the run was started with, or start a new run in another folder.",
    });
  }
  const weightsOf = (prefix: string): Weights =>
    Object.fromEntries(
      Object.entries(checkpoint.tensors)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, t]) => [name.slice(prefix.length), Float32Array.from(t.data)]),
    );
  const slots = weightsOf(SLOT);
  for (const [name, slot] of Object.entries(trainer.slots)) {
    if (slots[name]?.length !== slot.shape[0]) throw differs("another optimizer");
  }
  const scaling = weightsOf(SCALING);
  for (const name of Object.keys(trainer.lossScaling))
    if (scaling[name]?.length !== 1) throw differs("another precision");
  const states: Place = { value: checkpoint.states, file: where, path: "states" };
  const number = (name: string): number => asNumber(field(states, name));
  const [batchSize, blockRows] = [number("batchSize"), number("blockRows")];
  const [lossSum, rateScale] = [number("lossSum"), number("rateScale")];
  const stopped = asJson(field(states, "stopped"));
  if (typeof stopped !== "boolean") throw misplaced(field(states, "stopped"), "true or false");
  const tuning = optional(field(states, "tuning"), (place) => parseTuning(place)) ?? null;
  const remembered = asObject(field(states, "callbacks"));
  try {
    trainer.parameters.write(weightsOf(PARAMETER));
  } catch (cause) {
    throw new TilegradError("E_FILE", `${where}: ${(cause as Error).message}`, { cause });
  }
  for (const [name, slot] of Object.entries(trainer.slots)) slot.write(slots[name]);
  for (const [name, tensor] of Object.entries(trainer.lossScaling)) tensor.write(scaling[name]);
  for (const callback of callbacks) {
    const json = remembered[callback.name];
    if (json === undefined) continue;
    const weights = weightsOf(`${BEST}${callback.name} `);
    callback.restore?.({ json, ...(Object.keys(weights).length > 0 ? { weights } : {}) });
  }
  const cursor: Cursor | null =
    batchSize === 0 ? null : { epoch: checkpoint.epoch, stepInEpoch: checkpoint.cursor, lossSum, batchSize, blockRows };
  const history = Object.fromEntries(Object.entries(checkpoint.history).map(([name, values]) => [name, [...values]]));
  Object.assign(trainer.progress, {
    step: checkpoint.step,
    cursor,
    rateScale,
    stopped,
    data: checkpoint.data,
    plan: checkpoint.plan,
    tuning,
    history,
  });
}

function stored(weights: Weights, shapes: Readonly<Record<string, readonly number[]>>): StoredTensors {
  return Object.fromEntries(
    Object.entries(weights).map(([name, data]) => [name, { dtype: "f32" as const, shape: shapes[name], data }]),
  );
}

const prefixed = <T>(prefix: string, tensors: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
