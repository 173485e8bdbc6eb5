/** The options of every layer by name and kind. */
import { TilegradError } from "../errors.ts";
import { checkObject, checkOptions, isObject, show } from "../options.ts";
import type { LayerOptions } from "./layer.ts";

const positiveInteger = { required: "positiveInteger" } as const;

const common = { name: "string", trainable: "boolean" } as const;
const loop = {
  units: positiveInteger,
  returnSequences: "boolean",
  goBackwards: "boolean",
  useBias: "boolean",
  kernelInitializer: "any",
  recurrentInitializer: "any",
  biasInitializer: "any",
  kernelRegularizer: "object",
  recurrentRegularizer: "object",
  biasRegularizer: "object",
} as const;

export const LAYER_OPTIONS = {
  lstm: { ...loop, unitForgetBias: "boolean" },
  gru: loop,
  simpleRnn: loop,
  bidirectional: { layer: { required: "object" }, mergeMode: ["concat", "sum", "mul", "ave"] },
  timeDistributed: { layer: { required: "object" } },
  remat: { layers: { required: "list" } },
  multiHeadAttention: {
    numHeads: positiveInteger,
    keyDim: positiveInteger,
    valueDim: "positiveInteger",
    useCausalMask: "boolean",
    dropout: "fraction",
    useBias: "boolean",
    kernelInitializer: "any",
    kernelRegularizer: "object",
  },
} as const;

/** @param type of any layer; custom ones have any options @throws E_ARGUMENT for an option that a layer of this type does not have, or of another kind */
export function checkLayerOptions(type: string, config: object): void {
  if (!Object.hasOwn(LAYER_OPTIONS, type)) return;
  checkOptions(type, config, { ...common, ...LAYER_OPTIONS[type as keyof typeof LAYER_OPTIONS] });
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
