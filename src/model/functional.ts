/** Models whose layers branch, join and are shared: layers applied to symbolic tensors, as in Keras's functional API. */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import { state } from "../ops/core/constant.ts";
import type { OptionKinds } from "../options.ts";
import { checkOptions, isObject, show } from "../options.ts";
import type { Layer } from "./layer.ts";
import { checkLayer } from "./layer.ts";
import type { Model } from "./model.ts";
import { applyLayer, checkInputShape, defineModel, layerNames } from "./trace.ts";

/** A value of a model being written down: an input, or what a layer makes of others. */
export interface SymbolicTensor {
  /** Without the batch. */
  readonly shape: readonly number[];
  readonly source: InputSource | LayerSource;
}

interface InputSource {
  readonly type: "input";
  readonly name?: string;
}

interface LayerSource {
  readonly type: "layer";
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
}

/**
 * An input of a functional model.
 * @param shape without the batch
 * @throws E_SHAPE
 */
export function input(shape: readonly number[], options: { readonly name?: string } = {}): SymbolicTensor {
  checkInputShape("input", shape);
  const { name } = checkOptions("input", options, { name: "string" });
  return { shape, source: { type: "input", ...(name === undefined ? {} : { name }) } };
}

/**
 * A layer applied to one tensor, or a merging layer (`add`, `concatenate` ...) to several. The same layer applied again
 * shares its weights.
 * @throws E_SHAPE naming the layer when an input does not fit; E_ARGUMENT for several inputs of a layer that takes one.
 */
export function apply(layer: Layer, ...inputs: readonly SymbolicTensor[]): SymbolicTensor {
  checkLayer("apply", layer);
  for (const [i, x] of inputs.entries()) checkSymbolic(`apply: input ${i}`, x);
  const name = layer.name ?? layer.type;
  let stream = 0;
  const y = applyLayer(layer, name, {
    training: true,
    inputs: inputs.map((x) => state("input", [1, ...x.shape])),
    parameter: (local, shape) => state(local, shape),
    update: () => {},
    stream: () => stream++,
  });
  return { shape: y.shape.slice(1), source: { type: "layer", layer, inputs } };
}

/** @throws E_ARGUMENT */
function checkSymbolic(where: string, value: unknown): void {
  if (isObject(value) && "shape" in value && "source" in value) return;
  throw new TilegradError("E_ARGUMENT", `${where}: got ${show(value)}; expected what input() or apply() gives.`);
}

export interface FunctionalOptions {
  /** Made by `input`. A row of x holds them one after the other, flat: see `packInputs`. */
  readonly inputs: readonly SymbolicTensor[];
  /** A row of the output holds them one after the other, flat: see `unpackOutputs` and `multiLoss`. */
  readonly outputs: readonly SymbolicTensor[];
}

/**
 * The model that computes `outputs` from `inputs`.
 * @throws E_ARGUMENT for two layers of one name, or an output that needs an input which is not listed.
 */
export function functional(options: FunctionalOptions): Model {
  const kinds = {
    inputs: { required: "list" },
    outputs: { required: "list" },
  } satisfies OptionKinds<FunctionalOptions>;
  const { inputs, outputs } = checkOptions("functional", options, kinds);
  for (const [i, x] of inputs.entries()) checkSymbolic(`functional: inputs[${i}]`, x);
  for (const [i, x] of outputs.entries()) checkSymbolic(`functional: outputs[${i}]`, x);
  if (outputs.length === 0) throw new TilegradError("E_ARGUMENT", "functional: got no outputs; expected one or more.");
  const sources = inputs.map(({ source }) => {
    if (source.type === "input") return source;
    throw new TilegradError("E_ARGUMENT", `functional: an input is what layer ${source.layer.type} makes.`, {
      hint: "Make the model's inputs with input(shape).",
    });
  });
  const values = inOrder(inputs, outputs);
  const calls = values.map((value) => value.source as LayerSource);
  const layers = [...new Set(calls.map((c) => c.layer))];
  const found = layerNames([...sources, ...layers]);
  const names = found.slice(inputs.length);

  const nameOf = new Map(inputs.map((x, k) => [x, found[k]]));
  const applied = new Map<Layer, number>();
  values.forEach((value, k) => {
    const { layer } = calls[k];
    const times = (applied.get(layer) ?? 0) + 1;
    applied.set(layer, times);
    const name = names[layers.indexOf(layer)];
    nameOf.set(value, times === 1 ? name : `${name}/${times}`);
  });
  const namesOf = (list: readonly SymbolicTensor[]): string[] => list.map((x) => nameOf.get(x) as string);
  const valueNames = namesOf(values);

  const model = defineModel({
    inputs: inputs.map(({ shape }, k) => ({ name: found[k], shape })),
    outputs: namesOf(outputs),
    layers,
    names,
    architecture: {
      type: "functional",
      inputs: inputs.map(({ shape }, k) => ({ name: found[k], shape: [...shape] })),
      layers: calls.map(({ layer, inputs: of }, k) => {
        const name = names[layers.indexOf(layer)];
        const shared = valueNames[k] !== name;
        const what = shared ? { layer: name } : { type: layer.type, config: { ...layer.config } };
        return { name: valueNames[k], ...what, inputs: namesOf(of) };
      }),
      outputs: namesOf(outputs),
    },
    body: (given, run) => {
      const tensors = new Map<SymbolicTensor, Tensor>(inputs.map((x, k) => [x, given[k]]));
      const tensorsOf = (list: readonly SymbolicTensor[]): Tensor[] => list.map((x) => tensors.get(x) as Tensor);
      for (const [k, { layer, inputs: of }] of calls.entries()) {
        tensors.set(values[k], run(layers.indexOf(layer), tensorsOf(of)));
      }
      return tensorsOf(outputs);
    },
  });
  const rows = model.layers.map((row, k) => ({ ...row, name: valueNames[k], inputs: namesOf(calls[k].inputs) }));
  return { ...model, layers: rows };
}

/** What layers make on the way from inputs to outputs, each after what it is made of. */
function inOrder(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): SymbolicTensor[] {
  const seen = new Set(inputs);
  if (inputs.length === 0 || seen.size < inputs.length) {
    throw new TilegradError("E_ARGUMENT", `functional: got ${inputs.length} inputs; expected one or more, each once.`);
  }
  const order: SymbolicTensor[] = [];
  // A stack of its own: deep models must not overflow the call stack. The second visit comes after all inputs.
  const stack = [...outputs].reverse().map((value) => ({ value, ready: false }));
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { value, ready } = top;
    if (ready) {
      if (!seen.has(value)) order.push(value);
      seen.add(value);
    } else if (!seen.has(value)) {
      if (value.source.type === "input") {
        const name = value.source.name ?? "input";
        throw new TilegradError(
          "E_ARGUMENT",
          `functional: an output needs "${name}" [${value.shape}], which is not an input.`,
          {
            hint: "List it among the inputs.",
          },
        );
      }
      stack.push({ value, ready: true });
      for (const x of [...value.source.inputs].reverse()) stack.push({ value: x, ready: false });
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
 * inputs: [names] } or { name, layer, inputs }], "outputs": [names] }.
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
    define(where, name, apply(layer, ...of.map((x) => valueNamed(where, x))));
    layers.set(name as string, layer);
  });
  return functional({ inputs, outputs: list("outputs").map((name, k) => valueNamed(`outputs[${k}]`, name)) });
}
