/** `--resample` and `--balanced-batches`: what training rows become before they are learned from. */
import type { Command } from "commander";
import { Option } from "commander";
import { number } from "../cli/options/values.ts";
import type { Preprocessor } from "../data/preprocess.ts";
import { featureNames } from "../data/preprocess.ts";
import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import { priorCorrection } from "../metrics/calibration.ts";
import type { ResamplerName } from "../resample/methods.ts";
import { resample as resampleBy } from "../resample/methods.ts";
import type { ArrayPart, Part } from "./examples.ts";
import type { LossChoice } from "./objective.ts";
import { isMargin, refuse } from "./objective.ts";

type Given = "samplingStrategy" | "kNeighbors" | "shrinkage";

interface Method {
  readonly method: ResamplerName;
  /** What the name stands for besides. */
  readonly fixed?: Readonly<Record<string, unknown>>;
  /** Options of the command line, and what they are called there. */
  readonly options: Readonly<Partial<Record<Given, string>>>;
}

const RATIO = { samplingStrategy: "samplingStrategy" };
const SMOTE = { ...RATIO, kNeighbors: "kNeighbors" };
const NEAR = { ...RATIO, kNeighbors: "nNeighbors" };

const METHODS = {
  randomOverSampler: { method: "randomOverSampler", options: { ...RATIO, shrinkage: "shrinkage" } },
  randomUnderSampler: { method: "randomUnderSampler", options: RATIO },
  smote: { method: "smote", options: SMOTE },
  smoteNC: { method: "smoteNC", options: SMOTE },
  borderlineSmote: { method: "borderlineSmote", options: SMOTE },
  borderlineSmote2: { method: "borderlineSmote", fixed: { kind: "borderline-2" }, options: SMOTE },
  kMeansSmote: { method: "kMeansSmote", options: SMOTE },
  adasyn: { method: "adasyn", options: NEAR },
  tomekLinks: { method: "tomekLinks", options: {} },
  editedNearestNeighbours: { method: "editedNearestNeighbours", options: { kNeighbors: "nNeighbors" } },
  smoteTomek: { method: "smoteTomek", options: SMOTE },
  smoteEnn: { method: "smoteEnn", options: SMOTE },
  nearMiss: { method: "nearMiss", options: NEAR },
  nearMiss2: { method: "nearMiss", fixed: { version: 2 }, options: NEAR },
  nearMiss3: { method: "nearMiss", fixed: { version: 3 }, options: NEAR },
} satisfies Record<string, Method>;

export const RESAMPLE_NAMES = Object.keys(METHODS) as (keyof typeof METHODS)[];

export interface ResampleOptions extends Partial<Record<Given, number>> {
  readonly resample?: keyof typeof METHODS | "none";
  readonly balancedBatches?: boolean;
  readonly seed: number;
}

export function addResampleOptions(command: Command): Command {
  return command
    .optionsGroup("Rare positives:")
    .addOption(
      new Option("--resample <name>", "makes, repeats or removes training rows (default: none)").choices([
        "none",
        ...RESAMPLE_NAMES,
      ]),
    )
    .option(
      "--sampling-strategy <ratio>",
      "rows of the rarer class per row of the other, afterwards (default: 1)",
      number({ above: 0, max: 1 }),
    )
    .option(
      "--k-neighbors <n>",
      "of methods that look for neighbours (default: theirs)",
      number({ min: 1, integer: true }),
    )
    .option("--shrinkage <n>", "of randomOverSampler: noise on the copies (default: 0)", number({ min: 0 }))
    .option(
      "--balanced-batches",
      "every batch is half positives, of the training rows as --resample leaves them",
      false,
    );
}

/** What was done to the training rows. */
export interface ResampleSummary {
  readonly method: string;
  /** Rows that were learned from in the end, and the positives among them. */
  readonly rows: number;
  readonly positives: number;
  /** Rows that were made. */
  readonly synthetic: number;
}

/** Rows to learn from. */
export interface Sampled {
  readonly part: Part;
  readonly summary: ResampleSummary | null;
  /** To be added to the logit of every score, so that it is a probability at the prevalence before; 0 for margins. */
  readonly shift: number;
}

