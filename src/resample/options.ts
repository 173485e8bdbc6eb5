/** The options of every method of resampling by name and kind. `optionTypes.ts` has the compiler keep them complete. */
import { checkOptions } from "../options.ts";

const device = { required: "device" } as const;
const ratio = { samplingStrategy: "number" } as const;
const random = { ...ratio, seed: "number" } as const;
const smote = { device, ...random, kNeighbors: "number" } as const;
const cleaning = { device, samplingStrategy: ["majority", "all"] } as const;
const vote = { nNeighbors: "number", kindSel: ["all", "mode"] } as const;

export const RESAMPLE_OPTIONS = {
  randomOverSampler: { ...random, shrinkage: "nonNegativeFinite" },
  randomUnderSampler: { ...random, replacement: "boolean" },
  smote,
  smoteNC: { ...smote, categoricalFeatures: { required: "list" } },
  borderlineSmote: { ...smote, mNeighbors: "number", kind: ["borderline-1", "borderline-2"] },
  kMeansSmote: {
    ...smote,
    nClusters: "positiveInteger",
    clusterBalanceThreshold: "any",
    densityExponent: "any",
  },
  adasyn: { device, ...random, nNeighbors: "number" },
  tomekLinks: cleaning,
  editedNearestNeighbours: { ...cleaning, ...vote },
  smoteTomek: smote,
  smoteEnn: { ...smote, ...vote },
  nearMiss: {
    device,
    ...ratio,
    version: "number",
    nNeighbors: "number",
    nNeighborsVer3: "number",
  },
} as const;

/** The options of a method. @throws E_ARGUMENT */
export const checked = <O extends object>(method: keyof typeof RESAMPLE_OPTIONS, options: O): O =>
  checkOptions(method, options, RESAMPLE_OPTIONS[method]);
