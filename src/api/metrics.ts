/** `tilegrad/metrics`: how good scores are, by labels 0 and 1: areas, curves, thresholds and costs, calibration, intervals. */
export type {} from "../globals.ts";
export { averagePrecision, ks, prAucTrapezoid, rocAuc } from "../metrics/areas.ts";
export type { BootstrapOptions, Interval } from "../metrics/bootstrap.ts";
export { bootstrapIntervals } from "../metrics/bootstrap.ts";
export type {
  Calibration,
  CalibrationMethod,
  FitCalibrationOptions,
  PriorShift,
  ScoreKind,
} from "../metrics/calibration.ts";
export { applyCalibration, fitCalibration, priorCorrection, weightCorrection } from "../metrics/calibration.ts";
export type { Confusion, Measures } from "../metrics/confusion.ts";
export { confusionMatrix, measures } from "../metrics/confusion.ts";
export type { CostCurve, CostOptions } from "../metrics/costs.ts";
export { costCurve } from "../metrics/costs.ts";
export type { DetCurve, PrCurve, RocCurve } from "../metrics/curves.ts";
export { detCurve, prCurve, rocCurve } from "../metrics/curves.ts";
export type { ScoreDistribution, ScoreDistributionOptions } from "../metrics/distribution.ts";
export { scoreDistribution } from "../metrics/distribution.ts";
export { formatReport } from "../metrics/formatReport.ts";
export type { GainCurve } from "../metrics/gains.ts";
export { gainAt, gainCurve } from "../metrics/gains.ts";
export type { BinOptions, CalibrationBin, LogLossOptions } from "../metrics/probability.ts";
export { brier, calibrationCurve, ece, logLoss, mce } from "../metrics/probability.ts";
export type { Baseline, ClassificationReport, ClassificationReportOptions, ReportMeasures } from "../metrics/report.ts";
export { classificationReport } from "../metrics/report.ts";
export type { CostMatrix, Objective, ThresholdRule } from "../metrics/thresholdRule.ts";
export { parseThresholdRule } from "../metrics/thresholdRule.ts";
export type { TunedThreshold } from "../metrics/thresholds.ts";
export { tuneThreshold } from "../metrics/thresholds.ts";
export type { ThresholdRow, ThresholdTableOptions } from "../metrics/thresholdTable.ts";
export { thresholdTable } from "../metrics/thresholdTable.ts";
