/** `tilegrad`: devices, layers, models, losses, optimizers, schedules, callbacks; compiling, training, saving, loading. */

export type { CpuOptions } from "../cpu/device.ts";
export { openCpu } from "../cpu/device.ts";
export type { Device, DeviceInfo, DeviceTensor, MemoryUse } from "../device.ts";
export type { ErrorCode } from "../errors.ts";
export { TilegradError } from "../errors.ts";
export type {} from "../globals.ts";
export type { FileStore } from "../io/bundle.ts";
export type { TuningStore } from "../io/tunings.ts";
export type { ClassWeight } from "../metrics/weights.ts";
export type { ActivationName } from "../model/activations.ts";
export type { FunctionalOptions, InputOptions, SymbolicTensor } from "../model/functional.ts";
export { apply, applyAll, functional, input } from "../model/functional.ts";
export type { Initializer } from "../model/initializers.ts";
export type { Layer, LayerContext, LayerOptions, Regularizer } from "../model/layer.ts";
export { layer } from "../model/layer.ts";
export * from "../model/layers/attention.ts";
export * from "../model/layers/augmentation.ts";
export * from "../model/layers/convolution.ts";
export * from "../model/layers/dense.ts";
export * from "../model/layers/embedding.ts";
export * from "../model/layers/image.ts";
export * from "../model/layers/merge.ts";
export * from "../model/layers/noise.ts";
export * from "../model/layers/normalization.ts";
export * from "../model/layers/pooling.ts";
export * from "../model/layers/recurrent.ts";
export * from "../model/layers/seriesAugmentation.ts";
export * from "../model/layers/shape.ts";
export * from "../model/layers/wrappers.ts";
export type {
  BinaryCrossentropyOptions,
  FocalOptions,
  Loss,
  LossOptions,
  MeanSquaredErrorOptions,
  Reduction,
  SoftmaxCrossentropyOptions,
} from "../model/losses.ts";
export {
  binaryCrossentropy,
  focal,
  hinge,
  meanSquaredError,
  softmaxCrossentropy,
  squaredHinge,
} from "../model/losses.ts";
export type { Model, NamedShape, SequentialOptions } from "../model/model.ts";
export { sequential, summary } from "../model/model.ts";
export type { OutputLoss } from "../model/multiLoss.ts";
export { multiLoss } from "../model/multiLoss.ts";
export type {
  AdagradOptions,
  AdamOptions,
  Optimizer,
  OptimizerOptions,
  RmspropOptions,
  SgdOptions,
  UpdateCall,
} from "../model/optimizers.ts";
export { adagrad, adam, adamW, rmsprop, sgd } from "../model/optimizers.ts";
export { packInputs, unpackOutputs } from "../model/pack.ts";
export { modelFromJson } from "../model/registry.ts";
export type {
  CosineOptions,
  ExponentialDecayOptions,
  LearningRate,
  LinearDecayOptions,
  MultiStepDecayOptions,
  Schedule,
  ScheduleOptions,
  ScheduleTime,
  StepDecayOptions,
} from "../model/schedules.ts";
export {
  constantRate,
  cosineDecay,
  exponentialDecay,
  linearDecay,
  multiStepDecay,
  stepDecay,
} from "../model/schedules.ts";
export type { OpenDeviceOptions } from "../openDevice.ts";
export { openDevice } from "../openDevice.ts";
export type { Augment, AugmentBatch, MixupOptions } from "../train/augment.ts";
export { mixup } from "../train/augment.ts";
export type {
  BestEpoch,
  Callback,
  Control,
  EarlyStoppingOptions,
  EpochLogs,
  ModelCheckpointOptions,
  ReduceOnPlateauOptions,
} from "../train/callbacks.ts";
export { earlyStopping, modelCheckpoint, reduceOnPlateau } from "../train/callbacks.ts";
export type { CompileOptions } from "../train/compileOptions.ts";
export type { Data } from "../train/data.ts";
export type { FitOptions, TrainingEvent } from "../train/fit.ts";
export type { LoadedModel, LoadOptions } from "../train/loading.ts";
export { loadModel } from "../train/loading.ts";
export type { MetricName } from "../train/metrics.ts";
export type { Weights } from "../train/parameters.ts";
export type { KernelTime, Profile, ProfileOptions, TraceEvent } from "../train/profile.ts";
export type { Cursor, History, TrainingProgress } from "../train/progress.ts";
export type { ModelExtras } from "../train/saving.ts";
export type { RowSource } from "../train/source.ts";
export { compile, Trainer } from "../train/trainer.ts";
export type { KernelCandidate, MeasuredKernel, TuneOptions, TuneResult } from "../tune/tune.ts";
export { tuneDevice } from "../tune/tune.ts";
