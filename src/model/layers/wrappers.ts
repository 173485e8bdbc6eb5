/** Layers around layers: both directions of a recurrent layer, any layer at every time step, and recomputed segments. */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import type { Json } from "../../io/json.ts";
import { concat } from "../../ops/core/concat.ts";
import { add, mul } from "../../ops/core/elementwise.ts";
import { remat as recomputed } from "../../ops/core/remat.ts";
import { reshape } from "../../ops/core/view.ts";
import { showType } from "../../ops/op.ts";
import { show } from "../../options.ts";
import type { Layer, LayerContext, LayerOptions } from "../layer.ts";
import { checkLayer, layer } from "../layer.ts";
import { layerOptions } from "../layerOptions.ts";
import { maskOf, withMask } from "../mask.ts";
import { applyLayer, layerNames } from "../trace.ts";
import type { RecurrentLayerOptions } from "./recurrent.ts";
import { gru, lstm, simpleRnn } from "./recurrent.ts";

/** A layer as data. */
interface LayerJson {
  readonly type: string;
  readonly config: Readonly<Record<string, Json>>;
}

const asJson = ({ type, config }: LayerJson): LayerJson => ({ type, config });

/** The context of a layer inside another, applied to `inputs`; with a `part`, its parameters are called `part/kernel` and so on. */
const within = (context: LayerContext, inner: Layer, inputs: readonly Tensor[], part?: string): LayerContext => ({
  ...context,
  inputs,
  parameter: (name, shape, options) =>
    context.parameter(part === undefined ? name : `${part}/${name}`, shape, {
      ...options,
      trainable: (options.trainable ?? true) && (inner.trainable ?? true),
    }),
});

const mergers = {
  concat: (a: Tensor, b: Tensor): Tensor => concat([a, b]),
  sum: add,
  mul,
  ave: (a: Tensor, b: Tensor): Tensor => mul(add(a, b), 0.5),
};

const recurrentMakers: Readonly<Record<string, (options: RecurrentLayerOptions) => Layer>> = { lstm, gru, simpleRnn };

export interface BidirectionalOptions extends LayerOptions {
  /** An `lstm`, `gru` or `simpleRnn`, which runs forwards, and again backwards with weights of its own. */
  readonly layer: LayerJson;
  /** How the two are joined; default `concat`, along the last axis. */
  readonly mergeMode?: keyof typeof mergers;
}

/**
 * A recurrent layer in both directions: [batch, time, features] -> [batch, 2 units], or [batch, time, 2 units]. Initial states:
 * those of the forward layer, then those of the backward one.
 */
export function bidirectional(first: Layer | BidirectionalOptions, rest?: Omit<BidirectionalOptions, "layer">): Layer {
  const options = layerOptions<BidirectionalOptions>("bidirectional", ["layer"], first, rest);
  const { mergeMode = "concat" } = options;
  const { type, config } = options.layer;
  if (!Object.hasOwn(recurrentMakers, type)) {
    const expected = Object.keys(recurrentMakers).join(", ");
    throw new TilegradError("E_ARGUMENT", `bidirectional: got layer ${show(type)}; expected one of ${expected}.`);
  }
  const inner = config as unknown as RecurrentLayerOptions;
  const forward = recurrentMakers[type](inner);
  const backward = recurrentMakers[type]({ ...inner, goBackwards: !inner.goBackwards });
  const plain: BidirectionalOptions = { ...options, layer: asJson(options.layer) };
  const call: Layer["call"] = (x, context) => {
    const states = context.inputs.slice(1);
    const half = Math.ceil(states.length / 2);
    const a = forward.call(x, within(context, forward, [x, ...states.slice(0, half)], "forward"));
    const b = backward.call(x, within(context, backward, [x, ...states.slice(half)], "backward"));
    return withMask(mergers[mergeMode](a, b), maskOf(a));
  };
  return { ...layer("bidirectional", plain, call), merges: true };
}

export interface TimeDistributedOptions extends LayerOptions {
  readonly layer: Layer;
}

/** A layer at every step: [batch, time, ...] -> [batch, time, ...what the layer makes of one step]. */
export function timeDistributed(
  first: Layer | TimeDistributedOptions,
  rest?: Omit<TimeDistributedOptions, "layer">,
): Layer {
  const options = layerOptions<TimeDistributedOptions>("timeDistributed", ["layer"], first, rest);
  const inner = options.layer;
  checkLayer("timeDistributed: layer", inner);
  const plain: LayerOptions & { layer: LayerJson } = { ...options, layer: asJson(inner) };
  return layer("timeDistributed", plain, (x, context) => {
    if (x.shape.length < 3) {
      throw new TilegradError("E_SHAPE", `timeDistributed: got ${showType(x)}; expected [batch, time, features ...].`);
    }
    const [batch, time, ...step] = x.shape;
    const steps = reshape(x, [batch * time, ...step]);
    const y = inner.call(steps, within(context, inner, [steps]));
    return reshape(y, [batch, time, ...y.shape.slice(1)]);
  });
}

export interface RematOptions extends LayerOptions {
  /** One or more, in a row. */
  readonly layers: readonly Layer[];
}

/**
 * Layers in a row whose activations are not kept for the backward pass, which computes them again from the segment's input
 * (rematerialisation, gradient checkpointing): with segments of about the square root of a net's depth, memory grows
 * with that root, for one more forward pass of work. Changes no value, gradient or random draw. Parameters are called
 * `remat/dense/kernel` and so on. Not worth it for the last layers, whose activations are needed at once.
 * @throws E_ARGUMENT without layers, or for two of one name
 */
export function remat(first: readonly Layer[] | RematOptions, rest?: Omit<RematOptions, "layers">): Layer {
  const options = layerOptions<RematOptions>("remat", ["layers"], first, rest);
  const { layers } = options;
  if (layers.length === 0) {
    throw new TilegradError("E_ARGUMENT", "remat: got no layers; expected a list of one or more.", {
      hint: "Give the layers of a segment: remat([dense(64), dense(64)]).",
    });
  }
  for (const [i, inner] of layers.entries()) checkLayer(`remat: layers[${i}]`, inner);
  const names = layerNames(layers);
  const plain: LayerOptions & { layers: readonly LayerJson[] } = { ...options, layers: layers.map(asJson) };
  return layer("remat", plain, (x, context) => {
    const segment = (start: Tensor): Tensor =>
      layers.reduce((y, inner, k) => applyLayer(inner, names[k], within(context, inner, [y], names[k])), start);
    if (!context.training) return segment(x);
    let mask: Tensor | undefined;
    const y = recomputed((start) => {
      const end = segment(start);
      mask = maskOf(end);
      return end;
    })(x);
    return withMask(y, mask);
  });
}
