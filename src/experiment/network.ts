/** The options that describe a network, and the network they make: a preset or a file. */
import type { Command } from "commander";
import { Option } from "commander";
import { number, numberOr, sizes } from "../cli/options/values.ts";
import { TilegradError } from "../errors.ts";
import { parseJson } from "../io/json.ts";
import type { ActivationName } from "../model/activations.ts";
import { activationNames } from "../model/activations.ts";
import type { Initializer } from "../model/initializers.ts";
import type { Layer, Regularizer } from "../model/layer.ts";
import { conv2d } from "../model/layers/convolution.ts";
import { dense } from "../model/layers/dense.ts";
import { maxPooling2d } from "../model/layers/pooling.ts";
import { lstm } from "../model/layers/recurrent.ts";
import { dropout, flatten } from "../model/layers/shape.ts";
import type { Model } from "../model/model.ts";
import { sequential } from "../model/model.ts";
import { modelFromJson } from "../model/registry.ts";
import { readBytes } from "../node/files.ts";
import type { LossChoice } from "./objective.ts";
import { initialBias, refuse } from "./objective.ts";

export interface NetworkOptions {
  /** A preset, or a JSON file; default by the shape of the inputs. */
  readonly model?: string;
  readonly layers?: readonly number[];
  readonly activation?: ActivationName;
  /** auto: 0.3, but none after layers so narrow that every unit counts. */
  readonly dropout?: number | "auto";
  readonly l1?: number;
  /** auto: 1 / rows, the same prior on the weights however large the table. */
  readonly l2?: number | "auto";
}

export function addNetworkOptions(command: Command): Command {
  return command
    .optionsGroup("Network:")
    .option(
      "--model <mlp|cnn|lstm|file.json>",
      "a preset, or a file with an architecture (default: mlp; cnn with --image, lstm with --window)",
    )
    .option(
      "--layers <sizes>",
      "hidden layers: units of mlp (default: 128,64) and lstm (32), filters of cnn (16,32); '' makes mlp logistic regression",
      sizes,
    )
    .addOption(
      new Option("--activation <name>", "of the hidden layers of mlp and cnn (default: relu)").choices(activationNames),
    )
    .option(
      "--dropout <rate>",
      "after each dense or LSTM layer; auto (default) is 0.3 after layers of at least 64 units",
      numberOr(["auto"], { min: 0, below: 1 }),
    )
    .option("--l1 <factor>", "penalty on |weights| (default: 0)", number({ min: 0 }))
    .option(
      "--l2 <factor>",
      "penalty on squared weights; auto (default) is 1 / training rows",
      numberOr(["auto"], { min: 0 }),
    );
}

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
    needs: (shape) => (shape.length === 3 ? null : "images: give their size with --image HxW"),
    hidden: convolutional,
  },
  lstm: {
    layers: [32],
    needs: (shape) => (shape.length === 2 ? null : "sequences: give their length with --window ROWS"),
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

export const isPreset = (name: string): name is keyof typeof PRESETS => Object.hasOwn(PRESETS, name);

/** The preset for inputs of this shape, unless another model is asked for. */
export const modelName = ({ model }: NetworkOptions, shape: readonly number[]): string =>
  model ?? (shape.length === 3 ? "cnn" : shape.length === 2 ? "lstm" : "mlp");

/** The options of a preset for so many rows to learn from. */
function presetSettings(name: keyof typeof PRESETS, options: NetworkOptions, rows: number) {
  const { layers = PRESETS[name].layers, activation = "relu", dropout: rate = "auto", l1 = 0, l2 = "auto" } = options;
  return { layers, activation, rate, l1, l2: l2 === "auto" ? 1 / rows : l2 } as const;
}

/** The same as one reads of it: `dropout` of each layer that it may follow. Nothing of a model from a file. */
export function networkSettings(options: NetworkOptions, shape: readonly number[], rows: number) {
  const name = modelName(options, shape);
  if (!isPreset(name)) return {};
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
 * @throws E_ARGUMENT for a preset that cannot take such inputs, E_FILE and E_SHAPE for a file as `modelFile`
 */
export async function makeModel(
  options: NetworkOptions & LossChoice,
  shape: readonly number[],
  y: Float32Array,
): Promise<Model> {
  const name = modelName(options, shape);
  if (!isPreset(name)) {
    const { layers, activation, dropout: rate, l1, l2 } = options;
    refuse({ layers, activation, dropout: rate, l1, l2 }, `a model from a file (${name})`);
    return modelFile(name, shape);
  }
  const preset = PRESETS[name];
  const needs = preset.needs(shape);
  if (needs !== null) {
    throw new TilegradError("E_ARGUMENT", `--model ${name}: got inputs of shape [${shape}]; expected ${needs}.`, {
      hint: "Without --model the preset follows the inputs; mlp takes any.",
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
  const biasInitializer = { constant: initialBias(options, y) };
  return sequential({ input: shape }, [...preset.hidden(shape, style), dense(1, { biasInitializer, ...kernel })]);
}

/** The model of a JSON file: an architecture, or the model.json of a saved model, of which it takes the architecture. */
async function modelFile(file: string, shape: readonly number[]): Promise<Model> {
  if (!file.endsWith(".json")) {
    const got = `--model: got ${JSON.stringify(file)}`;
    throw new TilegradError("E_ARGUMENT", `${got}; expected ${Object.keys(PRESETS).join(", ")} or a file.json.`, {
      hint: 'A file holds { "type": "sequential", "input": [...], "layers": [{ "type", "config" }, ...] }.',
    });
  }
  const json = parseJson(await readBytes(file), file);
  const saved = typeof json === "object" && json !== null && "architecture" in json;
  const model = named(file, () => modelFromJson(saved ? json.architecture : json));
  const [inputs, outputs] = [model.inputShape, model.outputShape];
  if (inputs.join() !== shape.join() || outputs.join() !== "1") {
    const got = `the model maps [${inputs.join(", ")}] to [${outputs.join(", ")}]`;
    throw new TilegradError("E_SHAPE", `${file}: ${got}; expected [${shape.join(", ")}] to [1].`, {
      hint: "Mend its input, or --image or --window; its last layer is to give one number, the logit.",
    });
  }
  return model;
}

/** What is wrong with a file says so; layers tell E_ARGUMENT and E_SHAPE, and trip over options of a wrong type. */
function named<T>(file: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof TilegradError) {
      throw new TilegradError("E_FILE", `${file}: ${cause.message}`, { hint: cause.hint, cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TilegradError("E_FILE", `${file}: got options that a layer cannot take (${reason}).`, {
      hint: "docs/layers.md has the options of every layer.",
      cause,
    });
  }
}
