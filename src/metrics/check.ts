import { TilegradError } from "../errors.ts";
import type { NumberList, Numeric } from "../values.ts";
import { numbersOf } from "../values.ts";

export type { NumberList, Numeric };

/** Labels 0 or 1, scores and weights of the same rows, as numbers. */
export interface Scored {
  readonly y: NumberList;
  readonly scores: NumberList;
  readonly sampleWeight: NumberList | undefined;
}

const isEmpty = (where: string): TilegradError =>
  new TilegradError("E_DATA", `${where}: got 0 rows; expected at least 1.`, {
    hint: "Check the split or the filter that produced these rows.",
  });

const differs = (where: string, name: string, got: number, rows: number): TilegradError =>
  new TilegradError("E_DATA", `${where}: ${name} has ${got} values, the labels have ${rows}.`, {
    hint: `Give one value of ${name} per row, in the order of the labels.`,
  });

/** The labels as numbers. Throws `E_DATA` unless every label is 0 or 1 and there is at least one. */
export function checkLabels(where: string, labels: Numeric): NumberList {
  const y = numbersOf(where, "labels", labels);
  if (y.length === 0) throw isEmpty(where);
  for (let i = 0; i < y.length; i++) {
    if (y[i] !== 0 && y[i] !== 1) {
      throw new TilegradError("E_DATA", `${where}: label of row ${i} is ${y[i]}; expected 0 or 1.`, {
        hint: "Map the positive class to 1 and the other to 0.",
      });
    }
  }
  return y;
}

/** The weights as numbers. Throws `E_DATA` unless there is one finite, non-negative weight per row and not all are 0. */
export function checkWeights(where: string, rows: number, weights: Numeric | undefined): NumberList | undefined {
  if (weights === undefined) return undefined;
  const weight = numbersOf(where, "sampleWeight", weights);
  if (weight.length !== rows) throw differs(where, "sampleWeight", weight.length, rows);
  let total = 0;
  for (let i = 0; i < rows; i++) {
    const w = weight[i];
    if (!(w >= 0 && w < Infinity)) {
      throw new TilegradError("E_DATA", `${where}: sampleWeight of row ${i} is ${w}; expected a finite number >= 0.`, {
        hint: "Use 0 to leave a row out.",
      });
    }
    total += w;
  }
  if (total === 0) {
    throw new TilegradError("E_DATA", `${where}: all ${rows} sample weights are 0; expected one above 0.`, {
      hint: "Leave sampleWeight out to weigh all rows alike.",
    });
  }
  return weight;
}

/** All as numbers. Throws `E_DATA` unless labels, scores and weights are one finite value per row, labels 0 or 1, weights >= 0. */
export function checkScored(where: string, labels: Numeric, given: Numeric, weights?: Numeric): Scored {
  const scores = numbersOf(where, "scores", given);
  const all = numbersOf(where, "labels", labels);
  if (all.length !== scores.length) throw differs(where, "scores", scores.length, all.length);
  const y = checkLabels(where, all);
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isFinite(scores[i])) {
      throw new TilegradError("E_DATA", `${where}: score of row ${i} is ${scores[i]}; expected a finite number.`, {
        hint: "A NaN score usually means that training diverged or that an input value is missing.",
      });
    }
  }
  return { y, scores, sampleWeight: checkWeights(where, y.length, weights) };
}

/** As `checkScored`, and every score must lie in [0, 1]. */
export function checkProbabilities(where: string, labels: Numeric, given: Numeric, weights?: Numeric): Scored {
  const scored = checkScored(where, labels, given, weights);
  const { scores } = scored;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] < 0 || scores[i] > 1) {
      throw new TilegradError(
        "E_DATA",
        `${where}: score of row ${i} is ${scores[i]}; expected a probability in [0, 1].`,
        { hint: "Pass logits through a sigmoid first." },
      );
    }
  }
  return scored;
}

/** True when every score lies in [0, 1]. */
export function areProbabilities(scores: NumberList): boolean {
  for (let i = 0; i < scores.length; i++) if (!(scores[i] >= 0 && scores[i] <= 1)) return false;
  return true;
}

/** Throws `E_ARGUMENT` unless low <= value <= high. */
export function checkRange(where: string, name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) {
    throw new TilegradError("E_ARGUMENT", `${where}: ${name} is ${value}; expected a number in [${low}, ${high}].`, {
      hint: `Set ${name} between ${low} and ${high}.`,
    });
  }
}