/** What turns training rows into rows to learn from. @throws E_ARGUMENT for options that the method does not have */
export function sampler(
  device: Device,
  preprocessor: Preprocessor,
  options: ResampleOptions & LossChoice,
): (part: Part) => Promise<Sampled> {
  const { resample = "none", samplingStrategy, kNeighbors, shrinkage, balancedBatches = false, seed } = options;
  const name = resample === "none" ? undefined : resample;
  const given = { samplingStrategy, kNeighbors, shrinkage };
  const { method, fixed = {}, options: takes }: Method = name ? METHODS[name] : { method: "smote", options: {} };
  const foreign = Object.entries(given).filter(([key]) => !(key in takes));
  refuse(
    Object.fromEntries(foreign.map(([key, value]) => [dashed(key as Given), value])),
    name ? `--resample ${name}` : "a run without --resample",
  );
  const named = Object.entries(takes)
    .filter(([key]) => given[key as Given] !== undefined)
    .map(([key, theirs]) => [theirs, given[key as Given]]);
  const settings = { ...fixed, ...Object.fromEntries(named) };
  const surroundings = { device, seed, categoricalFeatures: categories(preprocessor) };
  return async (part) => {
    if (!name && !balancedBatches) return { part, summary: null, shift: 0 };
    if (part.sampleWeight) {
      const option = name ? `--resample ${name}` : "--balanced-batches";
      throw new TilegradError("E_ARGUMENT", `${option} and --sample-weight: got both; expected one of them.`, {
        hint: "Rows that are made or drawn anew have no weight of their own: leave one out, or use --class-weight.",
      });
    }
    const resampled =
      name &&
      (await resampleBy(method, inMemory(part), surroundings, settings).catch((error) => inOptions(error, takes)));
    const made = resampled ?? part;
    const positives = made.y.reduce((sum, v) => sum + v, 0);
    if (positives === 0 || positives === made.y.length) {
      throw new TilegradError("E_DATA", `--resample ${name}: all rows of one class were removed.`, {
        hint: "Use another method.",
      });
    }
    const seen = balancedBatches ? 0.5 : positives / made.y.length;
    const before = part.y.reduce((sum, v) => sum + v, 0) / part.y.length;
    const summary = {
      method: [...(name ? [name] : []), ...(balancedBatches ? ["balanced batches"] : [])].join(", "),
      rows: made.y.length,
      positives,
      synthetic: resampled?.source.filter((row) => row < 0).length ?? 0,
    };
    const shift = isMargin(options) ? 0 : priorCorrection(seen, before).shift;
    return { part: resampled ? { x: resampled.x, y: resampled.y } : part, summary, shift };
  };
}

/** The warning that SMOTE's new rows lie between categories, where smoteNC would choose one. */
export const blendedCategories = ({ features }: Preprocessor, { resample }: ResampleOptions): string[] =>
  resample === "smote" && features.some(({ kind }) => kind === "categorical")
    ? ["--resample smote makes rows that are part of one category and part of another; smoteNC gives each row one."]
    : [];

/** @throws E_ARGUMENT for streamed rows */
export function inMemory(part: Part | null): ArrayPart {
  if (part && "x" in part) return part;
  throw new TilegradError("E_ARGUMENT", "--resample: the rows are streamed; expected rows in memory.", {
    hint: "Weight the classes instead (--class-weight balanced), or keep the rows in memory: --no-stream.",
  });
}

const dashed = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** An error of the library in the words of the command line. */
function inOptions(error: unknown, takes: Method["options"]): never {
  if (!(error instanceof TilegradError)) throw error;
  const say = (text: string) =>
    Object.entries(takes).reduce((said, [key, theirs]) => said.replaceAll(theirs, `--${dashed(key)}`), text);
  throw new TilegradError(error.code, `--resample ${say(error.message)}`, {
    ...(error.hint === undefined ? {} : { hint: say(error.hint) }),
    cause: error,
  });
}

/** The inputs that are one category each, and those that say where a number is missing. */
function categories({ features, image, window }: Preprocessor): number[][] {
  if (image || window) return [];
  let first = 0;
  return features.flatMap((feature) => {
    const inputs = featureNames([feature]).map((_, i) => first + i);
    first += inputs.length;
    if (feature.kind === "categorical") return [inputs];
    return feature.missingIndicator ? [[inputs[1]]] : [];
  });
}
