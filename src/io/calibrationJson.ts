/** A calibration read back from JSON. */

import type { Calibration, ScoreKind } from "../metrics/calibration.ts";
import type { Place } from "./place.ts";
import { asFinite, asList, asWord, field, misplaced } from "./place.ts";

/** @throws E_FILE naming the field, what it holds and what was expected */
export function parseCalibration(at: Place): Calibration {
  const numberAt = (key: string): number => asFinite(field(at, key));
  const [method, from] = [field(at, "method"), field(at, "from")];
  const kind = { from: asWord<ScoreKind>(from, ["probability", "logit"]) };
  switch (method.value) {
    case "platt":
      return { method: "platt", ...kind, slope: numberAt("slope"), intercept: numberAt("intercept") };
    case "temperature":
      return { method: "temperature", ...kind, temperature: positive(field(at, "temperature")) };
    case "beta":
      return { method: "beta", ...kind, a: numberAt("a"), b: numberAt("b"), c: numberAt("c") };
    case "isotonic": {
      const [x, y] = [asList(field(at, "x")).map(asFinite), asList(field(at, "y")).map(asFinite)];
      const rises = (values: readonly number[]) => values.every((value, i) => i === 0 || value >= values[i - 1]);
      if (x.length === 0 || !rises(x)) throw misplaced(field(at, "x"), "numbers that rise");
      if (y.length !== x.length || !rises(y)) throw misplaced(field(at, "y"), `${x.length} numbers that do not fall`);
      return { method: "isotonic", ...kind, x, y };
    }
    case "prior":
      return { method: "prior", ...kind, shift: numberAt("shift") };
    default:
      throw misplaced(method, "platt, isotonic, temperature, beta or prior");
  }
}

function positive(at: Place): number {
  const value = asFinite(at);
  if (value <= 0) throw misplaced(at, "a number above 0");
  return value;
}
