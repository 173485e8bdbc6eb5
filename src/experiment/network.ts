/** The network that options describe: a preset, or a model of one's own. */
import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import type { ActivationName } from "../model/activations.ts";
import type { Initializer } from "../model/initializers.ts";
import type { Layer, Regularizer } from "../model/layer.ts";
import { conv2d } from "../model/layers/convolution.ts";
import { dense } from "../model/layers/dense.ts";
import { maxPooling2d } from "../model/layers/pooling.ts";
import { lstm } from "../model/layers/recurrent.ts";
import { dropout, flatten } from "../model/layers/shape.ts";
import type { Model } from "../model/model.ts";
import { sequential } from "../model/model.ts";
import { checkValue } from "../options.ts";
import { initialBias } from "./objective.ts";
import type { ModelMaker, NetworkOptions, Settings } from "./options.ts";
import { refuse } from "./variants.ts";

/** What all layers of a preset share. */
interface Style {
  readonly layers: readonly number[];
  readonly activation: ActivationName;
  readonly dropout: (units: number) => Layer[];
  readonly kernel: { readonly kernelRegularizer?: Regularizer };
  readonly kernelInitializer: Initializer;
}

interface Preset {
  readonly layers: readonly number[];
  /** What it needs, for the error when the inputs are otherwise; null when they fit. */
  readonly needs: (shape: readonly number[]) => string | null;
  readonly hidden: (shape: readonly number[], style: Style) => Layer[];
}

const PRESETS: Readonly<Record<"mlp" | "cnn" | "lstm", Preset>> = {
  mlp: {
    layers: [128, 64],
    needs: () => null,
    hidden: (shape, { layers, activation, kernelInitializer, kernel, dropout: after }) => [
      ...(shape.length > 1 ? [flatten()] : []),
      ...layers.flatMap((units) => [dense(units, { activation, kernelInitializer, ...kernel }), ...after(units)]),
    ],
  },
  cnn: {
    layers: [16, 32],
    needs: (shape) => (shape.length === 3 ? null : "images: give their size with `image: HxW`"),
    hidden: convolutional,
  },
  lstm: {
    layers: [32],
    needs: (shape) => (shape.length === 2 ? null : "sequences: give their length with `window: ROWS`"),
    hidden: (_, { layers, kernel, dropout: after }) =>
      layers.flatMap((units, i) => [
        lstm(units, { ...kernel, ...(i < layers.length - 1 ? { returnSequences: true } : {}) }),
        ...after(units),
      ]),
  },
};

const DENSE_UNITS = 64;

/** Convolutions 3x3, each followed by pooling while the image is large enough, then one dense layer. */
function convolutional([height, width]: readonly number[], style: Style): Layer[] {
  const { layers, activation, kernelInitializer, kernel, dropout: after } = style;
  let side = Math.min(height, width);
  const blocks = layers.flatMap((filters): Layer[] => {
    const convolution = conv2d(filters, 3, { padding: "same", activation, kernelInitializer, ...kernel });
    const shrinks = side >= 4;
    if (shrinks) side = Math.floor(side / 2);
    return shrinks ? [convolution, maxPooling2d(2)] : [convolution];
  });
  const top = dense(DENSE_UNITS, { activation, kernelInitializer, ...kernel });
  return [...blocks, flatten(), top, ...after(DENSE_UNITS)];
}

const AUTO_DROPOUT = 0.3;
const NARROW = 64;

const rateAfter = (units: number, rate: number | "auto"): number =>
  rate !== "auto" ? rate : units < NARROW ? 0 : AUTO_DROPOUT;

function dropoutAfter(units: number, rate: number | "auto"): Layer[] {
  const chosen = rateAfter(units, rate);
  return chosen > 0 ? [dropout(chosen)] : [];
}

type PresetName = keyof typeof PRESETS;

/** The preset for inputs of this shape, unless another model is asked for. */
const modelOf = ({ model }: NetworkOptions, shape: readonly number[]): PresetName | ModelMaker =>
  model ?? (shape.length === 3 ? "cnn" : shape.length === 2 ? "lstm" : "mlp");

/** The preset's name, or where the model is from. */
export function modelName(options: NetworkOptions, shape: readonly number[]): string {
  const model = modelOf(options, shape);
  return typeof model === "string" ? model : model.from;
}

/** The options of a preset for so many rows to learn from. */
function presetSettings(name: PresetName, options: NetworkOptions, rows: number) {
  const { layers = PRESETS[name].layers, activation = "relu", dropout: rate = "auto", l1 = 0, l2 = "auto" } = options;
  return { layers, activation, rate, l1, l2: l2 === "auto" ? 1 / rows : l2 } as const;
}

/** The same as one reads of it: `dropout` of each layer that it may follow. Nothing of a model from a file. */
export function networkSettings(options: NetworkOptions, shape: readonly number[], rows: number) {
  const name = modelOf(options, shape);
  if (typeof name !== "string") return {};
  const { rate, activation, ...settings } = presetSettings(name, options, rows);
  const dropped = name === "cnn" ? [DENSE_UNITS] : settings.layers;
  return {
    ...settings,
    ...(name === "lstm" ? {} : { activation }),
    dropout: dropped.map((units) => rateAfter(units, rate)),
  };
}

/**
 * [...shape] -> one logit.
 * @param y labels of the training rows, [rows], for the initial bias and the penalty of a preset
 * @throws E_ARGUMENT for a preset that cannot take such inputs, and what a maker throws
 */
export async function makeModel(
  { network: options, loss, resample }: Pick<Settings, "network" | "loss" | "resample">,
  shape: readonly number[],
  y: Float32Array,
): Promise<Model> {
  const name = modelOf(options, shape);
  if (typeof name !== "string") {
    const { layers, activation, dropout: rate, l1, l2 } = options;
    refuse({ layers, activation, dropout: rate, l1, l2 }, `a model from ${name.from}`);
    return name.make(shape);
  }
  checkValue("network", "model", name, is.oneOf(...Object.keys(PRESETS)));
  const preset = PRESETS[name];
  const needs = preset.needs(shape);
  if (needs !== null) {
    throw new TilegradError("E_ARGUMENT", `\`model: ${name}\`: got inputs of shape [${shape}]; expected ${needs}.`, {
      hint: "Without `model` the preset follows the inputs; mlp takes any.",
    });
  }
  if (name === "lstm") refuse({ activation: options.activation }, "the preset lstm");
  const { layers, activation, rate, l1, l2 } = presetSettings(name, options, y.length);
  const kernelRegularizer = { ...(l1 > 0 ? { l1 } : {}), ...(l2 > 0 ? { l2 } : {}) };
  const kernel = l1 > 0 || l2 > 0 ? { kernelRegularizer } : {};
  const kernelInitializer = activation === "relu" || activation === "leakyRelu" ? "heUniform" : "glorotUniform";
  const style = {
    layers,
    activation,
    kernel,
    kernelInitializer,
    dropout: (n: number) => dropoutAfter(n, rate),
  } as const;
  const biasInitializer = { constant: initialBias(loss, resample.balancedBatches, y) };
  return sequential({ input: shape }, [...preset.hidden(shape, style), dense(1, { biasInitializer, ...kernel })]);
}
