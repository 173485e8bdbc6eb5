import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { defineResampler } from "./define.ts";
import { editedNearestNeighbours } from "./editedNearestNeighbours.ts";
import { smote, smoteOptions } from "./smote.ts";
import { traced } from "./smoteTomek.ts";

const smoteEnnOptions = () => ({
  ...smoteOptions(),
  /** Of the cleaning; default 3. */
  nNeighbors: is.positiveInteger,
  /** Of the cleaning; default all. */
  kindSel: is.oneOf("all", "mode"),
});

export interface SmoteEnnOptions extends OptionsOf<typeof smoteEnnOptions> {}

/**
 * `smote`, then `editedNearestNeighbours` on both classes (Batista, Prati & Monard 2004). @throws as these two
 */
export const smoteEnn = /* @__PURE__ */ defineResampler(
  "smoteEnn",
  smoteEnnOptions,
  async (_, options: SmoteEnnOptions, data) => {
    const { nNeighbors, kindSel, ...ofSmote } = options;
    const more = await smote(data, ofSmote);
    const cleaning = { device: ofSmote.device, nNeighbors, kindSel, samplingStrategy: "all" } as const;
    return traced(await editedNearestNeighbours(more, cleaning), more.source);
  },
);
