import { nearestNeighbors } from "./neighbors.ts";
import { checked } from "./options.ts";
import type { Classes, DeviceOptions, Labelled, Resampled } from "./types.ts";
import { classesOf, keep } from "./types.ts";

export interface CleaningOptions extends DeviceOptions {
  /** Which rows may go: those of the other class ("majority", the default), or of both ("all"). */
  readonly samplingStrategy?: "majority" | "all";
}

/**
 * Removes rows in Tomek links: two rows of different class, each the other's nearest (Tomek 1976). By default the one of
 * the more frequent class goes. @throws E_DATA, E_ARGUMENT, E_SHAPE
 */
export async function tomekLinks(data: Labelled, options: CleaningOptions): Promise<Resampled> {
  const classes = classesOf("tomekLinks", data);
  const { device } = checked("tomekLinks", options);
  const mayGo = removable(classes, options);
  const { indices: mate } = await nearestNeighbors(device, classes, classes, 1, { excludeSelf: true });
  const linked = (row: number) => mate[mate[row]] === row && classes.y[mate[row]] !== classes.y[row];
  return keep(
    classes,
    Uint32Array.from(classes.y.keys()).filter((row) => !(mayGo(row) && linked(row))),
  );
}

export const removable = (
  { y, rare }: Classes,
  { samplingStrategy = "majority" }: CleaningOptions,
): ((row: number) => boolean) => (samplingStrategy === "all" ? () => true : (row) => y[row] !== rare);
