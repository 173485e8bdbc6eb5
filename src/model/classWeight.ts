/** Class weights of losses: what may be given, and the weight of each row that comes of it. */

import { TilegradError } from "../errors.ts";
import { showType } from "../graph/apply.ts";
import type { Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import type { ClassWeight } from "../metrics/weights.ts";
import { greater, where } from "../ops/core/elementwise.ts";
import { reshape } from "../ops/core/view.ts";
import { checkObject, checkValue, show } from "../options.ts";

/** Of a yes/no label: the weight of each row [batch], or null when all are 1. */
export function binaryWeight(type: string, classWeight: ClassWeight | undefined): (target: Tensor) => Tensor | null {
  if (!classWeight) return () => null;
  const negative = classWeight[0] ?? 1;
  const positive = classWeight[1] ?? 1;
  if (negative === 1 && positive === 1) return () => null;
  return (target) => where(greater(oneLabel(type, target), 0.5), positive, negative);
}

/** Labels [batch] to choose class weights by. @throws E_ARGUMENT for several a row */
export function oneLabel(type: string, target: Tensor): Tensor {
  const [batch] = target.shape;
  if (sizeOf(target.shape) === batch) return reshape(target, [batch]);
  throw new TilegradError("E_ARGUMENT", `${type}: classWeight needs one label a row; got ${showType(target)}.`, {
    hint: "Leave classWeight out; rows can be weighted by a sampleWeight.",
  });
}

/** The weights, those of an array as a plain list, which can be saved. @throws E_ARGUMENT */
export function checkWeights(type: string, given: ClassWeight, classes: number): ClassWeight {
  const expected = "weights by class, such as { 0: 1, 1: 10 } or classWeightBalanced(labels)";
  const listed = Array.isArray(given) || ArrayBuffer.isView(given);
  // From: a hole becomes undefined, and is refused.
  const weights: ClassWeight = listed ? Array.from(given as ArrayLike<number>) : given;
  if (!listed) checkObject(`${type}: classWeight`, given, expected);
  checkClasses(type, weights, classes);
  for (const [label, weight] of Object.entries(weights)) {
    checkValue(`${type}: classWeight`, label, weight, is.nonNegativeFinite);
  }
  return weights;
}

/** @throws E_ARGUMENT for the weight of what is no class */
export function checkClasses(type: string, classWeight: ClassWeight, classes: number): void {
  const known = (label: string): boolean => /^(0|[1-9]\d*)$/.test(label) && Number(label) < classes;
  const wrong = Object.keys(classWeight).find((label) => !known(label));
  if (wrong === undefined) return;
  const expected = classes < Infinity ? `classes 0 to ${classes - 1}` : "class numbers";
  throw new TilegradError("E_ARGUMENT", `${type}: got classWeight of ${show(wrong)}; expected ${expected}.`);
}
