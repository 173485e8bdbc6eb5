/** Which inputs of the network come from which column of the table. */

import { checkPreprocessor, featureNames, inputShapeOf, type Preprocessor } from "../data/preprocess.ts";
import { sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { checkFields, checkValue } from "../options.ts";

/** Inputs that are explained together: those that one column became, or one column at all times of a window. */
export interface InputGroup {
  readonly name: string;
  /** Positions in a row of x. */
  readonly inputs: readonly number[];
}

/** @throws E_ARGUMENT */
export function checkGroups(where: string, groups: readonly InputGroup[]): void {
  checkValue(where, "groups", groups, is.list);
  for (const group of groups) checkFields(where, group, { inputs: is.list }, "groups, as columnGroups gives");
}

/** One group per column (a category's one-hot inputs and a missing indicator belong to their column); per pixel of images. */
export function columnGroups(preprocessor: Preprocessor): InputGroup[] {
  checkPreprocessor("columnGroups", preprocessor);
  const width = preprocessor.featureNames.length;
  const repeats = sizeOf(inputShapeOf(preprocessor)) / width;
  let begin = 0;
  return preprocessor.features.map((feature) => {
    const first = begin;
    begin += featureNames([feature]).length;
    const inputs = Array.from({ length: repeats }, (_, t) =>
      Array.from({ length: begin - first }, (_, i) => t * width + first + i),
    );
    return { name: feature.name, inputs: inputs.flat() };
  });
}
