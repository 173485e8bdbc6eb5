/** What a layer is: a function of symbolic tensors that asks its context for parameters. */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import type { OptionKinds } from "../options.ts";
import { checkFields, checkObject, checkOptions, checkValue, isObject, show } from "../options.ts";
import type { Initializer } from "./initializers.ts";
import { checkLayerOptions } from "./layerOptions.ts";

export interface Regularizer {
  /** Adds l1 * sum |w| to the loss. */
  readonly l1?: number;
  /** Adds l2 * sum w^2 to the loss. */
  readonly l2?: number;
}

/** @throws E_ARGUMENT */
export function checkRegularizer(regularizer: Regularizer): void {
  checkOptions("regularizer", regularizer, { l1: "number", l2: "number" } satisfies OptionKinds<Regularizer>);
  const { l1 = 0, l2 = 0 } = regularizer;
  if (l1 >= 0 && l2 >= 0 && Number.isFinite(l1 + l2)) return;
  throw new TilegradError("E_ARGUMENT", `regularizer: got l1 ${l1}, l2 ${l2}; expected finite numbers of at least 0.`);
}

export interface ParameterOptions {
  readonly initializer: Initializer;
  /** Default true. Statistics and frozen parameters are not. */
  readonly trainable?: boolean;
  readonly regularizer?: Regularizer;
}

/** What a layer sees while it is traced. A model is traced once for its shapes and again for every plan. */
export interface LayerContext {
  /** Whether dropout drops, batch norm uses the batch, augmentation augments. */
  readonly training: boolean;
  /** What a layer that `merges` joins, or a recurrent layer's input and initial states; x is the first. */
  readonly inputs: readonly Tensor[];
  /** A parameter of this layer, by a name that is unique in it; the same tensor in every trace. */
  parameter(name: string, shape: readonly number[], options: ParameterOptions): Tensor;
  /** A parameter's next value, for statistics; takes effect at the end of a training step. */
  update(parameter: Tensor, value: Tensor): void;
  /** A number that tells this draw apart from every other random draw of the model. */
  stream(): number;
}

/** A layer as written: plain data and a function. The batch is axis 0 of every tensor. */
export interface Layer {
  /** Keras's name of the layer, in camelCase; what `model.json` holds. */
  readonly type: string;
  /** The options it was made with; `layers[type](config)` makes it again. */
  readonly config: Readonly<Record<string, Json>>;
  /** Default: its type, numbered. Parameters are called `name/kernel` and so on. */
  readonly name?: string;
  /** False freezes its parameters: no gradient is computed for them. */
  readonly trainable?: boolean;
  /** Takes one or more inputs, all in `context.inputs`; other layers take one. */
  readonly merges?: true;
  /** Throws E_SHAPE when the input does not fit. */
  call(x: Tensor, context: LayerContext): Tensor;
}

/** @throws E_ARGUMENT */
export function checkLayer(where: string, value: unknown): asserts value is Layer {
  const expected = "a layer, such as dense(1)";
  if (typeof value === "function") {
    const hint = value.name ? { hint: `Call it: ${value.name}(...).` } : {};
    throw new TilegradError("E_ARGUMENT", `${where}: got a function; expected ${expected}.`, hint);
  }
  checkFields(where, value, { call: "function" }, expected);
  checkValue(where, "type", Reflect.get(Object(value), "type"), "string");
}

/** Options that every layer takes. */
export interface LayerOptions {
  readonly name?: string;
  readonly trainable?: boolean;
}

/**
 * The options of a layer, all in one object or the first ones by place: `dense({ units: 8, useBias: false })` or
 * `dense(8, { useBias: false })`.
 * @param places the options that come by place
 * @param given the maker's arguments
 * @throws E_ARGUMENT for an option that tilegrad's own layer of this type does not have, or of another kind
 */
export function layerOptions<O extends LayerOptions>(
  type: string,
  places: readonly (keyof O & string)[],
  ...given: readonly unknown[]
): O {
  const whole = isObject(given[0]) && !("call" in given[0]);
  const [named, ...more] = whole ? given : given.slice(places.length);
  const rest = named === undefined ? {} : named;
  checkObject(type, rest, "an object of options");
  const extra = more.find((value) => value !== undefined);
  if (extra !== undefined) throw new TilegradError("E_ARGUMENT", `${type}: got ${show(extra)} after all options.`);
  const options = whole ? rest : { ...Object.fromEntries(places.map((name, k) => [name, given[k]])), ...rest };
  checkLayerOptions(type, options);
  return options as O;
}

/** A layer from its options: drops what is undefined, so that `config` is exactly what was said. @throws E_ARGUMENT */
export function layer(type: string, options: LayerOptions & object, call: Layer["call"]): Layer {
  checkObject(type, options, "an object of options");
  checkValue(type, "call", call, "function");
  const config = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Record<
    string,
    Json
  >;
  const { name, trainable } = options;
  return {
    type,
    config,
    ...(name === undefined ? {} : { name }),
    ...(trainable === undefined ? {} : { trainable }),
    call,
  };
}
