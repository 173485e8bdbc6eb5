/** The options of every method of resampling by name and kind. */
import type { OptionKinds } from "../options.ts";
import { checkOptions } from "../options.ts";
import type { AdasynOptions } from "./adasyn.ts";
import type { BorderlineSmoteOptions } from "./borderlineSmote.ts";
import type { EditedNearestNeighboursOptions } from "./editedNearestNeighbours.ts";
import type { KMeansSmoteOptions } from "./kMeansSmote.ts";
import type { NearMissOptions } from "./nearMiss.ts";
import type { RandomOverSamplerOptions } from "./randomOverSampler.ts";
import type { RandomUnderSamplerOptions } from "./randomUnderSampler.ts";
import type { SmoteOptions } from "./smote.ts";
import type { SmoteEnnOptions } from "./smoteEnn.ts";
import type { SmoteNCOptions } from "./smoteNC.ts";
import type { CleaningOptions } from "./tomekLinks.ts";

const device = { required: "device" } as const;
const ratio = { samplingStrategy: "number" } as const;
const random = { ...ratio, seed: "number" } as const;
const smote = { device, ...random, kNeighbors: "number" } as const satisfies OptionKinds<SmoteOptions>;
const cleaning = { device, samplingStrategy: ["majority", "all"] } as const satisfies OptionKinds<CleaningOptions>;
const vote = { nNeighbors: "number", kindSel: ["all", "mode"] } as const;

export const RESAMPLE_OPTIONS = {
  randomOverSampler: {
    ...random,
    shrinkage: "nonNegativeFinite",
  } as const satisfies OptionKinds<RandomOverSamplerOptions>,
  randomUnderSampler: { ...random, replacement: "boolean" } as const satisfies OptionKinds<RandomUnderSamplerOptions>,
  smote,
  smoteNC: { ...smote, categoricalFeatures: { required: "list" } } as const satisfies OptionKinds<SmoteNCOptions>,
  borderlineSmote: {
    ...smote,
    mNeighbors: "number",
    kind: ["borderline-1", "borderline-2"],
  } as const satisfies OptionKinds<BorderlineSmoteOptions>,
  kMeansSmote: {
    ...smote,
    nClusters: "positiveInteger",
    clusterBalanceThreshold: "any",
    densityExponent: "any",
  } as const satisfies OptionKinds<KMeansSmoteOptions>,
  adasyn: { device, ...random, nNeighbors: "number" } as const satisfies OptionKinds<AdasynOptions>,
  tomekLinks: cleaning,
  editedNearestNeighbours: { ...cleaning, ...vote } as const satisfies OptionKinds<EditedNearestNeighboursOptions>,
  smoteTomek: smote,
  smoteEnn: { ...smote, ...vote } as const satisfies OptionKinds<SmoteEnnOptions>,
  nearMiss: {
    device,
    ...ratio,
    version: "number",
    nNeighbors: "number",
    nNeighborsVer3: "number",
  } as const satisfies OptionKinds<NearMissOptions>,
};

/** The options of a method. @throws E_ARGUMENT */
export const checked = <O extends object>(method: keyof typeof RESAMPLE_OPTIONS, options: O): O =>
  checkOptions(method, options, RESAMPLE_OPTIONS[method]);
