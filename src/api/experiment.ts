/** `tilegrad/experiment`: honest experiments on a table. */

export type { Axis, Candidate, Range, Space } from "../experiment/candidates.ts";
export type { Compared, CompareOptions } from "../experiment/compare.ts";
export { compare } from "../experiment/compare.ts";
export type {
  CrossValidated,
  CrossValidation,
  FoldResult,
  Jobs,
  MeasureName,
  Spread,
} from "../experiment/crossValidation.ts";
export { crossValidate } from "../experiment/crossValidation.ts";
export type { Experiment } from "../experiment/experiment.ts";
export { experiment } from "../experiment/experiment.ts";
export type { FoldOptions } from "../experiment/folds.ts";
export type { Checkpoints, Observer, Progress, Surroundings } from "../experiment/observer.ts";
export type {
  Choice,
  ClassWeightChoice,
  ColumnOptions,
  DecisionOptions,
  ExperimentOptions,
  LossOptions,
  ModelMaker,
  NetworkOptions,
  OptimizerOptions,
  ResampleOptions,
  RowLists,
  SplitOptions,
  TaskOptions,
  TrainingOptions,
} from "../experiment/options.ts";
export type { ExperimentResult, Shown } from "../experiment/result.ts";
export type { Entry, Journal, Nested, SearchOptions, Trial } from "../experiment/search.ts";
export { tune } from "../experiment/search.ts";
export type {} from "../globals.ts";
export type { LogisticRegression, LogisticRegressionOptions } from "../model/logisticRegression.ts";
export { fitLogisticRegression, predictLogisticRegression } from "../model/logisticRegression.ts";
