/** Makes models and losses again from the JSON they were saved as. Applications that load nothing never import this. */
import { TilegradError } from "../errors.ts";
import type { Json } from "../io/json.ts";
import type { Maker, Schema } from "../options.ts";
import { functionalFromJson } from "./functional.ts";
import { optionsFrom } from "./json.ts";
import type { Layer } from "./layer.ts";
import * as attention from "./layers/attention.ts";
import * as augmentation from "./layers/augmentation.ts";
import * as convolution from "./layers/convolution.ts";
import { dense } from "./layers/dense.ts";
import * as embedding from "./layers/embedding.ts";
import * as image from "./layers/image.ts";
import * as merge from "./layers/merge.ts";
import * as noise from "./layers/noise.ts";
import * as normalization from "./layers/normalization.ts";
import * as pooling from "./layers/pooling.ts";
import * as recurrent from "./layers/recurrent.ts";
import * as seriesAugmentation from "./layers/seriesAugmentation.ts";
import { activation, dropout, flatten, reshape } from "./layers/shape.ts";
import { bidirectional, remat, timeDistributed } from "./layers/wrappers.ts";
import type { Loss } from "./losses.ts";
import { binaryCrossentropy, focal, hinge, meanSquaredError, softmaxCrossentropy, squaredHinge } from "./losses.ts";
import type { Model } from "./model.ts";
import { sequential } from "./model.ts";
import { multiLoss } from "./multiLoss.ts";

/** Makes a layer from its options. */
// biome-ignore lint/suspicious/noExplicitAny: each maker checks the options it gets
export type LayerMaker = (options: any) => Layer;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type LossMaker = (options: any) => Loss;

/** tilegrad's own layers and custom ones, which may be the layer inside another. */
export function layerMakers(custom: Readonly<Record<string, LayerMaker>> = {}): Readonly<Record<string, LayerMaker>> {
  return {
    dense,
    activation,
    dropout,
    flatten,
    reshape,
    ...convolution,
    ...image,
    ...noise,
    ...normalization,
    ...pooling,
    ...recurrent,
    ...embedding,
    ...attention,
    ...merge,
    ...augmentation,
    ...seriesAugmentation,
    bidirectional,
    timeDistributed,
    remat,
    ...custom,
  };
}

/** tilegrad's own losses and custom ones. */
export function lossMakers(custom: Readonly<Record<string, LossMaker>> = {}): Readonly<Record<string, LossMaker>> {
  return {
    binaryCrossentropy,
    focal,
    hinge,
    squaredHinge,
    meanSquaredError,
    softmaxCrossentropy,
    multiLoss,
    ...custom,
  };
}

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function make<T>(what: string, makers: Readonly<Record<string, (options: unknown) => T>>, value: unknown): T {
  if (!isObject(value) || typeof value.type !== "string" || !isObject(value.config ?? {})) {
    throw new TilegradError(
      "E_FILE",
      `${what}: got ${JSON.stringify(value)}; expected { "type": ..., "config": { ... } }.`,
    );
  }
  if (!Object.hasOwn(makers, value.type)) {
    throw new TilegradError(
      "E_FILE",
      `${what}: got type "${value.type}"; known are ${Object.keys(makers).join(", ")}.`,
      { hint: "Pass the makers of custom layers as `layers`, of custom losses as `losses`." },
    );
  }
  const { type, config } = value;
  const maker = makers[type];
  // A custom maker has none that it would tell of.
  const schema: Schema = "options" in maker ? (maker as Maker<T, object, [], object>).options() : {};
  return maker(optionsFrom(schema, Object(config ?? {}), (name, json) => make(`${type}: ${name}`, makers, json)));
}

/**
 * The model of an `architecture`.
 * @param custom makers of layers that are not tilegrad's own, by type
 * @throws E_FILE for what is no architecture, E_SHAPE and E_ARGUMENT as the layers do
 */
export function modelFromJson(architecture: unknown, custom: Readonly<Record<string, LayerMaker>> = {}): Model {
  const makers = layerMakers(custom);
  if (isObject(architecture) && architecture.type === "functional") {
    return functionalFromJson(architecture, (where, entry) => make(where, makers, entry));
  }
  const shaped = isObject(architecture) && architecture.type === "sequential" ? architecture : null;
  if (!shaped || !Array.isArray(shaped.layers) || !Array.isArray(shaped.input)) {
    throw new TilegradError(
      "E_FILE",
      'architecture: expected { "type": "sequential", "input": [...], "layers": [...] }.',
      { hint: 'Or { "type": "functional", "inputs": [...], "layers": [...], "outputs": [...] }.' },
    );
  }
  const layers = shaped.layers.map((l, i) => make(`architecture.layers[${i}]`, makers, l));
  return sequential({ input: shaped.input as number[] }, layers);
}

/** @param custom makers of losses that are not tilegrad's own, by type @throws E_FILE */
export const lossFromJson = (value: unknown, custom: Readonly<Record<string, LossMaker>> = {}): Loss =>
  make("loss", lossMakers(custom), value);
