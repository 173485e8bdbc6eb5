/** Layers around layers: both directions of a recurrent layer, any layer at every time step, and recomputed segments. */
import { TilegradError } from "../../errors.ts";
import { showType } from "../../graph/apply.ts";
import type { Tensor } from "../../graph/types.ts";
import type { Json } from "../../io/json.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import { concat } from "../../ops/core/concat.ts";
import { add, mul } from "../../ops/core/elementwise.ts";
import { remat as recomputed } from "../../ops/core/remat.ts";
import { reshape } from "../../ops/core/view.ts";
import type { OptionsOf } from "../../options.ts";
import { show } from "../../options.ts";
import type { Layer, LayerContext, LayerOptions } from "../layer.ts";
import { checkLayer, defineLayer } from "../layer.ts";
import { maskOf, withMask } from "../mask.ts";
import type { RecurrentLayerOptions } from "../recurrentLayer.ts";
import { applyLayer, layerNames, onlyOutput } from "../trace.ts";
import { gru, lstm, simpleRnn } from "./recurrent.ts";

/** A layer as data. */
interface LayerJson {
  readonly type: string;
  readonly config: Readonly<Record<string, Json>>;
}

const asJson = ({ type, config }: LayerJson): LayerJson => ({ type, config });

/** A layer within: as JSON its type and options. */
const layerKind = <T extends LayerJson>(): Kind<T> => ({
  ...is.object,
  toJson: asJson,
  fromJson: (json, make) => make(json),
});

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

const bidirectionalOptions = () => ({
  /** An `lstm`, `gru` or `simpleRnn`, which runs forwards, and again backwards with weights of its own. */
  layer: is.required(layerKind<LayerJson>()),
  /** How the two are joined; default `concat`, along the last axis. */
  mergeMode: is.oneOf("concat", "sum", "mul", "ave"),
});

export interface BidirectionalOptions extends OptionsOf<typeof bidirectionalOptions>, LayerOptions {}

/**
 * A recurrent layer in both directions: [batch, time, features] -> [batch, 2 units], or [batch, time, 2 units]. Initial states,
 * and with the layer's `returnState` the outputs beside the first: those of the forward layer, then those of the backward one.
 */
export const bidirectional = /* @__PURE__ */ defineLayer(
  "bidirectional",
  bidirectionalOptions,
  (layer: LayerJson) => ({ layer }),
  ({ layer: { type, config }, mergeMode = "concat" }: BidirectionalOptions) => {
    if (!Object.hasOwn(recurrentMakers, type)) {
      const expected = Object.keys(recurrentMakers).join(", ");
      throw new TilegradError("E_ARGUMENT", `bidirectional: got layer ${show(type)}; expected one of ${expected}.`);
    }
    const inner = config as unknown as RecurrentLayerOptions;
    const forward = recurrentMakers[type](inner);
    const backward = recurrentMakers[type]({ ...inner, goBackwards: !inner.goBackwards });
    return (x, context) => {
      const states = context.inputs.slice(1);
      const half = Math.ceil(states.length / 2);
      const run = (one: Layer, part: string, given: readonly Tensor[]): readonly Tensor[] =>
        applyLayer(one, part, within(context, one, [x, ...given], part));
      const [a, ...after] = run(forward, "forward", states.slice(0, half));
      const [b, ...before] = run(backward, "backward", states.slice(half));
      const y = mergers[mergeMode](a, b);
      const mask = maskOf(a);
      // Padded steps give 0, as in Keras: each direction would give a state of its own there.
      const kept = mask ? withMask(mul(y, reshape(mask, [...mask.shape, 1])), mask) : y;
      return [kept, ...after, ...before];
    };
  },
  { merges: true },
);

const ONE_OUTPUT = "Leave out returnState.";

const timeDistributedOptions = () => ({
  /** Any that takes one input and has one output. */
  layer: is.required(layerKind<Layer>()),
});

export interface TimeDistributedOptions extends OptionsOf<typeof timeDistributedOptions>, LayerOptions {}

/** A layer at every step: [batch, time, ...] -> [batch, time, ...what the layer makes of one step]. */
export const timeDistributed = /* @__PURE__ */ defineLayer(
  "timeDistributed",
  timeDistributedOptions,
  (layer: Layer) => ({ layer }),
  ({ layer: inner }: TimeDistributedOptions) => {
    checkLayer("timeDistributed: layer", inner);
    return (x, context) => {
      if (x.shape.length < 3) {
        throw new TilegradError(
          "E_SHAPE",
          `timeDistributed: got ${showType(x)}; expected [batch, time, features ...].`,
        );
      }
      const [batch, time, ...step] = x.shape;
      const steps = reshape(x, [batch * time, ...step]);
      const made = applyLayer(inner, inner.type, within(context, inner, [steps]));
      const y = onlyOutput("timeDistributed", inner, made, ONE_OUTPUT);
      return reshape(y, [batch, time, ...y.shape.slice(1)]);
    };
  },
);

const rematOptions = () => ({
  /** One or more, in a row. */
  layers: is.required<readonly Layer[]>({
    ...is.list,
    toJson: (layers) => layers.map(asJson),
    fromJson: (json, make) => (Array.isArray(json) ? json.map(make) : json),
  }),
});

export interface RematOptions extends OptionsOf<typeof rematOptions>, LayerOptions {}

/**
 * Layers in a row whose activations are not kept for the backward pass, which computes them again from the segment's input
 * (rematerialisation, gradient checkpointing): with segments of about the square root of a net's depth, memory grows
 * with that root, for one more forward pass of work. Changes no value, gradient or random draw. Parameters are called
 * `remat/dense/kernel` and so on. Not worth it for the last layers, whose activations are needed at once.
 * @throws E_ARGUMENT without layers, or for two of one name
 */
export const remat = /* @__PURE__ */ defineLayer(
  "remat",
  rematOptions,
  (layers: readonly Layer[]) => ({ layers }),
  ({ layers }: RematOptions) => {
    if (layers.length === 0) {
      throw new TilegradError("E_ARGUMENT", "remat: got no layers; expected a list of one or more.", {
        hint: "Give the layers of a segment: remat([dense(64), dense(64)]).",
      });
    }
    for (const [i, inner] of layers.entries()) checkLayer(`remat: layers[${i}]`, inner);
    const names = layerNames(layers);
    return (x, context) => {
      const segment = (start: Tensor): Tensor =>
        layers.reduce((y, inner, k) => {
          const outputs = applyLayer(inner, names[k], within(context, inner, [y], names[k]));
          return onlyOutput("remat", inner, outputs, ONE_OUTPUT);
        }, start);
      if (!context.training) return segment(x);
      let mask: Tensor | undefined;
      const y = recomputed((start) => {
        const end = segment(start);
        mask = maskOf(end);
        return end;
      })(x);
      return withMask(y, mask);
    };
  },
);
