/**
 * The options of every layer by name, so that a misspelt one is refused. `optionTypes.ts` has the compiler
 * keep them complete.
 */
import { TilegradError } from "../errors.ts";
import { nearest } from "../nearest.ts";

const kernel = {
  activation: 1,
  useBias: 1,
  kernelInitializer: 1,
  biasInitializer: 1,
  kernelRegularizer: 1,
  biasRegularizer: 1,
} as const;
const window = { kernelSize: 1, strides: 1, padding: 1 } as const;
const pool = { poolSize: 1, strides: 1, padding: 1 } as const;
const norm = {
  epsilon: 1,
  center: 1,
  scale: 1,
  betaInitializer: 1,
  gammaInitializer: 1,
  betaRegularizer: 1,
  gammaRegularizer: 1,
} as const;
const loop = {
  units: 1,
  returnSequences: 1,
  goBackwards: 1,
  useBias: 1,
  kernelInitializer: 1,
  recurrentInitializer: 1,
  biasInitializer: 1,
  kernelRegularizer: 1,
  recurrentRegularizer: 1,
  biasRegularizer: 1,
} as const;
const moved = { fillValue: 1, interpolation: 1, fillMode: 1 } as const;

export const OPTION_NAMES = {
  dense: { units: 1, ...kernel },
  activation: { activation: 1 },
  dropout: { rate: 1 },
  flatten: {},
  reshape: { shape: 1 },
  conv2d: { filters: 1, ...window, dilationRate: 1, groups: 1, ...kernel },
  conv1d: { filters: 1, ...window, dilationRate: 1, groups: 1, ...kernel },
  depthwiseConv2d: { ...window, dilationRate: 1, depthMultiplier: 1, ...kernel },
  depthwiseConv1d: { ...window, dilationRate: 1, depthMultiplier: 1, ...kernel },
  conv2dTranspose: { filters: 1, ...window, dilationRate: 1, ...kernel },
  conv1dTranspose: { filters: 1, ...window, dilationRate: 1, ...kernel },
  upSampling2d: { size: 1, interpolation: 1 },
  upSampling1d: { size: 1 },
  zeroPadding2d: { padding: 1 },
  zeroPadding1d: { padding: 1 },
  cropping2d: { cropping: 1 },
  cropping1d: { cropping: 1 },
  permute: { dims: 1 },
  spatialDropout: { rate: 1 },
  alphaDropout: { rate: 1 },
  gaussianNoise: { stddev: 1 },
  batchNormalization: { momentum: 1, movingMeanInitializer: 1, movingVarianceInitializer: 1, ...norm },
  layerNormalization: { axis: 1, ...norm },
  groupNormalization: { groups: 1, ...norm },
  maxPooling2d: pool,
  averagePooling2d: pool,
  maxPooling1d: pool,
  averagePooling1d: pool,
  globalMaxPooling2d: {},
  globalAveragePooling2d: {},
  globalMaxPooling1d: {},
  globalAveragePooling1d: {},
  lstm: { ...loop, unitForgetBias: 1 },
  gru: loop,
  simpleRnn: loop,
  bidirectional: { layer: 1, mergeMode: 1 },
  timeDistributed: { layer: 1 },
  remat: { layers: 1 },
  embedding: { inputDim: 1, outputDim: 1, maskZero: 1, embeddingsInitializer: 1, embeddingsRegularizer: 1 },
  masking: { maskValue: 1 },
  multiHeadAttention: {
    numHeads: 1,
    keyDim: 1,
    valueDim: 1,
    useCausalMask: 1,
    dropout: 1,
    useBias: 1,
    kernelInitializer: 1,
    kernelRegularizer: 1,
  },
  add: {},
  subtract: {},
  multiply: {},
  average: {},
  maximum: {},
  concatenate: { axis: 1 },
  randomFlip: { mode: 1 },
  randomTranslation: { heightFactor: 1, widthFactor: 1, ...moved },
  randomRotation: { factor: 1, ...moved },
  randomZoom: { heightFactor: 1, widthFactor: 1, ...moved },
  randomBrightness: { factor: 1, valueRange: 1 },
  randomContrast: { factor: 1, valueRange: 1 },
  randomColorJitter: { brightnessFactor: 1, contrastFactor: 1, saturationFactor: 1, hueFactor: 1, valueRange: 1 },
  randomErasing: { factor: 1, scale: 1, ratio: 1, fillValue: 1 },
  randomShift: { factor: 1, fillMode: 1 },
  randomScale: { factor: 1 },
  timeWarp: { factor: 1, waves: 1 },
  windowSlice: { size: 1 },
} as const;

/** @param type of any layer; custom ones have any options @throws E_ARGUMENT for an option that a layer of this type does not have */
export function checkOptionNames(type: string, config: object): void {
  if (!Object.hasOwn(OPTION_NAMES, type)) return;
  const known = ["name", "trainable", ...Object.keys(OPTION_NAMES[type as keyof typeof OPTION_NAMES])];
  const unknown = Object.keys(config).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  throw new TilegradError(
    "E_ARGUMENT",
    `${type}: got the option "${unknown}"; expected of ${known.join(", ")}.`,
    meant === undefined ? {} : { hint: `Did you mean "${meant}"?` },
  );
}
