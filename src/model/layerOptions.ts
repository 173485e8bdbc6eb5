/** The options of every layer by name and kind. `layerOptionTypes.ts` has the compiler keep them complete. */
import { checkOptions } from "../options.ts";
import { activationNames } from "./activations.ts";

const common = { name: "string", trainable: "boolean" } as const;
const kernel = {
  activation: activationNames,
  useBias: "boolean",
  kernelInitializer: "any",
  biasInitializer: "any",
  kernelRegularizer: "object",
  biasRegularizer: "object",
} as const;
const window = { kernelSize: "any", strides: "any", padding: "any" } as const;
const pool = { poolSize: "any", strides: "any", padding: "any" } as const;
const norm = {
  epsilon: "number",
  center: "boolean",
  scale: "boolean",
  betaInitializer: "any",
  gammaInitializer: "any",
  betaRegularizer: "object",
  gammaRegularizer: "object",
} as const;
const loop = {
  units: "number",
  returnSequences: "boolean",
  goBackwards: "boolean",
  useBias: "boolean",
  kernelInitializer: "any",
  recurrentInitializer: "any",
  biasInitializer: "any",
  kernelRegularizer: "object",
  recurrentRegularizer: "object",
  biasRegularizer: "object",
} as const;
const moved = { fillValue: "number", interpolation: "string", fillMode: "string" } as const;

export const LAYER_OPTIONS = {
  dense: { units: "number", ...kernel },
  activation: { activation: activationNames },
  dropout: { rate: "number" },
  flatten: {},
  reshape: { shape: "list" },
  conv2d: { filters: "number", ...window, dilationRate: "any", groups: "number", ...kernel },
  conv1d: { filters: "number", ...window, dilationRate: "number", groups: "number", ...kernel },
  depthwiseConv2d: { ...window, dilationRate: "any", depthMultiplier: "number", ...kernel },
  depthwiseConv1d: { ...window, dilationRate: "number", depthMultiplier: "number", ...kernel },
  conv2dTranspose: { filters: "number", ...window, dilationRate: "any", ...kernel },
  conv1dTranspose: { filters: "number", ...window, dilationRate: "number", ...kernel },
  upSampling2d: { size: "any", interpolation: "string" },
  upSampling1d: { size: "number" },
  zeroPadding2d: { padding: "any" },
  zeroPadding1d: { padding: "any" },
  cropping2d: { cropping: "any" },
  cropping1d: { cropping: "any" },
  permute: { dims: "list" },
  spatialDropout: { rate: "number" },
  alphaDropout: { rate: "number" },
  gaussianNoise: { stddev: "number" },
  batchNormalization: {
    momentum: "number",
    movingMeanInitializer: "any",
    movingVarianceInitializer: "any",
    ...norm,
  },
  layerNormalization: { axis: "any", ...norm },
  groupNormalization: { groups: "number", ...norm },
  maxPooling2d: pool,
  averagePooling2d: pool,
  maxPooling1d: pool,
  averagePooling1d: pool,
  globalMaxPooling2d: {},
  globalAveragePooling2d: {},
  globalMaxPooling1d: {},
  globalAveragePooling1d: {},
  lstm: { ...loop, unitForgetBias: "boolean" },
  gru: loop,
  simpleRnn: loop,
  bidirectional: { layer: "object", mergeMode: "string" },
  timeDistributed: { layer: "object" },
  remat: { layers: "list" },
  embedding: {
    inputDim: "number",
    outputDim: "number",
    maskZero: "boolean",
    embeddingsInitializer: "any",
    embeddingsRegularizer: "object",
  },
  masking: { maskValue: "number" },
  multiHeadAttention: {
    numHeads: "number",
    keyDim: "number",
    valueDim: "number",
    useCausalMask: "boolean",
    dropout: "number",
    useBias: "boolean",
    kernelInitializer: "any",
    kernelRegularizer: "object",
  },
  add: {},
  subtract: {},
  multiply: {},
  average: {},
  maximum: {},
  concatenate: { axis: "number" },
  randomFlip: { mode: "string" },
  randomTranslation: { heightFactor: "any", widthFactor: "any", ...moved },
  randomRotation: { factor: "any", ...moved },
  randomZoom: { heightFactor: "any", widthFactor: "any", ...moved },
  randomBrightness: { factor: "any", valueRange: "list" },
  randomContrast: { factor: "any", valueRange: "list" },
  randomColorJitter: {
    brightnessFactor: "any",
    contrastFactor: "any",
    saturationFactor: "any",
    hueFactor: "any",
    valueRange: "list",
  },
  randomErasing: { factor: "number", scale: "list", ratio: "list", fillValue: "number" },
  randomShift: { factor: "any", fillMode: "string" },
  randomScale: { factor: "any" },
  timeWarp: { factor: "number", waves: "number" },
  windowSlice: { size: "number" },
} as const;

/** @param type of any layer; custom ones have any options @throws E_ARGUMENT for an option that a layer of this type does not have, or of another kind */
export function checkLayerOptions(type: string, config: object): void {
  if (!Object.hasOwn(LAYER_OPTIONS, type)) return;
  checkOptions(type, config, { ...common, ...LAYER_OPTIONS[type as keyof typeof LAYER_OPTIONS] });
}
