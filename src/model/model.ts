/** Models: layers in a row, and the table that describes any. */

import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions, show } from "../options.ts";
import { textTable } from "../textTable.ts";
import type { Layer } from "./layer.ts";
import { checkLayer } from "./layer.ts";
import { checkInputShape, defineModel, layerNames, onlyOutput } from "./trace.ts";
import type { Model } from "./types.ts";

export type { LayerSummary, Model, NamedShape, ParameterSpec, TraceOptions } from "./types.ts";

const ONE_OUTPUT = "Leave out returnState, or write a functional model: const [y, h] = applyAll(layer, x).";

const sequentialOptions = {
  /** Shape of a row of x, without the batch. */
  input: is.required(is.anything as Kind<readonly number[]>),
};

export interface SequentialOptions extends OptionsOf<typeof sequentialOptions> {}

/**
 * Layers in a row.
 * @throws E_SHAPE naming the layer whose input does not fit; E_ARGUMENT for what is no layer, and two layers of one name.
 */
export function sequential(options: SequentialOptions, layers: readonly Layer[]): Model {
  const { input } = checkOptions("sequential", options, sequentialOptions);
  checkInputShape("sequential", input);
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new TilegradError("E_ARGUMENT", `sequential: got layers ${show(layers)}; expected a list of one or more.`);
  }
  for (const [i, layer] of layers.entries()) checkLayer(`sequential: layers[${i}]`, layer);
  return defineModel({
    inputs: [{ name: "input", shape: input }],
    layers,
    names: layerNames(layers),
    architecture: {
      type: "sequential",
      input: [...input],
      layers: layers.map(({ type, config }) => ({ type, config: { ...config } })),
    },
    body: (x, apply) =>
      layers.reduce((value, layer, index) => onlyOutput("sequential", layer, apply(index, [value]), ONE_OUTPUT), x),
  });
}

/** @throws E_ARGUMENT */
export const checkModel = (where: string, model: unknown): void =>
  checkFields(where, model, { trace: is.callable }, "a model, as sequential and functional make");

/** Layer, output shape, parameters and bytes, as a table. */
export function summary(model: Model): string {
  checkModel("summary", model);
  const branches = model.layers.some((l) => l.inputs);
  const rows = model.layers.map((l) => [
    `${l.name} (${l.type})`,
    ...(branches ? [l.inputs?.join(", ") ?? ""] : []),
    `[${l.outputShape.join(", ")}]`,
    l.parameters.toLocaleString("en-US"),
    `${(4 * l.parameters).toLocaleString("en-US")} B`,
  ]);
  const table = [["layer", ...(branches ? ["inputs"] : []), "output", "parameters", "bytes"], ...rows];
  const lines = textTable(table, branches ? [0, 1, 2] : [0, 1]);
  const total = model.layers.reduce((n, l) => n + l.parameters, 0);
  const trainable = model.layers.reduce((n, l) => n + l.trainable, 0);
  lines.push(`${total.toLocaleString("en-US")} parameters, ${trainable.toLocaleString("en-US")} of them trainable`);
  return lines.join("\n");
}
