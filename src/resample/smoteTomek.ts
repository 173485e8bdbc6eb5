import { checked } from "./options.ts";
import type { SmoteOptions } from "./smote.ts";
import { smote } from "./smote.ts";
import { tomekLinks } from "./tomekLinks.ts";
import type { Labelled, Resampled } from "./types.ts";

/** `smote`, then both rows of every Tomek link are removed (Batista, Prati & Monard 2004). @throws as `smote` */
export async function smoteTomek(data: Labelled, options: SmoteOptions): Promise<Resampled> {
  const more = await smote(data, checked("smoteTomek", options));
  return traced(await tomekLinks(more, { device: options.device, samplingStrategy: "all" }), more.source);
}

/** What was made of rows that were themselves made of others, with the sources of those. */
export const traced = (cleaned: Resampled, source: Int32Array): Resampled => ({
  ...cleaned,
  source: cleaned.source.map((row) => source[row]),
});
