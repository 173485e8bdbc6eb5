import { TilegradError } from "../../errors.ts";
import { showType } from "../../graph/apply.ts";
import * as is from "../../kinds.ts";
import { linear } from "../../ops/matmul/linear.ts";
import { matmul } from "../../ops/matmul/matmul.ts";
import type { OptionsOf } from "../../options.ts";
import { activated, biasOf, kernelOf, kernelOptions } from "../kernel.ts";
import type { LayerOptions } from "../layer.ts";
import { defineLayer } from "../layer.ts";

const options = () => ({
  /** Numbers of the output. */
  units: is.required(is.positiveInteger),
  ...kernelOptions(),
});

export interface DenseOptions extends OptionsOf<typeof options>, LayerOptions {}

/** x [batch, ..., inputs] -> activation(x · kernel [inputs, units] + bias [units]), [batch, ..., units]. */
export const dense = /* @__PURE__ */ defineLayer(
  "dense",
  options,
  (units: number) => ({ units }),
  (given: DenseOptions) => (x, context) => {
    if (x.shape.length < 2) {
      throw new TilegradError("E_SHAPE", `dense: got ${showType(x)}; expected [batch, ..., features].`);
    }
    const kernel = kernelOf(context, [x.shape[x.shape.length - 1], given.units], given);
    const bias = biasOf(context, given.units, given);
    return activated(bias ? linear(x, kernel, bias) : matmul(x, kernel), given);
  },
);
