import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { defineResampler } from "./define.ts";
import { nearestNeighbors } from "./neighbors.ts";
import { cleaningOptions, removable } from "./tomekLinks.ts";
import { checkNeighbors, keep } from "./types.ts";

const editedNearestNeighboursOptions = () => ({
  ...cleaningOptions(),
  /** Neighbours that are asked; default 3. */
  nNeighbors: is.positiveInteger,
  /** A row stays when all of them are of its class ("all", the default), or most ("mode"; a tie is for 0). */
  kindSel: is.oneOf("all", "mode"),
});

export interface EditedNearestNeighboursOptions extends OptionsOf<typeof editedNearestNeighboursOptions> {}

/** Removes rows whose neighbours disagree with their label (Wilson 1972). @throws E_DATA, E_ARGUMENT, E_SHAPE */
export const editedNearestNeighbours = /* @__PURE__ */ defineResampler(
  "editedNearestNeighbours",
  editedNearestNeighboursOptions,
  async (classes, options: EditedNearestNeighboursOptions) => {
    const { device, nNeighbors: k = 3, kindSel = "all" } = options;
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
  },
);
