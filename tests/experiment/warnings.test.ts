import { expect, it } from "vitest";
import { describeTable } from "../../src/data/describe.ts";
import { tableFromColumns } from "../../src/data/table.ts";
import { columnHints } from "../../src/experiment/warnings.ts";

const ROWS = 40;
const hints = (text: (row: number) => string, dropped: readonly string[] = []): string[] => {
  const table = tableFromColumns({ c: Array.from({ length: ROWS }, (_, row) => text(row)) });
  return columnHints(describeTable(table), dropped.length > 0 ? [] : ["c"], dropped);
};

it.each<[string, (row: number) => string, RegExp | null]>([
  ["a name for each row", (row) => `C-${1000 + row}`, /^c looks like an id .*`id: c` leaves it out/],
  ["names of which one comes twice", (row) => `C-${Math.max(1, row)}`, /^c looks like an id/],
  ["names that come twice", (row) => `C-${row >> 1}`, null],
  ["categories", (row) => ["basic", "pro"][row % 2], null],
  ["dates of Europe", (row) => `${1 + (row % 28)}/5/2024`, /^c holds dates such as .*\/5\/2024, .*YYYY-MM-DD/],
  ["dates with points and a time", (row) => `${1 + (row % 28)}.05.2024 12:30`, /^c holds dates/],
  ["dates of America, short", (row) => `5/${1 + (row % 28)}/24`, /^c holds dates/],
  ["versions", (row) => `1.${row % 3}.2`, null],
])("%s", (_, text, expected) => {
  const found = hints(text);
  expect(found).toHaveLength(expected ? 1 : 0);
  if (expected) expect(found[0]).toMatch(expected);
});

const numberHints = (column: string, value: (row: number) => number): string[] => {
  const table = tableFromColumns({ [column]: Array.from({ length: ROWS }, (_, row) => value(row)) });
  return columnHints(describeTable(table), [column]);
};

it("says once that an input looks like an identifier, and what to do where it repeats", () => {
  expect(numberHints("Id", (row) => 1_000_025 + Math.max(row, 3) * 17)).toEqual([
    "Id (37 different values in 40 rows) looks like an identifier: `id: Id` leaves it out of the inputs; " +
      "some of its values repeat, and `group: Id` keeps the rows of one on one side of every split.",
  ]);
  for (const name of ["customer_id", "policyNo", "Sample code number", "id", "orderKey"]) {
    expect(numberHints(name, (row) => row)).toEqual([expect.stringMatching(/looks like an identifier.*inputs\.$/)]);
  }
});

it.each<[string, (row: number) => number]>([
  ["number of rooms", (row) => row],
  ["paid", (row) => row],
  ["Id", (row) => row % 9],
  ["ID", (row) => row + 0.5],
  ["income", (row) => row * 1000],
])("says nothing of numbers such as %s", (name, value) => {
  expect(numberHints(name, value)).toEqual([]);
});

it("says of columns that are dropped only that they hold dates", () => {
  expect(hints((row) => `C-${row}`, ["c"])).toEqual([]);
  expect(hints((row) => `${1 + (row % 28)}/5/2024`, ["c"])).toHaveLength(1);
});
