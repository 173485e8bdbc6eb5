/** Models whose layers branch, join and are shared: layers applied to symbolic tensors, as in Keras's functional API. */

import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { concat } from "../ops/core/concat.ts";
import { state } from "../ops/core/constant.ts";
import { slice } from "../ops/core/slice.ts";
import { reshape } from "../ops/core/view.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, isObject, show } from "../options.ts";
import type { Layer } from "./layer.ts";
import { checkLayer } from "./layer.ts";
import type { Model } from "./model.ts";
import { applyLayer, checkInputShape, defineModel, layerNames, onlyOutput } from "./trace.ts";

/** A value of a model being written down: an input, or what a layer makes of others. */
export interface SymbolicTensor {
  /** Without the batch. */
  readonly shape: readonly number[];
  readonly source: InputSource | LayerSource;
  /** Which output of the source's layer; default the first. */
  readonly output?: number;
}

interface InputSource {
  readonly type: "input";
  readonly name?: string;
}

/** One application of a layer, whatever the number of its outputs. */
interface LayerSource {
  readonly type: "layer";
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
}

const inputOptions = {
  /** Default "input", numbered. */
  name: is.string,
};

export interface InputOptions extends OptionsOf<typeof inputOptions> {}

/**
 * An input of a functional model.
 * @param shape without the batch
 * @throws E_SHAPE
 */
export function input(shape: readonly number[], options: InputOptions = {}): SymbolicTensor {
  checkInputShape("input", shape);
  const { name } = checkOptions("input", options, inputOptions);
  return { shape, source: { type: "input", ...(name === undefined ? {} : { name }) } };
}

/**
 * A layer applied to one tensor, or a merging layer (`add`, `concatenate` ...) to several. The same layer applied again
 * shares its weights.
 * @throws E_SHAPE naming the layer when an input does not fit; E_ARGUMENT for several inputs of a layer that takes one, and for
 * a layer with several outputs.
 */
export function apply(layer: Layer, ...inputs: readonly SymbolicTensor[]): SymbolicTensor {
  const outputs = applyAll(layer, ...inputs);
  return onlyOutput("apply", layer, outputs, "Take them apart: const [y, h] = applyAll(layer, x).");
}

/**
 * As `apply`, for a layer with several outputs, such as a recurrent one with `returnState`:
 * `const [y, h, c] = applyAll(lstm(32, { returnState: true }), x)`.
 */
export function applyAll(layer: Layer, ...inputs: readonly SymbolicTensor[]): readonly SymbolicTensor[] {
  checkLayer("apply", layer);
  for (const [i, x] of inputs.entries()) checkSymbolic(`apply: input ${i}`, x);
  const name = layer.name ?? layer.type;
  let stream = 0;
  const made = applyLayer(layer, name, {
    training: true,
    inputs: inputs.map((x) => state("input", [1, ...x.shape])),
    parameter: (local, shape) => state(local, shape),
    update: () => {},
    stream: () => stream++,
  });
  const source: LayerSource = { type: "layer", layer, inputs };
  return made.map((y, output) => ({ shape: y.shape.slice(1), source, ...(output > 0 ? { output } : {}) }));
}

/** @throws E_ARGUMENT */
function checkSymbolic(where: string, value: unknown): void {
  if (isObject(value) && "shape" in value && "source" in value) return;
  throw new TilegradError("E_ARGUMENT", `${where}: got ${show(value)}; expected what input() or apply() gives.`);
}

const functionalOptions = {
  /** Made by `input`. A row of x holds them one after the other, flat: see `packInputs`. */
  inputs: is.required(is.list as Kind<readonly SymbolicTensor[]>),
  /** A row of the output holds them one after the other, flat: see `unpackOutputs` and `multiLoss`. */
  outputs: is.required(is.list as Kind<readonly SymbolicTensor[]>),
};

export interface FunctionalOptions extends OptionsOf<typeof functionalOptions> {}

/**
 * The model that computes `outputs` from `inputs`.
 * @throws E_ARGUMENT for two layers of one name, or an output that needs an input which is not listed.
 */
