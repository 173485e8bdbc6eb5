import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { defineResampler, deviceOptions } from "./define.ts";
import { nearestNeighbors } from "./neighbors.ts";
import type { Classes } from "./types.ts";
import { keep } from "./types.ts";

export const cleaningOptions = () => ({
  ...deviceOptions(),
  /** Which rows may go: those of the other class ("majority", the default), or of both ("all"). */
  samplingStrategy: is.oneOf("majority", "all"),
});

export interface CleaningOptions extends OptionsOf<typeof cleaningOptions> {}

/**
 * Removes rows in Tomek links: two rows of different class, each the other's nearest (Tomek 1976). By default the one of
 * the more frequent class goes. @throws E_DATA, E_ARGUMENT, E_SHAPE
 */
export const tomekLinks = /* @__PURE__ */ defineResampler(
  "tomekLinks",
  cleaningOptions,
  async (classes, options: CleaningOptions) => {
    const { device } = options;
    const mayGo = removable(classes, options);
    const { indices: mate } = await nearestNeighbors(device, classes, classes, 1, { excludeSelf: true });
    const linked = (row: number) => mate[mate[row]] === row && classes.y[mate[row]] !== classes.y[row];
    return keep(
      classes,
      Uint32Array.from(classes.y.keys()).filter((row) => !(mayGo(row) && linked(row))),
    );
  },
);

export const removable = (
  { y, rare }: Classes,
  { samplingStrategy = "majority" }: CleaningOptions,
): ((row: number) => boolean) => (samplingStrategy === "all" ? () => true : (row) => y[row] !== rare);
