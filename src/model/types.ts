/** What a model is to those who train it, save it and show it. */
import type { Tensor } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import type { ParameterOptions } from "./layer.ts";

/** A parameter as the model declares it. */
export interface ParameterSpec extends ParameterOptions {
  /** `layer/parameter`, unique in the model. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
}

/** How a trace gets at parameters, and what it leaves behind. */
export interface TraceOptions {
  readonly training: boolean;
  readonly parameter: (spec: ParameterSpec) => Tensor;
  readonly update?: (parameter: Tensor, value: Tensor) => void;
}

export interface LayerSummary {
  readonly name: string;
  readonly type: string;
  /** What it is applied to, where that is not simply the layer before. */
  readonly inputs?: readonly string[];
  /** Without the batch. */
  readonly outputShape: readonly number[];
  /** Those of a shared layer count where it is applied first. */
  readonly parameters: number;
  readonly trainable: number;
}

/** A feature of a row of x that must be a whole number in [0, below). */
export interface IndexFeature {
  readonly feature: number;
  readonly below: number;
  /** The layer that looks it up. */
  readonly layer: string;
}

/** An input or output of a model; the shape is without the batch. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface Model {
  /** Of one row of x, without the batch: of the only input, or [features of all inputs together]. */
  readonly inputShape: readonly number[];
  /** Of one row of the output: of the only output, or [numbers of all outputs together]. */
  readonly outputShape: readonly number[];
  /** In the order in which a row holds them, flat, one after the other; see `packInputs`. */
  readonly inputs: readonly NamedShape[];
  readonly outputs: readonly NamedShape[];
  readonly parameters: readonly ParameterSpec[];
  readonly layers: readonly LayerSummary[];
  /** Features that are numbers of rows of a table, such as tokens; none in a model made by hand. */
  readonly indices?: readonly IndexFeature[];
  /** What `modelFromJson` makes the same model of. */
  readonly architecture: Json;
  /** x [batch, ...inputShape] -> [batch, ...outputShape] */
  trace(x: Tensor, options: TraceOptions): Tensor;
}