export function functional(options: FunctionalOptions): Model {
  const { inputs, outputs } = checkOptions("functional", options, functionalOptions);
  for (const [i, x] of inputs.entries()) checkSymbolic(`functional: inputs[${i}]`, x);
  for (const [i, x] of outputs.entries()) checkSymbolic(`functional: outputs[${i}]`, x);
  if (outputs.length === 0) throw new TilegradError("E_ARGUMENT", "functional: got no outputs; expected one or more.");
  const sources = inputs.map(({ source }) => {
    if (source.type === "input") return source;
    throw new TilegradError("E_ARGUMENT", `functional: an input is what layer ${source.layer.type} makes.`, {
      hint: "Make the model's inputs with input(shape).",
    });
  });
  const calls = inOrder(inputs, outputs);
  const layers = [...new Set(calls.map((c) => c.layer))];
  const found = layerNames([...sources, ...layers]);
  const names = found.slice(inputs.length);

  const nameOf = new Map<unknown, string>(sources.map((source, k) => [source, found[k]]));
  const applied = new Map<Layer, number>();
  for (const call of calls) {
    const times = (applied.get(call.layer) ?? 0) + 1;
    applied.set(call.layer, times);
    const name = names[layers.indexOf(call.layer)];
    nameOf.set(call, times === 1 ? name : `${name}/${times}`);
  }
  const namesOf = (list: readonly SymbolicTensor[]): string[] =>
    list.map(({ source, output }) => outputName(nameOf.get(source) as string, output));
  const callNames = calls.map((call) => nameOf.get(call) as string);

  const model = defineModel({
    inputs: inputs.map(({ shape }, k) => ({ name: found[k], shape })),
    outputs: namesOf(outputs).map((name, k) => ({ name, shape: outputs[k].shape })),
    layers,
    names,
    architecture: {
      type: "functional",
      inputs: inputs.map(({ shape }, k) => ({ name: found[k], shape: [...shape] })),
      layers: calls.map(({ layer, inputs: of }, k) => {
        const name = names[layers.indexOf(layer)];
        const shared = callNames[k] !== name;
        const what = shared ? { layer: name } : { type: layer.type, config: { ...layer.config } };
        return { name: callNames[k], ...what, inputs: namesOf(of) };
      }),
      outputs: namesOf(outputs),
    },
    body: (x, run) => {
      const given = split(x, inputs);
      const made = new Map<unknown, readonly Tensor[]>(sources.map((source, k) => [source, [given[k]]]));
      const tensorsOf = (list: readonly SymbolicTensor[]): Tensor[] =>
        list.map(({ source, output = 0 }) => made.get(source)?.[output] as Tensor);
      for (const call of calls) made.set(call, run(layers.indexOf(call.layer), tensorsOf(call.inputs)));
      return join(tensorsOf(outputs));
    },
  });
  const rows = model.layers.map((row, k) => ({ ...row, name: callNames[k], inputs: namesOf(calls[k].inputs) }));
  return { ...model, layers: rows };
}

/** x [batch, ...] as the model's inputs, which lie one after the other in each row. */
function split(x: Tensor, inputs: readonly SymbolicTensor[]): Tensor[] {
  if (inputs.length === 1) return [x];
  const [batch] = x.shape;
  let begin = 0;
  return inputs.map(({ shape }) => {
    const size = sizeOf(shape);
    const part = reshape(slice(x, [0, begin], [batch, size]), [batch, ...shape]);
    begin += size;
    return part;
  });
}

/** Several outputs lie one after the other in each row. */
const join = (outputs: readonly Tensor[]): Tensor =>
  outputs.length === 1
    ? outputs[0]
    : concat(
        outputs.map((y) => reshape(y, [y.shape[0], sizeOf(y.shape.slice(1))])),
        1,
      );

/** The name of a call's output: the call's own for the first. */
const outputName = (call: string, output = 0): string => (output === 0 ? call : `${call}/output${output}`);

