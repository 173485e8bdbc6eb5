import { expect, it } from "vitest";
import { duration } from "../../src/cli/terminal/terminal.ts";

it("shows durations that a clock could show", () => {
  const shown = [999.4, 999.6, 99_940, 99_960, 419_600, 3_599_400, 3_599_600, 3_629_400, 3_630_600, 7_199_999];
  expect(shown.map(duration)).toEqual([
    "999 ms",
    "1.0 s",
    "99.9 s",
    "1 min 40 s",
    "7 min 0 s",
    "59 min 59 s",
    "1 h 0 min",
    "1 h 0 min",
    "1 h 1 min",
    "2 h 0 min",
  ]);
});
