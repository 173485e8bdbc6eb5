import { expect, it } from "vitest";
import { parseCsv } from "../../src/data/csv.ts";
import { dateText, daysOf } from "../../src/data/date.ts";
import { describeTable } from "../../src/data/describe.ts";
import { fitPreprocessor } from "../../src/data/preprocess.ts";
import { parsePreprocessor } from "../../src/data/preprocessorJson.ts";
import { tableFromColumns } from "../../src/data/table.ts";
import { transform } from "../../src/data/transform.ts";

it.each([
  ["1970-01-01", 0],
  ["2024-03-01", 19_783],
  ["1969-12-31", -1],
  ["1970-01-02T12:00", 1.5],
  ["1970-01-02 06:00:00", 1.25],
  ["1970-01-02T00:00:00.000Z", 1],
  ["1970-01-02T01:00:00+01:00", 1],
  ["1970-01-01T18:00:00-06", 1],
])("%s is day %f", (text, days) => {
  expect(daysOf(text)).toBe(days);
  expect(daysOf(dateText(days))).toBe(days);
});

it.each(["", "2024", "2024-13-01", "2024-02-30", "01/02/2024", "2024-01-01T25:00", "20240101"])(
  "%j is no date",
  (text) => {
    expect(daysOf(text)).toBeNaN();
  },
);

const TEXT = "since,n,y\n2024-01-01,1,0\n2024-01-03,2,1\n,3,0\n2024-01-05,5,1\n";

it("dates in a CSV are numbers, described as dates, and saved as such", () => {
  const { table } = parseCsv(TEXT, { categorical: ["y"] });
  expect(table.columns[0]).toMatchObject({ kind: "numeric", date: true });
  expect(describeTable(table).columns[0]).toMatchObject({
    kind: "date",
    missing: 1,
    range: { min: 19_723, max: 19_727 },
  });
  const fitted = fitPreprocessor(table, [0, 1, 2, 3], { target: "y" });
  expect(fitted.features[0]).toMatchObject({ name: "since", kind: "numeric", date: true, median: 19_725 });
  const again = parsePreprocessor(JSON.parse(JSON.stringify(fitted)), "preprocessing");
  expect(again).toEqual(fitted);
  const { x } = transform(again, table);
  expect(x[0]).toBeCloseTo(-Math.sqrt(1.5), 6);
  const days = tableFromColumns({ since: ["2024-01-01", "2024-01-03"].map((text) => new Date(text)) });
  expect(days.columns[0]).toMatchObject({ kind: "numeric", date: true, values: Float64Array.of(19_723, 19_725) });
});

it("names the cell that is no date, and numbers in place of dates", () => {
  const fitted = fitPreprocessor(parseCsv(TEXT, { categorical: ["y"] }).table, [0, 1, 2, 3], { target: "y" });
  const odd = parseCsv("since,n\n2024-01-01,1\nsoon,2\n", { name: "new.csv" }).table;
  expect(() => transform(fitted, odd)).toThrow(/new.csv, line 3, column "since": got "soon" in a column of dates/);
  const numbers = parseCsv("since,n\n19723,1\n", { name: "new.csv" }).table;
  expect(() => transform(fitted, numbers)).toThrow(/line 2, column "since": got a number; expected a date/);
});

it("a column declared categorical stays so, and so does one of dates and other texts", () => {
  expect(parseCsv(TEXT, { categorical: ["since", "y"] }).table.columns[0].kind).toBe("categorical");
  expect(parseCsv("a\n2024-01-01\nnever\n").table.columns[0].kind).toBe("categorical");
});