/** The applications of layers on the way from inputs to outputs, each after those whose outputs it takes. */
function inOrder(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): LayerSource[] {
  const seen = new Set<InputSource | LayerSource>(inputs.map(({ source }) => source));
  if (inputs.length === 0 || seen.size < inputs.length) {
    throw new TilegradError("E_ARGUMENT", `functional: got ${inputs.length} inputs; expected one or more, each once.`);
  }
  const order: LayerSource[] = [];
  // A stack of its own: deep models must not overflow the call stack. The second visit comes after all inputs.
  const stack = [...outputs].reverse().map((value) => ({ value, ready: false }));
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { value, ready } = top;
    const { source } = value;
    if (seen.has(source)) continue;
    if (source.type === "input") {
      const name = source.name ?? "input";
      throw new TilegradError(
        "E_ARGUMENT",
        `functional: an output needs "${name}" [${value.shape}], which is not an input.`,
        { hint: "List it among the inputs." },
      );
    }
    if (ready) {
      order.push(source);
      seen.add(source);
    } else {
      stack.push({ value, ready: true });
      for (const x of [...source.inputs].reverse()) stack.push({ value: x, ready: false });
    }
  }
  return order;
}

/** An entry of `layers` in an architecture: a layer, or with `layer` an earlier one shared. */
interface LayerEntry {
  readonly name?: unknown;
  readonly layer?: unknown;
  readonly inputs?: unknown;
}

/**
 * The model of an architecture { "type": "functional", "inputs": [{ name, shape }], "layers": [{ name, type, config,
 * inputs: [names] } or { name, layer, inputs }], "outputs": [names] }. Outputs of a layer beside its first are NAME/output1 ...
 * @param makeLayer makes a layer of an entry
 * @throws E_FILE for what is no architecture
 */
export function functionalFromJson(
  architecture: Readonly<Record<string, Json | undefined>>,
  makeLayer: (where: string, entry: unknown) => Layer,
): Model {
  const values = new Map<string, SymbolicTensor>();
  const layers = new Map<string, Layer>();
  const list = (key: string): readonly Json[] => {
    const found = architecture[key];
    if (Array.isArray(found)) return found;
    throw new TilegradError("E_FILE", `architecture.${key}: got ${JSON.stringify(found)}; expected a list.`);
  };
  const valueNamed = (where: string, name: unknown): SymbolicTensor => {
    const found = values.get(name as string);
    if (found) return found;
    throw new TilegradError(
      "E_FILE",
      `architecture.${where}: got ${JSON.stringify(name)}; expected an input or an earlier layer.`,
    );
  };
  const define = (where: string, name: unknown, value: SymbolicTensor): void => {
    if (typeof name !== "string" || values.has(name)) {
      throw new TilegradError(
        "E_FILE",
        `architecture.${where}: got name ${JSON.stringify(name)}; expected one of its own.`,
      );
    }
    values.set(name, value);
  };
  const inputs = list("inputs").map((entry, k) => {
    const { name, shape } = (entry ?? {}) as { readonly name?: unknown; readonly shape?: unknown };
    if (!Array.isArray(shape))
      throw new TilegradError("E_FILE", `architecture.inputs[${k}]: expected { "name": ..., "shape": [...] }.`);
    const value = input(shape, typeof name === "string" ? { name } : {});
    define(`inputs[${k}]`, name, value);
    return value;
  });
  list("layers").forEach((entry, k) => {
    const where = `layers[${k}]`;
    const { name, layer: shared, inputs: of } = (entry ?? {}) as LayerEntry;
    const layer = shared === undefined ? makeLayer(`architecture.${where}`, entry) : layers.get(shared as string);
    if (!layer || !Array.isArray(of)) {
      throw new TilegradError("E_FILE", `architecture.${where}: got ${JSON.stringify(entry)}.`, {
        hint: "Say of which values: inputs: [names]; and what it is: type and config, or layer: an earlier one's name.",
      });
    }
    const outputs = applyAll(layer, ...of.map((x) => valueNamed(where, x)));
    for (const [output, value] of outputs.entries()) {
      define(where, typeof name === "string" ? outputName(name, output) : name, value);
    }
    layers.set(name as string, layer);
  });
  return functional({ inputs, outputs: list("outputs").map((name, k) => valueNamed(`outputs[${k}]`, name)) });
}
