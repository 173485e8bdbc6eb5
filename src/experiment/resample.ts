/** What training rows become before they are learned from: resampled, drawn in balanced batches. */
import type { Preprocessor } from "../data/preprocess.ts";
import { featureNames } from "../data/preprocess.ts";
import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import { priorCorrection } from "../metrics/calibration.ts";
import { resample as resampleBy } from "../resample/methods.ts";
import { isMargin } from "./objective.ts";
import type { Settings } from "./options.ts";
import type { Examples, ExamplesInMemory } from "./rows.ts";
import { positivesIn } from "./rows.ts";
import { RESAMPLERS, refuse, variantOptions } from "./variants.ts";

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
  readonly examples: Examples;
  readonly summary: ResampleSummary | null;
  /** To be added to the logit of every score, so that it is a probability at the prevalence before; 0 for margins. */
  readonly shift: number;
}

/** What turns training rows into rows to learn from. @throws E_ARGUMENT for options that the method does not have */
export function resampler(
  device: Device,
  preprocessor: Preprocessor,
  { resample, loss, seed, decision }: Settings,
): (examples: Examples) => Promise<Sampled> {
  const { resample: named, samplingStrategy, kNeighbors, shrinkage, balancedBatches } = resample;
  const name = named === "none" ? undefined : named;
  const given = { samplingStrategy, kNeighbors, shrinkage };
  const variant = name && RESAMPLERS[name];
  if (!variant) refuse(given, "a run without `resample`");
  const options = variant ? variantOptions(variant, given, `\`resample: ${name}\``) : {};
  const surroundings = { device, seed, categoricalFeatures: categories(preprocessor) };
  return async (examples) => {
    if (!name && !balancedBatches) return { examples, summary: null, shift: 0 };
    if (examples.sampleWeight) {
      const option = name ? `\`resample: ${name}\`` : "`balancedBatches`";
      throw new TilegradError("E_ARGUMENT", `${option} and \`sampleWeight\`: got both; expected one of them.`, {
        hint: "Rows that are made or drawn anew have no weight of their own: leave one out, or use `classWeight`.",
      });
    }
    const resampled =
      variant &&
      (await resampleBy(variant.make, inMemory(examples), surroundings, options).catch((error) =>
        inOurWords(error, "takes" in variant ? variant.takes : {}),
      ));
    const made = resampled ?? examples;
    const positives = positivesIn(made);
    if (positives === 0 || positives === made.y.length) {
      throw new TilegradError("E_DATA", `\`resample: ${name}\`: all rows of one class were removed.`, {
        hint: "Use another method.",
      });
    }
    const seen = balancedBatches ? 0.5 : positives / made.y.length;
    const summary = {
      method: [...(name ? [name] : []), ...(balancedBatches ? ["balanced batches"] : [])].join(", "),
      rows: made.y.length,
      positives,
      synthetic: resampled?.source.filter((row) => row < 0).length ?? 0,
    };
    const shift =
      isMargin(loss) || !decision.correction
        ? 0
        : priorCorrection(seen, positivesIn(examples) / examples.y.length).shift;
    return { examples: resampled ? { x: resampled.x, y: resampled.y } : examples, summary, shift };
  };
}

/** The warning that SMOTE's new rows lie between categories, where smoteNC would choose one. */
export const blendedCategories = ({ features }: Preprocessor, { resample }: Settings): string[] =>
  resample.resample === "smote" && features.some(({ kind }) => kind === "categorical")
    ? ["`resample: smote` makes rows that are part of one category and part of another; smoteNC gives each row one."]
    : [];

/** @throws E_ARGUMENT for rows on disk; null are such */
export function inMemory(examples: Examples | null): ExamplesInMemory {
  if (examples && "x" in examples) return examples;
  throw new TilegradError("E_ARGUMENT", "`resample`: the rows are streamed; expected rows in memory.", {
    hint: "Weight the classes instead (`classWeight: balanced`), or keep the rows in memory: `stream: false`.",
  });
}

/** An error of the method in the words of an experiment. */
function inOurWords(error: unknown, takes: Readonly<Record<string, string>>): never {
  if (!(error instanceof TilegradError)) throw error;
  const say = (text: string) =>
    Object.entries(takes).reduce((said, [key, theirs]) => said.replaceAll(theirs, `\`${key}\``), text);
  throw new TilegradError(error.code, `\`resample\` ${say(error.message)}`, {
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
