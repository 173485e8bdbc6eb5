/** `tilegrad/data`: rows to train on: tables, CSV, images and windows of series; splits, preprocessing, weights, generators. */

export { decodeImage, readImageFolder } from "#platform";
export type { ArSeriesOptions } from "../data/arSeries.ts";
export { arSeries } from "../data/arSeries.ts";
export type { CsvOptions, CsvResult, ReadCsvOptions } from "../data/csv.ts";
export { parseCsv, readCsv } from "../data/csv.ts";
export type { DescribeTableOptions } from "../data/describe.ts";
export { describeTable } from "../data/describe.ts";
export type {
  BlobsOptions,
  CirclesOptions,
  ClassificationOptions,
  Generated,
  ShapeOptions,
  SpiralsOptions,
} from "../data/generators.ts";
export { blobs, circles, makeClassification, moons, spirals, xor } from "../data/generators.ts";
export type { GroupSplitOptions } from "../data/groupSplit.ts";
export { groupSplit } from "../data/groupSplit.ts";
export type { ImageFolderOptions } from "../data/imageFolder.ts";
export type { ArrayRows, DecodedImage } from "../data/images.ts";
export { resizeImage, tableFromArray } from "../data/images.ts";
export type { ImageSize } from "../data/pixels.ts";
export { csvKinds, featureNames, fitPreprocessor, inputShapeOf } from "../data/preprocess.ts";
export { parsePreprocessor } from "../data/preprocessorJson.ts";
export type {
  Fold,
  Parts,
  RepeatOptions,
  ShuffleOptions,
  StratifiedSplitOptions,
  TimeSeriesSplitOptions,
} from "../data/splits.ts";
export {
  groupKFold,
  kFold,
  leaveOneOut,
  repeatedStratifiedKFold,
  stratifiedKFold,
  stratifiedSplit,
  timeSeriesSplit,
} from "../data/splits.ts";
export type { StrokeDigitsOptions } from "../data/strokeDigits.ts";
export { strokeDigits } from "../data/strokeDigits.ts";
export type { Column, Table, TableOptions } from "../data/table.ts";
export { tableFromColumns, tableFromRecords } from "../data/table.ts";
export type { Target, TargetOptions } from "../data/target.ts";
export { chooseTarget, targetOf } from "../data/target.ts";
export { transform } from "../data/transform.ts";
export type { Windowing, WindowShares } from "../data/windows.ts";
export { gatherWindows, labelWindows, splitWindows, windowEnds } from "../data/windows.ts";
export type {} from "../globals.ts";
export {
  classWeightBalanced,
  classWeightToSampleWeight,
  effectiveNumberWeights,
  focalAlpha,
  logOddsBias,
  posWeightAuto,
  prevalence,
} from "../metrics/weights.ts";
