/** A model: layers applied in order, traced into graphs whenever a plan needs one. */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import { sameShape, sizeOf } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import { state } from "../ops/constant.ts";
import { showType } from "../ops/op.ts";
import type { Layer, ParameterOptions } from "./layer.ts";
import { carryMask } from "./mask.ts";

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
  /** Without the batch. */
  readonly outputShape: readonly number[];
  readonly parameters: number;
  readonly trainable: number;
}

export interface Model {
  /** Without the batch. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
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
  if (input.length === 0 || input.some((n) => !Number.isInteger(n) || n < 1)) {
    throw new TilegradError("E_SHAPE", `sequential: got input [${input}]; expected positive integers, without the batch.`);
  }
  if (layers.length === 0) throw new TilegradError("E_ARGUMENT", "sequential: got no layers; expected one or more.");
  const names = layerNames(layers);
  const run = (x: Tensor, { training, parameter, update }: TraceOptions, after?: (index: number, y: Tensor) => void): Tensor => {
    let stream = 0;
    return layers.reduce((value, layer, index) => {
      const name = names[index];
      try {
        const y = layer.call(value, {
          training,
          parameter: (local, shape, options) =>
            parameter({
              ...options,
              name: `${name}/${local}`,
              shape,
              trainable: (options.trainable ?? true) && (layer.trainable ?? true),
            }),
          update: (target, next) => update?.(target, next),
          stream: () => stream++,
        });
        carryMask(value, y);
        after?.(index, y);
        return y;
      } catch (error) {
        if (!(error instanceof TilegradError)) throw error;
        throw new TilegradError(error.code, `layer "${name}" (input ${showType(value)}): ${error.message}`, {
          cause: error,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        });
      }
    }, x);
  };

  // One trace with a batch of one finds shapes and parameters.
  const parameters: ParameterSpec[] = [];
  const summaries: LayerSummary[] = [];
  const output = run(
    state("input", [1, ...input]),
    {
      training: true,
      parameter: (spec) => {
        const known = parameters.find((p) => p.name === spec.name);
        if (known && !sameShape(known.shape, spec.shape)) {
          throw new TilegradError("E_SHAPE", `parameter "${spec.name}" is asked for as [${known.shape}] and as [${spec.shape}].`);
        }
        if (!known) parameters.push(spec);
        return state(spec.name, spec.shape);
      },
    },
    (index, y) => {
      const own = parameters.filter((p) => p.name.startsWith(`${names[index]}/`));
      const count = (list: readonly ParameterSpec[]): number => list.reduce((n, p) => n + sizeOf(p.shape), 0);
      summaries.push({
        name: names[index],
        type: layers[index].type,
        outputShape: y.shape.slice(1),
        parameters: count(own),
        trainable: count(own.filter((p) => p.trainable)),
      });
    },
  );
  return {
    inputShape: input,
    outputShape: output.shape.slice(1),
    parameters,
    layers: summaries,
    architecture: {
      type: "sequential",
      input: [...input],
      layers: layers.map(({ type, config }) => ({ type, config: { ...config } })),
    },
    trace: (x, options) => run(x, options),
  };
}

function layerNames(layers: readonly Layer[]): string[] {
  const taken = new Set<string>();
  return layers.map(({ type, name }) => {
    if (name !== undefined && (taken.has(name) || name === "" || name.includes("/"))) {
      throw new TilegradError("E_ARGUMENT", `layer name "${name}": expected a name no other layer has, without "/".`);
    }
    let found = name ?? type;
    for (let n = 1; taken.has(found); n++) found = `${type}_${n}`;
    taken.add(found);
    return found;
  });
}

/** Layer, output shape, parameters and bytes, as a table. */
export function summary(model: Model): string {
  const rows = model.layers.map((l) => [
    `${l.name} (${l.type})`,
    `[${l.outputShape.join(", ")}]`,
    l.parameters.toLocaleString("en-US"),
    `${(4 * l.parameters).toLocaleString("en-US")} B`,
  ]);
  const table = [["layer", "output", "parameters", "bytes"], ...rows];
  const widths = table[0].map((_, c) => Math.max(...table.map((row) => row[c].length)));
  const lines = table.map((row) => row.map((cell, c) => (c < 2 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join("  "));
  const total = model.layers.reduce((n, l) => n + l.parameters, 0);
  const trainable = model.layers.reduce((n, l) => n + l.trainable, 0);
  lines.push(`${total.toLocaleString("en-US")} parameters, ${trainable.toLocaleString("en-US")} of them trainable`);
  return lines.join("\n");
}
