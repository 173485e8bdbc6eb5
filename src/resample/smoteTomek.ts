import { defineResampler } from "./define.ts";
import type { SmoteOptions } from "./smote.ts";
import { smote, smoteOptions } from "./smote.ts";
import { tomekLinks } from "./tomekLinks.ts";
import type { Resampled } from "./types.ts";

/** `smote`, then both rows of every Tomek link are removed (Batista, Prati & Monard 2004). @throws as `smote` */
export const smoteTomek = /* @__PURE__ */ defineResampler(
  "smoteTomek",
  smoteOptions,
  async (_, options: SmoteOptions, data) => {
    const more = await smote(data, options);
    return traced(await tomekLinks(more, { device: options.device, samplingStrategy: "all" }), more.source);
  },
);

/** What was made of rows that were themselves made of others, with the sources of those. */
export const traced = (cleaned: Resampled, source: Int32Array): Resampled => ({
  ...cleaned,
  source: cleaned.source.map((row) => source[row]),
});
