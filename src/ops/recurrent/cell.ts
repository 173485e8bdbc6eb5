/** What a recurrent cell is: what it makes of a step, and of the gradient of one. All else is the same for every cell. */
import type { ShaderLibrary } from "../../graph/shader.ts";

/**
 * A unit's step: from xz, its inputs times the input kernel plus bias, and a, the recurrent product h U, each of so many gates,
 * and the states before, h first, to the states after. `shader` holds the same two functions in WGSL:
 * `cell_step(x: vec4, a: vec4, before: vec2) -> Step` and `cell_grad(d: vec2, before: vec2, kept: vec4) -> StepGrad`.
 */
export interface Cell {
  /** The op's name; its gradient is called NAMEGrad. */
  readonly name: string;
  readonly gates: 1 | 2 | 3 | 4;
  /** h alone, or h and c. */
  readonly states: 1 | 2;
  /** Numbers of a step that its gradient needs, beside the states before. */
  readonly kept: 1 | 2 | 3 | 4;
  /** The product does not enter the step as a + xz alone: it has a bias and a gradient of its own. */
  readonly apart?: true;
  readonly shader: ShaderLibrary;
  /** Floating point operations of a unit's step beside the product: forward, and of the gradient. */
  readonly flops: readonly [step: number, grad: number];
  readonly step: (x: readonly number[], a: readonly number[], before: readonly number[]) => CellStep;
  /** From the gradients of the states after the step. */
  readonly grad: (d: readonly number[], before: readonly number[], kept: readonly number[]) => CellGrad;
}

export interface CellStep {
  readonly states: readonly number[];
  readonly kept: readonly number[];
}

export interface CellGrad {
  readonly x: readonly number[];
  /** Where it is `apart`; else that of x. */
  readonly a?: readonly number[];
  /** Of the states before the step, but what h gets through the product. */
  readonly states: readonly number[];
}
