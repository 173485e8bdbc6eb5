/** What is trained and tested on: rows of features with labels, checked before anything is allocated. */
import { TilegradError } from "../errors.ts";
import { sameShape, sizeOf } from "../graph/types.ts";
import type { Loss } from "../model/losses.ts";
import type { IndexFeature, Model } from "../model/types.ts";
import { show } from "../options.ts";
import type { NumberList, Numeric } from "../values.ts";
import { floatsOf } from "../values.ts";

/** Rows to learn from or to be tested on. Other fields are ignored, so that they may be a part of something richer. */
export interface Data<Values extends Numeric = NumberList> {
  /** Features, row-major: [rows, ...inputShape]. */
  readonly x: Values;
  /** Labels: [rows] or [rows, outputs]. */
  readonly y: Values;
  /** Weight of each row's loss: [rows], at least 0. */
  readonly sampleWeight?: Values;
}

export interface CheckedData {
  readonly rows: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Shape of one row's label. */
  readonly yShape: readonly number[];
  readonly weight: Float32Array | null;
}

const FLAT = "Give x as one flat array, row after row: rows.flat().";

/** What a model takes as a row. */
export type RowShape = Pick<Model, "inputShape" | "indices">;

/** Features of whole rows, `first` being the number of their first. @throws E_SHAPE, and E_DATA for a feature that is NaN or infinite. */
export function checkFeatures(
  where: string,
  x: Numeric,
  { inputShape, indices = [] }: RowShape,
  first = 0,
): { x: Float32Array; rows: number } {
  if (typeof x?.length !== "number") {
    throw new TilegradError("E_DATA", `${where}: got ${x === undefined ? "no x" : `x ${show(x)}`}; expected numbers.`, {
      hint: "Give the features as x, a flat array row by row; packInputs joins those of several inputs.",
    });
  }
  const width = sizeOf(inputShape);
  const rows = x.length / width;
  if (!Number.isInteger(rows) || rows === 0) {
    throw new TilegradError(
      "E_SHAPE",
      `${where}: x has ${x.length} values; expected a positive multiple of ${width} ([rows, ${inputShape.join(", ")}]).`,
      Array.isArray(x[0]) ? { hint: FLAT } : {},
    );
  }
  const checked = floatsOf(where, "x", x);
  const bad = checked.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    throw new TilegradError(
      "E_DATA",
      `${where}: x is ${checked[bad]} in row ${first + Math.floor(bad / width)}, feature ${bad % width}; expected finite numbers.`,
      {
        hint: Array.isArray(x[bad]) ? FLAT : "Impute or drop missing values first.",
      },
    );
  }
  if (indices.length > 0) checkIndices(where, checked, width, indices, first);
  return { x: checked, rows };
}

/** @throws E_DATA for a feature that is no row of the table it is looked up in */
function checkIndices(
  where: string,
  x: Float32Array,
  width: number,
  indices: readonly IndexFeature[],
  first: number,
): void {
  for (let start = 0; start < x.length; start += width) {
    for (const { feature, below, layer } of indices) {
      const value = x[start + feature];
      if (value >= 0 && value < below && Number.isInteger(value)) continue;
      throw new TilegradError(
        "E_DATA",
        `${where}: x is ${value} in row ${first + start / width}, feature ${feature}; layer "${layer}" expects whole numbers from 0 to ${below - 1}.`,
        { hint: "Number tokens from 0, and give the layer an inputDim of at least the largest plus 1." },
      );
    }
  }
}

/** @throws E_SHAPE, E_DATA */
export function checkData(where: string, data: Data<Numeric>, row: RowShape, first = 0): CheckedData {
  const { x, rows } = checkFeatures(where, data.x, row, first);
  if (typeof data.y?.length !== "number") {
    throw new TilegradError(
      "E_DATA",
      `${where}: got ${data.y === undefined ? "no y" : `y ${show(data.y)}`}; expected labels.`,
      {
        hint: "Give the labels of the rows as y, a flat array.",
      },
    );
  }
  const perRow = data.y.length / rows;
  if (!Number.isInteger(perRow) || perRow === 0) {
    throw new TilegradError(
      "E_SHAPE",
      `${where}: y has ${data.y.length} values for ${rows} rows; expected one (or k) per row.`,
    );
  }
  const y = floatsOf(where, "y", data.y);
  const badLabel = y.findIndex((v) => !Number.isFinite(v));
  if (badLabel >= 0)
    throw new TilegradError(
      "E_DATA",
      `${where}: the label of row ${first + Math.floor(badLabel / perRow)} is ${y[badLabel]}.`,
    );
  const weight = data.sampleWeight ? floatsOf(where, "sampleWeight", data.sampleWeight) : null;
  if (weight && weight.length !== rows) {
    throw new TilegradError(
      "E_SHAPE",
      `${where}: sampleWeight has ${weight.length} values for ${rows} rows; expected one per row.`,
    );
  }
  const badWeight = weight?.findIndex((v) => !(v >= 0 && Number.isFinite(v))) ?? -1;
  if (badWeight >= 0) {
    throw new TilegradError(
      "E_DATA",
      `${where}: sampleWeight of row ${first + badWeight} is ${weight?.[badWeight]}; expected a finite number of at least 0.`,
    );
  }
  return { rows, x, y, yShape: perRow === 1 ? [] : [perRow], weight };
}

/** @throws E_SHAPE when the labels of `other` have another shape than those of `data` */
export function checkSameLabels(
  where: string,
  other: Pick<CheckedData, "yShape">,
  data: Pick<CheckedData, "yShape">,
): void {
  if (sameShape(other.yShape, data.yShape)) return;
  throw new TilegradError(
    "E_SHAPE",
    `${where}: labels are [rows, ${other.yShape}]; those of the training data [rows, ${data.yShape}].`,
  );
}

/**
 * @param outputs numbers that the model gives a row
 * @throws E_DATA for a label that the loss cannot mean, `first` being the number of the first row
 */
export function checkLabels(
  where: string,
  { y, rows, yShape }: CheckedData,
  { type, labels }: Pick<Loss, "type" | "labels">,
  outputs: number,
  first = 0,
): void {
  const classes = labels === "classes";
  // Several labels a row are a probability for each class.
  if (!labels || (classes && yShape.length > 0)) return;
  const [least, most] = classes ? [0, outputs - 1] : labels;
  const bad = y.findIndex((v) => v < least || v > most || (classes && !Number.isInteger(v)));
  if (bad < 0) return;
  const row = first + Math.floor((bad * rows) / y.length);
  const expected = classes ? `class numbers 0 to ${most}` : `${least} (no) to ${most} (yes)`;
  throw new TilegradError("E_DATA", `${where}: the label of row ${row} is ${y[bad]}; ${type} expects ${expected}.`, {
    hint: classes
      ? "Number the classes from 0, and end the model with one output for each."
      : "Write the labels as 0 and 1, or choose a loss for several classes or numbers.",
  });
}
