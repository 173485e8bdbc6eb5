/** A trainer as files: the model people copy around, and the checkpoint a run goes on from. */
import { TilegradError } from "../errors.ts";
import type { Files } from "../io/bundle.ts";
import type { CheckpointFile } from "../io/checkpoint.ts";
import type { Json } from "../io/json.ts";
import { stringifyJson } from "../io/json.ts";
import type { ModelFile } from "../io/model.ts";
import { encodeModel } from "../io/model.ts";
import type { StoredTensors } from "../io/safetensors.ts";
import type { Callback } from "./callbacks.ts";
import type { Weights } from "./parameters.ts";
import type { Cursor, Trainer } from "./trainer.ts";

/** What travels with a model besides its weights. */
export type ModelExtras = Pick<ModelFile, "preprocessing" | "threshold" | "labels"> & {
  /** More to remember of how it was trained. */
  readonly training?: Readonly<Record<string, Json>>;
};

/** The trained model as files, `model.json` last. */
export async function modelFiles(trainer: Trainer, { training, ...extras }: ModelExtras = {}): Promise<Files> {
  const { model, loss, seed, history } = trainer;
  const weights = stored(await trainer.getWeights(), Object.fromEntries(model.parameters.map((p) => [p.name, p.shape])));
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
const BEST = "best ";

const configOf = ({ model, loss, optimizer }: Trainer): Json => ({
  architecture: model.architecture,
  loss: { type: loss.type, config: { ...loss.config } },
  optimizer: { type: optimizer.type, config: { ...optimizer.config } },
});

interface States {
  readonly [name: string]: Json;
  readonly rateScale: number;
  readonly stopped: boolean;
  readonly lossSum: number;
  readonly batchSize: number;
  readonly callbacks: { readonly [name: string]: Json };
}

/** All that a resumed run needs. */
export async function checkpointOf(trainer: Trainer, callbacks: readonly Callback[]): Promise<CheckpointFile> {
  const shapes = Object.fromEntries(trainer.model.parameters.map((p) => [p.name, p.shape]));
  const tensors: StoredTensors = { ...prefixed(PARAMETER, stored(await trainer.getWeights(), shapes)) };
  for (const [name, slot] of Object.entries(trainer.slots)) {
    Object.assign(tensors, { [SLOT + name]: { dtype: "f32", shape: slot.shape, data: await slot.read() } });
  }
  const states: Record<string, Json> = {};
  for (const callback of callbacks) {
    const state = callback.state?.();
    if (!state) continue;
    states[callback.name] = state.json;
    if (state.weights) Object.assign(tensors, prefixed(`${BEST}${callback.name} `, stored(state.weights, shapes)));
  }
  const { epoch, stepInEpoch, lossSum, batchSize } = trainer.cursor ?? { epoch: 0, stepInEpoch: 0, lossSum: 0, batchSize: 0 };
  const all: States = { rateScale: trainer.rateScale, stopped: trainer.stopped, lossSum, batchSize, callbacks: states };
  return {
    step: trainer.step,
    epoch,
    cursor: stepInEpoch,
    seed: trainer.seed,
    data: trainer.fingerprint,
    plan: trainer.planName,
    config: configOf(trainer),
    states: all,
    history: trainer.history,
    tensors,
  };
}

/** Puts a trainer and its callbacks where a checkpoint was made. @throws E_FILE when it belongs to another run. */
export function restoreCheckpoint(trainer: Trainer, checkpoint: CheckpointFile, callbacks: readonly Callback[], where: string): void {
  const differs = (what: string): TilegradError =>
    new TilegradError("E_FILE", `${where}: this checkpoint was made with another ${what}.`, {
      hint: "Resume with the options the run was started with, or start a new run in another folder.",
    });
  if (checkpoint.seed !== trainer.seed) throw differs("seed");
  const saved = checkpoint.config as Record<string, Json>;
  for (const [name, value] of Object.entries(configOf(trainer) as Record<string, Json>)) {
    if (stringifyJson(saved[name] ?? null) !== stringifyJson(value)) throw differs(name);
  }
  const weightsOf = (prefix: string): Weights =>
    Object.fromEntries(
      Object.entries(checkpoint.tensors)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, t]) => [name.slice(prefix.length), t.data as Float32Array]),
    );
  const states = checkpoint.states as unknown as States;
  const slots = weightsOf(SLOT);
  for (const [name, slot] of Object.entries(trainer.slots)) {
    if (slots[name]?.length !== slot.shape[0]) throw differs("optimizer");
  }
  trainer.setWeights(weightsOf(PARAMETER));
  for (const [name, slot] of Object.entries(trainer.slots)) slot.write(slots[name]);
  for (const callback of callbacks) {
    const json = states.callbacks[callback.name];
    if (json === undefined) continue;
    const weights = weightsOf(`${BEST}${callback.name} `);
    callback.restore?.({ json, ...(Object.keys(weights).length > 0 ? { weights } : {}) });
  }
  const { lossSum, batchSize, rateScale, stopped } = states;
  const cursor: Cursor = { epoch: checkpoint.epoch, stepInEpoch: checkpoint.cursor, lossSum, batchSize };
  trainer.resumeAt({ cursor, step: checkpoint.step, rateScale, stopped, history: checkpoint.history, data: checkpoint.data });
}

function stored(weights: Weights, shapes: Readonly<Record<string, readonly number[]>>): StoredTensors {
  return Object.fromEntries(Object.entries(weights).map(([name, data]) => [name, { dtype: "f32" as const, shape: shapes[name], data }]));
}

const prefixed = (prefix: string, tensors: StoredTensors): StoredTensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
