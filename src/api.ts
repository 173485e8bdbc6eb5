/** What both entry points export: everything but how a device is opened. */
export { checkOps } from "./check/check.ts";
export type { CpuOptions } from "./cpu/device.ts";
export type { ArSeriesOptions } from "./data/arSeries.ts";
export { arSeries } from "./data/arSeries.ts";
export { parseCsv, readCsv } from "./data/csv.ts";
export { describeTable } from "./data/describe.ts";
export type { ClassificationOptions, Generated, ShapeOptions } from "./data/generators.ts";
export { blobs, circles, makeClassification, moons, spirals, xor } from "./data/generators.ts";
export { groupSplit } from "./data/groupSplit.ts";
export type { DecodedImage } from "./data/images.ts";
export { resizeImage, tableFromArray } from "./data/images.ts";
export type { ImageSize } from "./data/pixels.ts";
export { csvKinds, featureNames, fitPreprocessor, inputShapeOf } from "./data/preprocess.ts";
export { parsePreprocessor } from "./data/preprocessorJson.ts";
export * from "./data/splits.ts";
export { strokeDigits } from "./data/strokeDigits.ts";
export type { Column, Table } from "./data/table.ts";
export { tableFromColumns, tableFromRecords } from "./data/table.ts";
export { chooseTarget, targetOf } from "./data/target.ts";
export { transform } from "./data/transform.ts";
export type { Windowing } from "./data/windows.ts";
export { gatherWindows, labelWindows, splitWindows, windowEnds } from "./data/windows.ts";
export type {
  CompiledStep,
  CompileOptions,
  Device,
  DeviceInfo,
  DeviceTensor,
  FileStore,
  MemoryUse,
  TuningStore,
} from "./device.ts";
export type { ErrorCode } from "./errors.ts";
export { TilegradError } from "./errors.ts";
export type { InputGroup } from "./explain/groups.ts";
export { columnGroups } from "./explain/groups.ts";
export { integratedGradients, meanAttribution } from "./explain/integratedGradients.ts";
export { permutationImportance } from "./explain/permutation.ts";
export { print } from "./graph/print.ts";
export type { DType, Graph, Node, Tensor, TensorType, Update } from "./graph/types.ts";
export { readOpfs, toBlobs, writeOpfs } from "./io/browser.ts";
export type { Files } from "./io/bundle.ts";
export { decodeIdx, encodeIdx, readIdx } from "./io/idx.ts";
export { decodeNpy, encodeNpy } from "./io/npy.ts";
export { decodeNpz } from "./io/npz.ts";
export { decodeSafetensors, encodeSafetensors } from "./io/safetensors.ts";
export { averagePrecision, ks, prAucTrapezoid, rocAuc } from "./metrics/areas.ts";
export { bootstrapIntervals } from "./metrics/bootstrap.ts";
export type { Calibration, CalibrationMethod, PriorShift, ScoreKind } from "./metrics/calibration.ts";
export { applyCalibration, fitCalibration, priorCorrection, weightCorrection } from "./metrics/calibration.ts";
export { confusionMatrix, measures } from "./metrics/confusion.ts";
export { costCurve } from "./metrics/costs.ts";
export { detCurve, prCurve, rocCurve } from "./metrics/curves.ts";
export { formatReport } from "./metrics/formatReport.ts";
export { gainAt, gainCurve } from "./metrics/gains.ts";
export { brier, calibrationCurve, ece, logLoss, mce } from "./metrics/probability.ts";
export { classificationReport } from "./metrics/report.ts";
export type { CostMatrix, ThresholdRule } from "./metrics/thresholdRule.ts";
export { parseThresholdRule } from "./metrics/thresholdRule.ts";
export type { TunedThreshold } from "./metrics/thresholds.ts";
export { tuneThreshold } from "./metrics/thresholds.ts";
export * from "./metrics/weights.ts";
export type { ActivationName } from "./model/activations.ts";
export type { FunctionalOptions, SymbolicTensor } from "./model/functional.ts";
export { apply, functional, input } from "./model/functional.ts";
export type { Initializer } from "./model/initializers.ts";
export type { Layer, LayerContext, LayerOptions, Regularizer } from "./model/layer.ts";
export { layer } from "./model/layer.ts";
export * from "./model/layers/attention.ts";
export * from "./model/layers/augmentation.ts";
export * from "./model/layers/convolution.ts";
export * from "./model/layers/dense.ts";
export * from "./model/layers/embedding.ts";
export * from "./model/layers/image.ts";
export * from "./model/layers/merge.ts";
export * from "./model/layers/noise.ts";
export * from "./model/layers/normalization.ts";
export * from "./model/layers/pooling.ts";
export * from "./model/layers/recurrent.ts";
export * from "./model/layers/seriesAugmentation.ts";
export * from "./model/layers/shape.ts";
export * from "./model/layers/wrappers.ts";
export { fitLogisticRegression, predictLogisticRegression } from "./model/logisticRegression.ts";
export type {
  BinaryCrossentropyOptions,
  FocalOptions,
  Loss,
  LossOptions,
  MeanSquaredErrorOptions,
  Reduction,
  SoftmaxCrossentropyOptions,
} from "./model/losses.ts";
export {
  binaryCrossentropy,
  focal,
  hinge,
  meanSquaredError,
  softmaxCrossentropy,
  squaredHinge,
} from "./model/losses.ts";
export type { Model, NamedShape } from "./model/model.ts";
export { sequential, summary } from "./model/model.ts";
export type { OutputLoss } from "./model/multiLoss.ts";
export { multiLoss } from "./model/multiLoss.ts";
export type {
  AdagradOptions,
  AdamOptions,
  Optimizer,
  OptimizerOptions,
  RmspropOptions,
  SgdOptions,
  UpdateCall,
} from "./model/optimizers.ts";
export { adagrad, adam, adamW, rmsprop, sgd } from "./model/optimizers.ts";
export { packInputs, unpackOutputs } from "./model/pack.ts";
export { modelFromJson } from "./model/registry.ts";
export type {
  CosineOptions,
  ExponentialDecayOptions,
  LearningRate,
  LinearDecayOptions,
  MultiStepDecayOptions,
  PlateauOptions,
  Progress,
  Schedule,
  ScheduleOptions,
  StepDecayOptions,
} from "./model/schedules.ts";
export {
  constantRate,
  cosineDecay,
  exponentialDecay,
  linearDecay,
  multiStepDecay,
  stepDecay,
} from "./model/schedules.ts";
export type { Squashed } from "./model/squash.ts";
export { unsquash } from "./model/squash.ts";
export * as ops from "./ops/public.ts";
export { gradients } from "./passes/differentiate.ts";
export type { AdasynOptions } from "./resample/adasyn.ts";
export { adasyn } from "./resample/adasyn.ts";
export type { BorderlineSmoteOptions } from "./resample/borderlineSmote.ts";
export { borderlineSmote } from "./resample/borderlineSmote.ts";
export type { EditedNearestNeighboursOptions } from "./resample/editedNearestNeighbours.ts";
export { editedNearestNeighbours } from "./resample/editedNearestNeighbours.ts";
export type { KMeansSmoteOptions } from "./resample/kMeansSmote.ts";
export { kMeansSmote } from "./resample/kMeansSmote.ts";
export type { NearMissOptions } from "./resample/nearMiss.ts";
export { nearMiss } from "./resample/nearMiss.ts";
export type { Matrix, NeighborOptions, Neighbors } from "./resample/neighbors.ts";
export { nearest } from "./resample/neighbors.ts";
export type { RandomOverSamplerOptions } from "./resample/randomOverSampler.ts";
export { randomOverSampler } from "./resample/randomOverSampler.ts";
export type { RandomUnderSamplerOptions } from "./resample/randomUnderSampler.ts";
export { randomUnderSampler } from "./resample/randomUnderSampler.ts";
export type { SmoteOptions } from "./resample/smote.ts";
export { smote } from "./resample/smote.ts";
export type { SmoteEnnOptions } from "./resample/smoteEnn.ts";
export { smoteEnn } from "./resample/smoteEnn.ts";
export type { SmoteNCOptions } from "./resample/smoteNC.ts";
export { smoteNC } from "./resample/smoteNC.ts";
export { smoteTomek } from "./resample/smoteTomek.ts";
export type { CleaningOptions } from "./resample/tomekLinks.ts";
export { tomekLinks } from "./resample/tomekLinks.ts";
export type { Labelled, Resampled } from "./resample/types.ts";
export type { Augment, Batch, MixupOptions } from "./train/augment.ts";
export { mixup } from "./train/augment.ts";
export type {
  BestEpoch,
  Callback,
  CheckpointOptions,
  Control,
  EarlyStoppingOptions,
  EpochLogs,
} from "./train/callbacks.ts";
export { checkpoint, earlyStopping, reduceOnPlateau } from "./train/callbacks.ts";
export type { CompileModelOptions } from "./train/compileOptions.ts";
export type { Data } from "./train/data.ts";
export type { FitOptions, TrainingEvent } from "./train/fit.ts";
export type { LoadedModel, LoadOptions } from "./train/loading.ts";
export { loadModel, trainerFromFiles } from "./train/loading.ts";
export type { MetricName } from "./train/metrics.ts";
export type { Weights } from "./train/parameters.ts";
export type { KernelTime, Profile, ProfileOptions, TraceEvent } from "./train/profile.ts";
export type { Cursor, History } from "./train/progress.ts";
export { modelFiles } from "./train/saving.ts";
export type { RowSource } from "./train/source.ts";
export { compile, Trainer } from "./train/trainer.ts";
export type { KernelCandidate, MeasuredKernel, TuneOptions, TuneResult } from "./tune/tune.ts";
export { tuneDevice } from "./tune/tune.ts";
