import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, checkValue } from "../options.ts";
import { shuffle } from "../random.ts";
import type { Fold } from "./splits.ts";

/** The random stream; the step is the draw. */
const STREAM = 0x6709;
/** Draws at most, until every class is on both sides. */
const MOST_DRAWS = 100;

const groupSplitOptions = {
  /** Share of the rows. */
  test: is.required(is.properFraction),
  /** Any safe integer; default 0. */
  seed: is.number,
};

export interface GroupSplitOptions extends OptionsOf<typeof groupSplitOptions> {}

/**
 * Two parts with all rows of a group on the same side. Groups are taken in random order, each where it brings the rows of
 * the smaller part nearer to its share. Where a class ends on one side only, though it has groups for both, groups are
 * drawn again, 100 times at most.
 * @param groups the group of each row [n].
 * @param y labels [n], any numbers.
 * @throws E_ARGUMENT for a bad fraction or seed; E_DATA for fewer than two groups.
 */
export function groupSplit(groups: ArrayLike<number | string>, y: ArrayLike<number>, options: GroupSplitOptions): Fold {
  checkValue("groupSplit", "groups", groups, is.values);
  checkValue("groupSplit", "y", y, is.values);
  const { test, seed = 0 } = checkOptions("groupSplit", options, groupSplitOptions);
  const { groupOf, sizes } = numbered(groups);
  if (sizes.length < 2) {
    throw new TilegradError("E_DATA", `groups: got ${sizes.length}; expected at least 2, one for each part.`, {
      hint: "Bring rows of more groups, or do without this part.",
    });
  }
  const classes = groupsByClass(groupOf, y);
  const draws = classes.every((its) => its.length > 1) ? MOST_DRAWS : 1;
  // The smaller part is drawn: it reaches its share before it has all groups.
  const goal = Math.min(test, 1 - test) * groups.length;
  let drawn = new Set<number>();
  for (let draw = 0; draw < draws; draw++) {
    drawn = drawGroups(sizes, goal, shuffle(sizes.length, seed, STREAM, draw));
    const isDrawn = (group: number): boolean => drawn.has(group);
    if (classes.every((its) => its.some(isDrawn) && !its.every(isDrawn))) break;
  }
  const all = Uint32Array.from(groupOf, (_, row) => row);
  const smaller = all.filter((row) => drawn.has(groupOf[row]));
  const larger = all.filter((row) => !drawn.has(groupOf[row]));
  return test > 0.5 ? { train: smaller, test: larger } : { train: larger, test: smaller };
}

/** Groups as numbers, in order of first appearance, and the rows of each. */
function numbered(groups: ArrayLike<number | string>): { readonly groupOf: Uint32Array; readonly sizes: Uint32Array } {
  const numbers = new Map<number | string, number>();
  const groupOf = Uint32Array.from({ length: groups.length }, (_, row) => {
    const number = numbers.get(groups[row]) ?? numbers.size;
    numbers.set(groups[row], number);
    return number;
  });
  const sizes = new Uint32Array(numbers.size);
  for (const group of groupOf) sizes[group]++;
  return { groupOf, sizes };
}

/** For each class the groups that have it. */
function groupsByClass(groupOf: Uint32Array, y: ArrayLike<number>): number[][] {
  const classes = new Map<number, Set<number>>();
  groupOf.forEach((group, row) => {
    const its = classes.get(y[row]);
    if (its) its.add(group);
    else classes.set(y[row], new Set([group]));
  });
  return [...classes.values()].map((its) => [...its]);
}

/** Each group of the order that brings the rows nearer to the goal; a smallest one where none does. */
function drawGroups(sizes: Uint32Array, goal: number, order: Uint32Array): Set<number> {
  const drawn = new Set<number>();
  let rows = 0;
  for (const group of order) {
    if (sizes[group] >= 2 * (goal - rows)) continue;
    drawn.add(group);
    rows += sizes[group];
  }
  if (drawn.size === 0) drawn.add(order.reduce((least, group) => (sizes[group] < sizes[least] ? group : least)));
  return drawn;
}
