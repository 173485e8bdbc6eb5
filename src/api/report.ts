/** `tilegrad/report`: what a model is like, for people to look at: plots as SVG and PNG, a page of HTML, and what columns matter. */

export { svgToPng } from "#platform";
export type { InputGroup } from "../explain/groups.ts";
export { columnGroups } from "../explain/groups.ts";
export type { IntegratedGradientsOptions } from "../explain/integratedGradients.ts";
export { integratedGradients, meanAttribution } from "../explain/integratedGradients.ts";
export type { PermutationOptions } from "../explain/permutation.ts";
export { permutationImportance } from "../explain/permutation.ts";
export type {} from "../globals.ts";
export type { BarPlotOptions } from "../report/barPlot.ts";
export { barPlot } from "../report/barPlot.ts";
export type { PlotOptions } from "../report/check.ts";
export type { ConfusionPlotOptions } from "../report/confusionPlot.ts";
export { confusionPlot } from "../report/confusionPlot.ts";
export { htmlReport } from "../report/html.ts";
export type {
  DetPlotOptions,
  LearningCurvePlotOptions,
  PrPlotOptions,
  RocPlotOptions,
  ScorePlotOptions,
  ThresholdPlotOptions,
} from "../report/plots.ts";
export {
  calibrationPlot,
  costPlot,
  detPlot,
  gainPlot,
  learningCurvePlot,
  prPlot,
  rocPlot,
  scoreCdfPlot,
  scoreHistogramPlot,
  thresholdPlot,
} from "../report/plots.ts";
export type { EvaluationResult, TrainingResult } from "../report/result.ts";
export type { Theme } from "../report/theme.ts";
