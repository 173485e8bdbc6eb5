/** Callbacks: heard after each epoch, at a fixed step; what they decide takes effect before the next. */

import { TilegradError } from "../errors.ts";
import type { Json } from "../io/json.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkObject, checkOptions, checkValue } from "../options.ts";
import type { Weights } from "./parameters.ts";
import { Plateau, plateauOptions } from "./plateau.ts";

/** What an epoch came to: `loss`, with validation `valLoss` and a `val...` for each metric, `learningRate`. */
export type EpochLogs = Readonly<Record<string, number>>;

/** What a callback may do. */
export interface Control {
  /** Ends `fit` after this epoch. */
  stop(): void;
  /** Factor on the schedule's learning rate; 1 to begin with. */
  rateScale: number;
  /** Saves everything a resumed run needs, callbacks included. @throws E_FILE */
  saveCheckpoint(folder: string): Promise<void>;
  getWeights(): Promise<Weights>;
  setWeights(weights: Weights): void;
}

export interface Callback {
  /** Under this name its state is kept in checkpoints. */
  readonly name: string;
  /** Logs that it needs: `fit` refuses to begin without them. */
  readonly monitors?: readonly string[];
  /** Before the first epoch of a `fit`, but not when it goes on with an interrupted one: forget earlier runs. */
  onTrainBegin?(): void;
  /** `epoch` counts from 0. */
  onEpochEnd?(epoch: number, logs: EpochLogs, control: Control): void | Promise<void>;
  /** After every callback has heard of the epoch: what is saved now is complete. */
  afterEpoch?(epoch: number, control: Control): void | Promise<void>;
  /** After the last epoch, however training ended (but not when it failed). */
  onTrainEnd?(control: Control): void | Promise<void>;
  /** For checkpoints: what it remembers, and taking it up again. */
  state?(): { readonly json: Json; readonly weights?: Weights };
  restore?(state: { readonly json: Json; readonly weights?: Weights }): void;
}

const earlyStoppingOptions = () => ({
  /** Default valLoss. */
  monitor: is.string,
  /** Default: max for accuracies, areas and F-scores, min for losses. */
  mode: is.oneOf("min", "max"),
  /** Epochs without improvement that are put up with; default 10. */
  patience: is.nonNegative,
  /** Improvements no larger than this do not count; default 0. */
  minDelta: is.finite,
  /** Between epochs of equal value this one decides, e.g. valLoss once an area of few positives has reached 1. */
  tieBreak: is.string,
  /** Ends with the weights of the best epoch; default true. */
  restoreBest: is.boolean,
});

export interface EarlyStoppingOptions extends OptionsOf<typeof earlyStoppingOptions> {}

const isLossLike = (name: string): boolean => /loss|brier|ece|error/i.test(name);

const notLogged = (name: string, logged: readonly string[]): TilegradError =>
  new TilegradError("E_ARGUMENT", `monitor: got "${name}"; this run has ${logged.join(", ")}.`, {
    hint: "Name one of these, pass validation data, or add the metric.",
  });

function monitored(name: string, logs: EpochLogs): number {
  const value = logs[name];
  if (value === undefined) throw notLogged(name, Object.keys(logs));
  return value;
}

/** The best epoch so far, counted from 0. */
export interface BestEpoch {
  readonly epoch: number;
  readonly value: number;
  /** Its value of `tieBreak`, if there is one. */
  readonly tie?: number;
}

