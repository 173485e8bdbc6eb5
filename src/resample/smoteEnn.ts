import { editedNearestNeighbours } from "./editedNearestNeighbours.ts";
import { checked } from "./options.ts";
import type { SmoteOptions } from "./smote.ts";
import { smote } from "./smote.ts";
import { traced } from "./smoteTomek.ts";
import type { Labelled, Resampled } from "./types.ts";

export interface SmoteEnnOptions extends SmoteOptions {
  /** Of the cleaning; default 3. */
  readonly nNeighbors?: number;
  /** Of the cleaning; default all. */
  readonly kindSel?: "all" | "mode";
}

/**
 * `smote`, then `editedNearestNeighbours` on both classes (Batista, Prati & Monard 2004). @throws as these two
 */
export async function smoteEnn(data: Labelled, options: SmoteEnnOptions): Promise<Resampled> {
  const { nNeighbors, kindSel, ...ofSmote } = checked("smoteEnn", options);
  const more = await smote(data, ofSmote);
  const cleaning = { device: ofSmote.device, nNeighbors, kindSel, samplingStrategy: "all" } as const;
  return traced(await editedNearestNeighbours(more, cleaning), more.source);
}
