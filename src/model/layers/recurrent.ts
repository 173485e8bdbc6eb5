/** LSTM, GRU and simple RNN. */
import * as is from "../../kinds.ts";
import { gruCell } from "../../ops/recurrent/gru.ts";
import { lstmCell } from "../../ops/recurrent/lstm.ts";
import { simpleRnnCell } from "../../ops/recurrent/simpleRnn.ts";
import type { OptionsOf } from "../../options.ts";
import type { Initializer } from "../initializers.ts";
import type { LayerOptions } from "../layer.ts";
import { recurrentLayer, recurrentOptions } from "../recurrentLayer.ts";

export type { RecurrentLayerOptions } from "../recurrentLayer.ts";

const lstmOptions = () => ({
  ...recurrentOptions(),
  /** Start the forget gates' bias at 1 (Jozefowicz et al. 2015) unless `biasInitializer` is given; default true. */
  unitForgetBias: is.boolean,
});

export interface LstmOptions extends OptionsOf<typeof lstmOptions>, LayerOptions {}

/** 1 for the second of four gates, which forgets. */
const forgetBias = (units: number): Initializer => ({
  values: Array.from({ length: 4 * units }, (_, i) => (Math.floor(i / units) === 1 ? 1 : 0)),
});

/**
 * Long short-term memory, gates i, f, g, o: [batch, time, features] -> [batch, units], or [batch, time, units] with
 * `returnSequences`; with `returnState` also h and c, [batch, units]. Steps that a `masking` layer masked leave the state as it is.
 * In a functional model it may also be applied to the state before the first step: `apply(lstm(32), x, h0, c0)`, both
 * [batch, units]; default zeros.
 */
export const lstm = /* @__PURE__ */ recurrentLayer(
  lstmCell,
  lstmOptions,
  ({ units, unitForgetBias = true }: LstmOptions) => (unitForgetBias ? forgetBias(units) : "zeros"),
);

/** Gated recurrent unit, gates z, r, h, with Keras's `resetAfter`: shapes as `lstm`; its state is h alone. */
export const gru = /* @__PURE__ */ recurrentLayer(gruCell, recurrentOptions);

/** h' = tanh(x W + h U + b): shapes as `lstm`; its state is h alone. */
export const simpleRnn = /* @__PURE__ */ recurrentLayer(simpleRnnCell, recurrentOptions);
