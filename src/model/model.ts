/** A model: layers applied to each other's outputs, traced into graphs whenever a plan needs one. */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import type { Layer, ParameterOptions } from "./layer.ts";
import { checkInputShape, defineModel, layerNames } from "./trace.ts";

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
  /** What `modelFromJson` makes the same model of. */
  readonly architecture: Json;
  /** x [batch, ...inputShape] -> [batch, ...outputShape] */
  trace(x: Tensor, options: TraceOptions): Tensor;
}

/**
 * Layers in a row.
 * @throws E_SHAPE naming the layer whose input does not fit; E_ARGUMENT for two layers of one name.
 */
export function sequential({ input }: { readonly input: readonly number[] }, layers: readonly Layer[]): Model {
  checkInputShape("sequential", input);
  if (layers.length === 0) throw new TilegradError("E_ARGUMENT", "sequential: got no layers; expected one or more.");
  return defineModel({
    inputs: [{ name: "input", shape: input }],
    outputs: ["output"],
    layers,
    names: layerNames(layers),
    architecture: {
      type: "sequential",
      input: [...input],
      layers: layers.map(({ type, config }) => ({ type, config: { ...config } })),
    },
    body: ([x], apply) => [layers.reduce((value, _, index) => apply(index, [value]), x)],
  });
}

/** Layer, output shape, parameters and bytes, as a table. */
export function summary(model: Model): string {
  const branches = model.layers.some((l) => l.inputs);
  const rows = model.layers.map((l) => [
    `${l.name} (${l.type})`,
    ...(branches ? [l.inputs?.join(", ") ?? ""] : []),
    `[${l.outputShape.join(", ")}]`,
    l.parameters.toLocaleString("en-US"),
    `${(4 * l.parameters).toLocaleString("en-US")} B`,
  ]);
  const table = [["layer", ...(branches ? ["inputs"] : []), "output", "parameters", "bytes"], ...rows];
  const widths = table[0].map((_, c) => Math.max(...table.map((row) => row[c].length)));
  const numbers = widths.length - 2;
  const lines = table.map((row) =>
    row.map((cell, c) => (c < numbers ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join("  "),
  );
  const total = model.layers.reduce((n, l) => n + l.parameters, 0);
  const trainable = model.layers.reduce((n, l) => n + l.trainable, 0);
  lines.push(`${total.toLocaleString("en-US")} parameters, ${trainable.toLocaleString("en-US")} of them trainable`);
  return lines.join("\n");
}