/** Stops when a value has not improved for `patience` epochs. */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback & { readonly best: BestEpoch | null } {
  checkOptions("earlyStopping", options, earlyStoppingOptions());
  const { monitor = "valLoss", patience = 10, minDelta = 0, tieBreak, restoreBest = true } = options;
  const mode = options.mode ?? (isLossLike(monitor) ? "min" : "max");
  const tieMode = tieBreak === undefined || isLossLike(tieBreak) ? "min" : "max";
  const beats = (direction: "min" | "max", a: number, b: number, delta: number): boolean =>
    direction === "min" ? a < b - delta : a > b + delta;
  let best: BestEpoch | null = null;
  let waited = 0;
  let weights: Weights | undefined;
  return {
    name: "earlyStopping",
    monitors: tieBreak === undefined ? [monitor] : [monitor, tieBreak],
    get best() {
      return best;
    },
    onTrainBegin() {
      best = null;
      waited = 0;
      weights = undefined;
    },
    async onEpochEnd(epoch, logs, control) {
      const value = monitored(monitor, logs);
      const tie = tieBreak === undefined ? undefined : monitored(tieBreak, logs);
      const decidesTie = (b: BestEpoch): boolean =>
        tie !== undefined &&
        b.tie !== undefined &&
        value === b.value &&
        (beats(tieMode, tie, b.tie, 0) || (Number.isNaN(b.tie) && !Number.isNaN(tie)));
      // A value that is not known is never the best, and any that is beats none.
      if (
        (best === null && !Number.isNaN(value)) ||
        (best && (beats(mode, value, best.value, minDelta) || decidesTie(best)))
      ) {
        best = { epoch, value, ...(tie === undefined ? {} : { tie }) };
        waited = 0;
        if (restoreBest) weights = await control.getWeights();
      } else if (++waited >= patience) control.stop();
    },
    onTrainEnd(control) {
      if (weights) control.setWeights(weights);
    },
    state: () => ({ json: { best: best && { ...best }, waited }, ...(weights ? { weights } : {}) }),
    restore(state) {
      ({ best, waited } = state.json as { best: typeof best; waited: number });
      weights = state.weights;
    },
  };
}

const reduceOnPlateauOptions = () => ({
  /** Default valLoss. */
  monitor: is.string,
  ...plateauOptions(),
  /** Least share of the schedule's rate; default 0. */
  minRate: is.nonNegative,
});

export interface ReduceOnPlateauOptions extends OptionsOf<typeof reduceOnPlateauOptions> {}

/** Lowers the learning rate when a value has stopped improving. */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Callback {
  const { monitor = "valLoss", ...rest } = checkOptions("reduceOnPlateau", options, reduceOnPlateauOptions());
  const plateau = new Plateau({ mode: isLossLike(monitor) ? "min" : "max", ...rest });
  return {
    name: "reduceOnPlateau",
    monitors: [monitor],
    onTrainBegin: () => plateau.reset(),
    onEpochEnd(_, logs, control) {
      control.rateScale = plateau.next(monitored(monitor, logs), control.rateScale);
    },
    state: () => ({ json: { ...plateau.state } }),
    restore(state) {
      plateau.state = { ...(state.json as typeof plateau.state) };
    },
  };
}

const modelCheckpointOptions = () => ({
  /** A folder in Node, a name in the OPFS in a browser; `trainer.restoreCheckpoint` takes the run up from there. */
  folder: is.required(is.string),
  /** Epochs; default 1. */
  every: is.positiveInteger,
});

export interface ModelCheckpointOptions extends OptionsOf<typeof modelCheckpointOptions> {}

/** Saves everything a resumed run needs every `every` epochs, each save in place of the last. */
export function modelCheckpoint(options: ModelCheckpointOptions): Callback {
  checkOptions("modelCheckpoint", options, modelCheckpointOptions());
  const { folder, every = 1 } = options;
  return {
    name: "modelCheckpoint",
    async afterEpoch(epoch, control) {
      if ((epoch + 1) % every === 0) await control.saveCheckpoint(folder);
    },
  };
}

const HOOKS = [
  "onTrainBegin",
  "onEpochEnd",
  "afterEpoch",
  "onTrainEnd",
  "state",
  "restore",
] as const satisfies readonly (keyof Callback)[];

function checkCallback(where: string, callback: unknown): asserts callback is Callback {
  checkObject(where, callback, "a callback, such as earlyStopping()");
  for (const hook of HOOKS) {
    const value: unknown = Reflect.get(callback, hook);
    if (value !== undefined) checkValue(where, hook, value, is.callable);
  }
  const monitors: unknown = Reflect.get(callback, "monitors");
  if (monitors !== undefined) checkValue(where, "monitors", monitors, is.list);
}

/**
 * A checkpoint keeps the state of callbacks by name.
 * @param logged what there will be to monitor
 * @throws E_ARGUMENT for what is none, what needs other logs, and two of one name
 */
export function checkCallbacks(callbacks: readonly Callback[], logged: readonly string[]): void {
  for (const [i, callback] of callbacks.entries()) {
    checkCallback(`callbacks[${i}]`, callback);
    const missing = callback.monitors?.find((name) => !logged.includes(name));
    if (missing !== undefined) throw notLogged(missing, logged);
  }
  const names = callbacks.filter((c) => c.state).map((c) => c.name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw new TilegradError(
    "E_ARGUMENT",
    `callbacks: two are called "${twice}"; expected names that tell their states apart.`,
    {
      hint: "Give one of them another name.",
    },
  );
}
