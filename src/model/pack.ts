/** Rows of models with several inputs or outputs: how they are put together, and taken apart. */

import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { checkObject, checkValue } from "../options.ts";
import type { Model, NamedShape } from "./model.ts";

/**
 * x of a model from its inputs by name, each row-major [rows, ...shape]: each row of x holds them one after the other.
 * @throws E_ARGUMENT for a name the model lacks, E_SHAPE for an input that is missing or whose rows do not fit
 */
export function packInputs(
  model: Pick<Model, "inputs">,
  values: Readonly<Record<string, ArrayLike<number>>>,
): Float32Array {
  checkValue("packInputs", "the model's inputs", Object(model).inputs, is.list);
  checkObject("packInputs", values, "{ input: values }");
  const { inputs } = model;
  const names = inputs.map((i) => i.name);
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new TilegradError("E_ARGUMENT", `packInputs: got "${unknown}"; the model's inputs are ${names.join(", ")}.`);
  }
  const rows = (values[names[0]]?.length ?? 0) / sizeOf(inputs[0].shape);
  for (const { name, shape } of inputs) {
    const got = values[name]?.length ?? 0;
    if (Number.isInteger(rows) && rows > 0 && got === rows * sizeOf(shape)) continue;
    throw new TilegradError(
      "E_SHAPE",
      `packInputs: "${name}" has ${got} values; expected [rows, ${shape}], as many rows as the others.`,
    );
  }
  const { begin, width } = layout(inputs);
  const x = new Float32Array(rows * width);
  inputs.forEach(({ name, shape }, k) => {
    const size = sizeOf(shape);
    for (let i = 0; i < rows * size; i++) x[Math.floor(i / size) * width + begin[k] + (i % size)] = values[name][i];
  });
  return x;
}

/**
 * What `predict` or `outputs` gave, by the names of the model's outputs, each row-major [rows, ...shape].
 * @throws E_SHAPE
 */
export function unpackOutputs(model: Pick<Model, "outputs">, values: ArrayLike<number>): Record<string, Float32Array> {
  checkValue("unpackOutputs", "the model's outputs", Object(model).outputs, is.list);
  checkValue("unpackOutputs", "outputs", values, is.values);
  const { outputs } = model;
  const { begin, width } = layout(outputs);
  const rows = values.length / width;
  if (!Number.isInteger(rows)) {
    throw new TilegradError("E_SHAPE", `unpackOutputs: got ${values.length} values; expected a multiple of ${width}.`);
  }
  return Object.fromEntries(
    outputs.map(({ name, shape }, k) => {
      const size = sizeOf(shape);
      const at = (i: number): number => Math.floor(i / size) * width + begin[k] + (i % size);
      return [name, Float32Array.from({ length: rows * size }, (_, i) => values[at(i)])];
    }),
  );
}

function layout(parts: readonly NamedShape[]): { begin: number[]; width: number } {
  let width = 0;
  const begin = parts.map(({ shape }) => {
    const start = width;
    width += sizeOf(shape);
    return start;
  });
  return { begin, width };
}
