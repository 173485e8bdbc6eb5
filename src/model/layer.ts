/** What a layer is: a function of symbolic tensors that asks its context for parameters. */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { Maker, OptionsOf, Schema } from "../options.ts";
import { checkFields, checkObject, checkOptions, checkValue, defineMaker } from "../options.ts";
import type { Initializer } from "./initializers.ts";
import { jsonOf } from "./json.ts";

const penalties = {
  /** Adds l1 * sum |w| to the loss. */
  l1: is.number,
  /** Adds l2 * sum w^2 to the loss. */
  l2: is.number,
};

export interface Regularizer extends OptionsOf<typeof penalties> {}

export const regularizerKind: Kind<Regularizer> = is.object;

/** @throws E_ARGUMENT */
export function checkRegularizer(regularizer: Regularizer): void {
  checkOptions("regularizer", regularizer, penalties);
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
  /** Says that `x` holds whole numbers in [0, below): features of which it is made are checked before they are trained on. */
  expectIndices?(x: Tensor, below: number): void;
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
  /** One output, or several, which only functional models take apart. Throws E_SHAPE when the input does not fit. */
  call(x: Tensor, context: LayerContext): Tensor | readonly Tensor[];
}

/** @throws E_ARGUMENT */
export function checkLayer(where: string, value: unknown): asserts value is Layer {
  const expected = "a layer, such as dense(1)";
  if (typeof value === "function") {
    const name = "type" in value ? value.type : value.name;
    const hint = name ? { hint: `Call it: ${name}(...).` } : {};
    throw new TilegradError("E_ARGUMENT", `${where}: got a function; expected ${expected}.`, hint);
  }
  checkFields(where, value, { call: is.callable }, expected);
  checkValue(where, "type", Reflect.get(Object(value), "type"), is.string);
}

const common = {
  /** Default: its type, numbered. */
  name: is.string,
  /** False freezes its parameters; default true. */
  trainable: is.boolean,
};

/** Options that every layer takes. */
export interface LayerOptions extends OptionsOf<typeof common> {}

/**
 * tilegrad's own layers: makers that a saved model finds again. Call it as `/* @__PURE__ *\/ defineLayer(...)`.
 * @param options declared, but for those that every layer takes
 * @param places what comes by place, as options: `(units: number) => ({ units })`
 * @param build the layer's `call`, of checked options
 */
export const defineLayer = <S extends Schema, P extends unknown[], R extends object, O extends OptionsOf<S>>(
  type: string,
  options: () => S,
  places: (...given: P) => R,
  build: (options: O & LayerOptions) => Layer["call"],
  more?: Pick<Layer, "merges">,
): Maker<Layer, O, P, R> => {
  const all = () => ({ ...options(), ...common });
  return defineMaker<Schema, P, R, O & LayerOptions, Layer>(type, all, places, (given) => {
    const call = build(given);
    return { ...layer(type, jsonOf(all(), given), call), ...more };
  });
};

/**
 * A layer of your own: `call` says what becomes of its input. `options` is its `config`, without what is undefined.
 * @throws E_ARGUMENT
 */
export function layer(type: string, options: LayerOptions & object, call: Layer["call"]): Layer {
  checkObject(type, options, "an object of options");
  checkValue(type, "call", call, is.callable);
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
