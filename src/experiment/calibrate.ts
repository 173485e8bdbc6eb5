/** `--calibrate`: scores as probabilities that hold, by a map fitted on the validation rows. */
import type { Command } from "commander";
import { Option } from "commander";
import { TilegradError } from "../errors.ts";
import type { Calibration, CalibrationMethod } from "../metrics/calibration.ts";
import { fitCalibration } from "../metrics/calibration.ts";
import type { Part } from "./examples.ts";
import { weightsOf } from "./examples.ts";
import type { LossChoice } from "./objective.ts";
import { isMargin } from "./objective.ts";

const METHODS = ["platt", "isotonic", "temperature", "beta"] as const satisfies readonly CalibrationMethod[];

export interface CalibrateOptions {
  readonly calibrate?: CalibrationMethod | "none";
}

export const addCalibrateOption = (command: Command): Command =>
  command.addOption(
    new Option("--calibrate <method>", "map scores to probabilities, fitted on the validation rows").choices([
      "none",
      ...METHODS,
    ]),
  );

/** @throws E_ARGUMENT where there is nothing to calibrate on */
export function checkCalibrate({ calibrate = "none" }: CalibrateOptions, validation: Part | null): void {
  if (calibrate === "none" || validation) return;
  throw new TilegradError("E_ARGUMENT", `--calibrate ${calibrate}: there are no validation rows to fit it on.`, {
    hint: "Give --validation a share above 0: on training rows, scores are too sure of themselves.",
  });
}

/** What brings these scores of the validation rows nearest to probabilities; null where that was not asked for. */
export function calibrationOf(
  { calibrate = "none", ...options }: CalibrateOptions & LossChoice,
  validation: Part | null,
  scores: Float32Array | null,
): Calibration | null {
  if (calibrate === "none" || !validation || !scores) return null;
  const from = isMargin(options) ? "logit" : "probability";
  return fitCalibration(calibrate, validation.y, scores, { from, ...weightsOf(validation) });
}
