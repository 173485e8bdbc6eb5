import { nearestNeighbors } from "./neighbors.ts";
import { checked } from "./options.ts";
import type { CleaningOptions } from "./tomekLinks.ts";
import { removable } from "./tomekLinks.ts";
import type { Labelled, Resampled } from "./types.ts";
import { checkNeighbors, classesOf, keep } from "./types.ts";

export interface EditedNearestNeighboursOptions extends CleaningOptions {
  /** Neighbours that are asked; default 3. */
  readonly nNeighbors?: number;
  /** A row stays when all of them are of its class ("all", the default), or most ("mode"; a tie is for 0). */
  readonly kindSel?: "all" | "mode";
}

/** Removes rows whose neighbours disagree with their label (Wilson 1972). @throws E_DATA, E_ARGUMENT, E_SHAPE */
export async function editedNearestNeighbours(
  data: Labelled,
  options: EditedNearestNeighboursOptions,
): Promise<Resampled> {
  const classes = classesOf("editedNearestNeighbours", data);
  const { device, nNeighbors: k = 3, kindSel = "all" } = checked("editedNearestNeighbours", options);
  checkNeighbors("editedNearestNeighbours", "nNeighbors", k, classes.rows, { what: "in all" });
  const mayGo = removable(classes, options);
  const { indices } = await nearestNeighbors(device, classes, classes, k, { excludeSelf: true });
  const { y } = classes;
  const agrees = (row: number): boolean => {
    let positive = 0;
    for (let i = row * k; i < (row + 1) * k; i++) positive += y[indices[i]];
    if (kindSel === "all") return positive === (y[row] === 1 ? k : 0);
    return (positive > k / 2 ? 1 : 0) === y[row];
  };
  return keep(
    classes,
    Uint32Array.from(y.keys()).filter((row) => !mayGo(row) || agrees(row)),
  );
}
