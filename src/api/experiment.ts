/** `tilegrad/experiment`: honest experiments on a table. */
export type { LogisticRegression, LogisticRegressionOptions } from "../model/logisticRegression.ts";
export { fitLogisticRegression, predictLogisticRegression } from "../model/logisticRegression.ts";
