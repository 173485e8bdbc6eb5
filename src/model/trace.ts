/** What all models share: names of layers, tracing, and the shapes and parameters that one trace finds. */
import { TilegradError } from "../errors.ts";
import { showType } from "../graph/apply.ts";
import type { Tensor } from "../graph/types.ts";
import { sameShape, sizeOf } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import { state } from "../ops/core/constant.ts";
import { show } from "../options.ts";
import { indexFeatures } from "./indexFeatures.ts";
import { checkInitializer } from "./initializers.ts";
import type { Layer, LayerContext } from "./layer.ts";
import { checkRegularizer } from "./layer.ts";
import { carryMask } from "./mask.ts";
import type { IndexFeature, LayerSummary, Model, NamedShape, ParameterSpec, TraceOptions } from "./types.ts";

/** Applies a layer, by its number, to tensors of a trace. */
export type Apply = (layer: number, inputs: readonly Tensor[]) => readonly Tensor[];

export interface Definition {
  readonly inputs: readonly NamedShape[];
  /** Default: one, "output". */
  readonly outputs?: readonly NamedShape[];
  /** Each once, however often it is applied. */
  readonly layers: readonly Layer[];
  readonly names: readonly string[];
  readonly architecture: Json;
  /** x [batch, ...joined inputs] -> y [batch, ...joined outputs] */
  readonly body: (x: Tensor, apply: Apply) => Tensor;
}

/** @throws E_SHAPE naming the layer whose input does not fit */
export function defineModel({ inputs, outputs, layers, names, architecture, body }: Definition): Model {
  const inputShape = joinedShape(inputs.map((i) => i.shape));
  const run = (
    x: Tensor,
    options: TraceOptions,
    after?: (layer: number, outputs: readonly Tensor[]) => void,
    expectIndices?: (layer: string, x: Tensor, below: number) => void,
  ): Tensor => {
    let stream = 0;
    const statistics = new Statistics();
    const y = body(x, (index, given) => {
      const context = contextOf(layers[index], names[index], given, options, statistics, () => stream++);
      const expect = expectIndices && ((of: Tensor, below: number) => expectIndices(names[index], of, below));
      const outputs = applyLayer(layers[index], names[index], expect ? { ...context, expectIndices: expect } : context);
      after?.(index, outputs);
      return outputs;
    });
    statistics.finish(options);
    return y;
  };

  // One trace with a batch of one finds shapes and parameters.
  const parameters: ParameterSpec[] = [];
  const rows: LayerSummary[] = [];
  let counted = 0;
  const row = state("input", [1, ...inputShape]);
  const indices: IndexFeature[] = [];
  const made = run(
    row,
    {
      training: true,
      parameter: (spec) => {
        const known = parameters.find((p) => p.name === spec.name);
        if (known && !sameShape(known.shape, spec.shape)) {
          throw new TilegradError(
            "E_SHAPE",
            `parameter "${spec.name}" is asked for as [${known.shape}] and as [${spec.shape}].`,
          );
        }
        if (!known) parameters.push(spec);
        return state(spec.name, spec.shape);
      },
    },
    (index, [y]) => {
      const own = parameters.slice(counted);
      counted = parameters.length;
      const count = (list: readonly ParameterSpec[]): number => list.reduce((n, p) => n + sizeOf(p.shape), 0);
      rows.push({
        name: names[index],
        type: layers[index].type,
        outputShape: y.shape.slice(1),
        parameters: count(own),
        trainable: count(own.filter((p) => p.trainable)),
      });
    },
    (layer, x, below) => indices.push(...indexFeatures(row, x).map((feature) => ({ feature, below, layer }))),
  );
  const outputShape = made.shape.slice(1);
  return {
    inputShape,
    outputShape,
    inputs,
    outputs: outputs ?? [{ name: "output", shape: outputShape }],
    parameters,
    layers: rows,
    indices,
    architecture,
    trace: run,
  };
}

/** Calls a layer for its outputs; its name and inputs stand before the message of an error. */
export function applyLayer(layer: Layer, name: string, context: LayerContext): readonly Tensor[] {
  const { inputs } = context;
  try {
    if (!layer.merges && inputs.length !== 1) {
      throw new TilegradError("E_ARGUMENT", `${layer.type}: got ${inputs.length} inputs; expected one.`, {
        hint: "Join them first, with concatenate() or add().",
      });
    }
    return carryMask(layer.type, inputs, () => {
      const made = layer.call(inputs[0], context);
      return "node" in made ? [made] : made;
    });
  } catch (error) {
    if (!(error instanceof TilegradError)) throw error;
    throw new TilegradError(
      error.code,
      `layer "${name}" (input ${inputs.map(showType).join(", ")}): ${error.message}`,
      {
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      },
    );
  }
}

/** The output of a layer where several have no place. @throws E_ARGUMENT */
export function onlyOutput<T>(where: string, layer: Layer, outputs: readonly T[], hint: string): T {
  if (outputs.length === 1) return outputs[0];
  throw new TilegradError(
    "E_ARGUMENT",
    `${where}: layer ${layer.name ?? layer.type} has ${outputs.length} outputs; expected one.`,
    { hint },
  );
}

function contextOf(
  layer: Layer,
  name: string,
  inputs: readonly Tensor[],
  { training, parameter }: TraceOptions,
  statistics: Statistics,
  stream: () => number,
): LayerContext {
  return {
    training,
    inputs,
    parameter(local, shape, options) {
      checkInitializer(options.initializer);
      if (options.regularizer) checkRegularizer(options.regularizer);
      return statistics.latest(
        parameter({
          ...options,
          name: `${name}/${local}`,
          shape,
          trainable: (options.trainable ?? true) && (layer.trainable ?? true),
        }),
      );
    },
    update: (target, next) => statistics.update(target, next),
    stream,
  };
}

/** Updates of one trace. A layer that is applied again goes on from what its first application made of its statistics. */
class Statistics {
  private readonly next = new Map<Tensor, Tensor>();
  private readonly parameterOf = new Map<Tensor, Tensor>();

  latest(parameter: Tensor): Tensor {
    return this.next.get(parameter) ?? parameter;
  }

  update(target: Tensor, value: Tensor): void {
    const parameter = this.parameterOf.get(target) ?? target;
    this.next.set(parameter, value);
    this.parameterOf.set(value, parameter);
  }

  finish({ update }: TraceOptions): void {
    for (const [parameter, value] of this.next) update?.(parameter, value);
  }
}

const joinedShape = (shapes: readonly (readonly number[])[]): readonly number[] =>
  shapes.length === 1 ? shapes[0] : [shapes.reduce((n, shape) => n + sizeOf(shape), 0)];

/** The names that were given, and numbered types for the rest. @throws E_ARGUMENT */
export function layerNames(layers: readonly { readonly type: string; readonly name?: string }[]): string[] {
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

/** @throws E_SHAPE */
export function checkInputShape(where: string, shape: readonly number[]): void {
  if (Array.isArray(shape) && shape.length > 0 && shape.every((n) => Number.isSafeInteger(n) && n >= 1)) return;
  throw new TilegradError(
    "E_SHAPE",
    `${where}: got input ${show(shape)}; expected a list of positive integers, without the batch.`,
  );
}
