/** The options of every layer by name and kind. `layerOptionTypes.ts` has the compiler keep them complete. */
import { checkOptions } from "../options.ts";
import { activationNames } from "./activations.ts";

const positiveInteger = { required: "positiveInteger" } as const;

const common = { name: "string", trainable: "boolean" } as const;
const kernel = {
  activation: activationNames,
  useBias: "boolean",
  kernelInitializer: "any",
  biasInitializer: "any",
  kernelRegularizer: "object",
  biasRegularizer: "object",
} as const;
const window = { kernelSize: { required: "numbers" }, strides: "numbers", padding: "any" } as const;
const taps = { kernelSize: positiveInteger, strides: "positiveInteger", padding: "any" } as const;
const pool = { poolSize: "numbers", strides: "numbers", padding: "any" } as const;
const pool1d = { poolSize: "positiveInteger", strides: "positiveInteger", padding: "any" } as const;
const norm = {
  epsilon: "nonNegativeFinite",
  center: "boolean",
  scale: "boolean",
  betaInitializer: "any",
  gammaInitializer: "any",
  betaRegularizer: "object",
  gammaRegularizer: "object",
} as const;
const loop = {
  units: positiveInteger,
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
const range = { required: "numbers" } as const;
const fillMode = ["constant", "nearest", "reflect", "wrap"] as const;
const moved = { fillValue: "finite", interpolation: ["nearest", "bilinear"], fillMode } as const;

export const LAYER_OPTIONS = {
  dense: { units: positiveInteger, ...kernel },
  activation: { activation: { required: activationNames } },
  dropout: { rate: { required: "fraction" } },
  flatten: {},
  reshape: { shape: { required: "numberList" } },
  conv2d: { filters: positiveInteger, ...window, dilationRate: "numbers", groups: "positiveInteger", ...kernel },
  conv1d: { filters: positiveInteger, ...taps, dilationRate: "positiveInteger", groups: "positiveInteger", ...kernel },
  depthwiseConv2d: { ...window, dilationRate: "numbers", depthMultiplier: "positiveInteger", ...kernel },
  depthwiseConv1d: { ...taps, dilationRate: "positiveInteger", depthMultiplier: "positiveInteger", ...kernel },
  conv2dTranspose: { filters: positiveInteger, ...window, dilationRate: "numbers", ...kernel },
  conv1dTranspose: { filters: positiveInteger, ...taps, dilationRate: "positiveInteger", ...kernel },
  upSampling2d: { size: "numbers", interpolation: ["nearest", "bilinear"] },
  upSampling1d: { size: "positiveInteger" },
  zeroPadding2d: { padding: "any" },
  zeroPadding1d: { padding: "numbers" },
  cropping2d: { cropping: "any" },
  cropping1d: { cropping: "numbers" },
  permute: { dims: { required: "numberList" } },
  spatialDropout: { rate: { required: "fraction" } },
  alphaDropout: { rate: { required: "fraction" } },
  gaussianNoise: { stddev: { required: "nonNegativeFinite" } },
  batchNormalization: {
    momentum: "number",
    movingMeanInitializer: "any",
    movingVarianceInitializer: "any",
    ...norm,
  },
  layerNormalization: { axis: "numbers", ...norm },
  groupNormalization: { groups: "number", ...norm },
  maxPooling2d: pool,
  averagePooling2d: pool,
  maxPooling1d: pool1d,
  averagePooling1d: pool1d,
  globalMaxPooling2d: {},
  globalAveragePooling2d: {},
  globalMaxPooling1d: {},
  globalAveragePooling1d: {},
  lstm: { ...loop, unitForgetBias: "boolean" },
  gru: loop,
  simpleRnn: loop,
  bidirectional: { layer: { required: "object" }, mergeMode: ["concat", "sum", "mul", "ave"] },
  timeDistributed: { layer: { required: "object" } },
  remat: { layers: { required: "list" } },
  embedding: {
    inputDim: positiveInteger,
    outputDim: positiveInteger,
    maskZero: "boolean",
    embeddingsInitializer: "any",
    embeddingsRegularizer: "object",
  },
  masking: { maskValue: "number" },
  multiHeadAttention: {
    numHeads: positiveInteger,
    keyDim: positiveInteger,
    valueDim: "positiveInteger",
    useCausalMask: "boolean",
    dropout: "fraction",
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
  randomFlip: { mode: ["horizontal", "vertical", "horizontalAndVertical"] },
  randomTranslation: { heightFactor: range, widthFactor: range, ...moved },
  randomRotation: { factor: range, ...moved },
  randomZoom: { heightFactor: range, widthFactor: "numbers", ...moved },
  randomBrightness: { factor: range, valueRange: "numberList" },
  randomContrast: { factor: range, valueRange: "numberList" },
  randomColorJitter: {
    brightnessFactor: "numbers",
    contrastFactor: "numbers",
    saturationFactor: "numbers",
    hueFactor: "numbers",
    valueRange: "numberList",
  },
  randomErasing: { factor: "nonNegative", scale: "numberList", ratio: "numberList", fillValue: "finite" },
  randomShift: { factor: range, fillMode },
  randomScale: { factor: range },
  timeWarp: { factor: { required: "fraction" }, waves: "positiveInteger" },
  windowSlice: { size: "positive" },
} as const;

/** @param type of any layer; custom ones have any options @throws E_ARGUMENT for an option that a layer of this type does not have, or of another kind */
export function checkLayerOptions(type: string, config: object): void {
  if (!Object.hasOwn(LAYER_OPTIONS, type)) return;
  checkOptions(type, config, { ...common, ...LAYER_OPTIONS[type as keyof typeof LAYER_OPTIONS] });
}
