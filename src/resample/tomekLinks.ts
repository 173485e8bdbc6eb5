import { TilegradError } from "../errors.ts";
import { nearest } from "./neighbors.ts";
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
  const classes = classesOf("tomekLinks", data, options);
  const mayGo = removable("tomekLinks", classes, options);
  const { indices: mate } = await nearest(options.device, classes, classes, 1, { excludeSelf: true });
  const linked = (row: number) => mate[mate[row]] === row && classes.y[mate[row]] !== classes.y[row];
  return keep(
    classes,
    Uint32Array.from(classes.y.keys()).filter((row) => !(mayGo(row) && linked(row))),
  );
}

/** @throws E_ARGUMENT */
export function removable(
  method: string,
  { y, rare }: Classes,
  { samplingStrategy = "majority" }: CleaningOptions,
): (row: number) => boolean {
  switch (samplingStrategy) {
    case "majority":
      return (row) => y[row] !== rare;
    case "all":
      return () => true;
    default:
      throw new TilegradError(
        "E_ARGUMENT",
        `${method}: got samplingStrategy "${samplingStrategy satisfies never}"; expected majority or all.`,
      );
  }
}
