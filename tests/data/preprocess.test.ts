import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCsv } from "../../src/data/csv.ts";
import { csvKinds, fitPreprocessor } from "../../src/data/preprocess.ts";
import { parsePreprocessor } from "../../src/data/preprocessorJson.ts";
import { type CellValue, tableFromColumns, tableFromRecords } from "../../src/data/table.ts";
import { chooseTarget, targetOf } from "../../src/data/target.ts";
import { transform, type Unseen } from "../../src/data/transform.ts";
import { TilegradError } from "../../src/errors.ts";

function failure(run: () => unknown): TilegradError {
  try {
    run();
  } catch (error) {
    if (error instanceof TilegradError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const all = (n: number) => [...Array(n).keys()];

const people = parseCsv(
  [
    "name,age,city,flag,empty,bought",
    "ann,30,Rome,1,,no",
    "bob,,Oslo,1,,no",
    "cyd,50,Rome,1,,yes",
    "dan,40,,1,,no",
    "eve,20,Oslo,1,,no",
    "fay,60,Rome,1,,yes",
  ].join("\n"),
  { name: "people.csv" },
).table;
const fitted = fitPreprocessor(people, all(6), { target: "bought", id: ["name"] });

describe("fitPreprocessor", () => {
  it("standardises numbers, imputes the median, marks missing cells and encodes levels by frequency", () => {
    expect(fitted.featureNames).toEqual(["age", "age=(missing)", "city=Rome", "city=Oslo"]);
    expect(fitted.features[0]).toEqual({
      name: "age",
      kind: "numeric",
      mean: 40,
      std: Math.sqrt(200),
      min: 20,
      max: 60,
      median: 40,
      missingIndicator: true,
    });
    expect(fitted.target).toEqual({ name: "bought", positive: "yes", negative: ["no"], oneVsRest: false });
    expect([...transform(fitted, people).x.slice(0, 16)]).toEqual([
      ...[Math.fround(-10 / Math.sqrt(200)), 0, 1, 0],
      ...[0, 1, 0, 1],
      ...[Math.fround(10 / Math.sqrt(200)), 0, 1, 0],
      ...[0, 0, 0, 0],
    ]);
  });

  it("says why it drops a column", () => {
    expect(fitted.dropped).toEqual([
      { name: "name", reason: "id" },
      { name: "flag", reason: "constant" },
      { name: "empty", reason: "all missing" },
    ]);
    const words = tableFromColumns({
      text: all(100).map((i) => `word ${i}`),
      code: all(100).map((i) => `c${Math.floor(i / 2)}`),
      x: all(100),
      y: all(100).map((i) => i % 2),
    });
    const capped = fitPreprocessor(words, all(100), { target: "y", exclude: ["x"], maxLevels: 10 });
    expect(capped.dropped).toEqual([
      { name: "text", reason: "too many levels" },
      { name: "x", reason: "excluded" },
    ]);
    expect(capped.features).toMatchObject([{ name: "code", kind: "categorical", other: true }]);
    expect(capped.featureNames.length).toBe(11);
    const { x } = transform(capped, words);
    for (const row of all(100)) expect(x.subarray(row * 11, row * 11 + 11).reduce((a, b) => a + b)).toBe(1);
  });

  it("scales to [0, 1] by minmax, and not at all by none", () => {
    const table = tableFromColumns({ x: [2, 4, 10], y: [0, 0, 1] });
    const scaled = (scaling: "minmax" | "none") => [
      ...transform(fitPreprocessor(table, all(3), { target: "y", scaling }), table).x,
    ];
    expect(scaled("minmax")).toEqual([0, 0.25, 1]);
    expect(scaled("none")).toEqual([2, 4, 10]);
  });

  it("fits nothing on rows outside the training rows", () => {
    const value = fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constant(null));
    const level = fc.constantFrom("a", "b", "c", "d", "zebra", null);
    const record = fc.record({ x: value, c: level, y: fc.constantFrom(0, 1) });
    const tables = fc.tuple(
      fc.array(record, { minLength: 4, maxLength: 12 }),
      fc.array(record, { minLength: 1, maxLength: 8 }),
    );
    const fixed = [
      { x: 1, c: "a", y: 0 },
      { x: 2, c: "b", y: 1 },
    ];
    fc.assert(
      fc.property(tables, fc.array(record, { minLength: 1, maxLength: 8 }), ([train, test], otherTest) => {
        const rows = all(train.length + 2);
        const fittedWith = (others: typeof test) =>
          fitPreprocessor(tableFromRecords([...fixed, ...train, ...others]), rows, { target: "y", maxLevels: 2 });
        expect(fittedWith(otherTest)).toEqual(fittedWith(test));
        expect(fittedWith(test)).toEqual(
          fitPreprocessor(tableFromRecords([...fixed, ...train]), rows, { target: "y", maxLevels: 2 }),
        );
      }),
    );
  });

  it("refuses what cannot be learnt from", () => {
    const constant = tableFromColumns({ x: [1, 1], y: [0, 1] });
    expect(failure(() => fitPreprocessor(constant, [0, 1], { target: "y" })).message).toContain("x (constant)");
    const huge = tableFromColumns({ x: [1e300, -1e300], y: [0, 1] });
    expect(failure(() => fitPreprocessor(huge, [0, 1], { target: "y" })).message).toContain('column "x"');
    expect(failure(() => fitPreprocessor(people, all(6), { target: "buys" })).message).toContain('no column "buys"');
    expect(failure(() => fitPreprocessor(people, all(6), { target: "bought", id: ["nam"] })).code).toBe("E_DATA");
    expect(failure(() => fitPreprocessor(people, [6], { target: "bought" })).code).toBe("E_ARGUMENT");
    expect(failure(() => fitPreprocessor(people, all(6), { target: "bought", maxLevels: 0 })).code).toBe("E_ARGUMENT");
  });
});

describe("transform", () => {
  it("needs neither the label nor an order of columns", () => {
    const shuffled = { ...people, columns: people.columns.filter((column) => column.name !== "bought").reverse() };
    expect(transform(fitted, shuffled).x).toEqual(transform(fitted, people).x);
  });

  it("gives the asked rows in the asked order", () => {
    const [rows, { x }] = [[4, 0, 4], transform(fitted, people)];
    const width = x.length / people.rows;
    const picked = rows.flatMap((row) => [...x.subarray(row * width, (row + 1) * width)]);
    expect([...transform(fitted, people, rows).x]).toEqual(picked);
  });

  it("reads unseen categories as none and counts them", () => {
    const { x, warnings } = transform(
      fitted,
      parseCsv("age,city\n40,Bonn\n40,Bern\n40,Bonn\n", { name: "new.csv" }).table,
    );
    expect([...x.slice(0, 4)]).toEqual([0, 0, 0, 0]);
    expect(warnings).toEqual([
      'new.csv: column "city": 3 cells have categories that training did not have ("Bonn", "Bern"); read as none.',
    ]);
  });

  it("names a missing column, and the line of a text in a numeric column", () => {
    expect(failure(() => transform(fitted, parseCsv("age\n1\n").table)).message).toContain('no column "city"');
    const text = "age,city\n1,Rome\n\nold,Rome\n";
    const message = failure(() => transform(fitted, parseCsv(text, { name: "new.csv" }).table)).message;
    expect(message).toContain('new.csv, line 4, column "age": got non-numeric cell "old"');
    const kinds = csvKinds(fitted);
    expect(kinds).toEqual({ numeric: ["age"], categorical: ["city"] });
    expect(failure(() => parseCsv(text, kinds)).message).toContain('line 4, column "age"');
  });

  it("keeps category codes as they are spelled when they look like numbers", () => {
    const train = parseCsv("code,y\n007,0\nX1,1\n007,0\n7,1\n").table;
    const codes = fitPreprocessor(train, all(4), { target: "y" });
    expect(codes.featureNames).toEqual(["code=007", "code=7", "code=X1"]);
    expect([...transform(codes, parseCsv("code\n007\n7\n", csvKinds(codes)).table).x]).toEqual([1, 0, 0, 0, 1, 0]);
  });

  it("tells of many columns in one line", () => {
    const names = "abcdefghi".split("");
    const table = (cell: string) =>
      tableFromColumns(Object.fromEntries([...names.map((name) => [name, ["x", "y", cell]]), ["t", [0, 1, 0]]]), {
        name: "new.csv",
      });
    const fitted = fitPreprocessor(table("y"), [0, 1], { target: "t" });
    expect(transform(fitted, table("z")).warnings).toEqual([
      'new.csv: 9 columns: 9 cells have categories that training did not have (a: "z"; b: "z"; c: "z"; d: "z"; e: "z"; ...); read as none.',
    ]);
  });

  it("takes the index of rows that pandas writes for no input", () => {
    const csv = parseCsv(",Unnamed: 0,x,y\n0,0,5,0\n1,1,6,1\n2,2,8,0\n").table;
    expect(fitPreprocessor(csv, [0, 1, 2], { target: "y" })).toMatchObject({
      featureNames: ["x"],
      dropped: [
        { name: "Unnamed: 0.1", reason: "index of rows" },
        { name: "Unnamed: 0", reason: "index of rows" },
      ],
    });
    const parquet = tableFromColumns({ x: [1, 2], __index_level_0__: [0, 1], y: [0, 1] });
    expect(fitPreprocessor(parquet, [0, 1], { target: "y" }).featureNames).toEqual(["x"]);
  });

  it("tells of numbers far outside those of training, and counts them over pieces", () => {
    const ages = fitPreprocessor(tableFromColumns({ age: [20, 30, 40], y: [0, 1, 0] }), all(3), { target: "y" });
    expect(transform(ages, tableFromColumns({ age: [-1980, 2040, null] })).warnings).toEqual([]);
    const unseen: Unseen = new Map();
    transform(ages, tableFromColumns({ age: [30, -1981] }, { name: "new.csv" }), undefined, unseen);
    const { warnings } = transform(ages, tableFromColumns({ age: [1e39] }, { name: "new.csv" }), undefined, unseen);
    expect(warnings).toEqual([
      'new.csv: column "age": 2 cells are far outside the values of training (-1981, 1e+39; training had 20 to 40).',
    ]);
  });

  it("refuses an input beyond float32", () => {
    const table = tableFromColumns({ x: [0, 1], y: [0, 1] });
    const unscaled = fitPreprocessor(table, [0, 1], { target: "y", scaling: "none" });
    expect(failure(() => transform(unscaled, tableFromColumns({ x: [1e39] }))).message).toContain("beyond float32");
  });
});

describe("the target", () => {
  const labels = (...y: CellValue[]) => tableFromColumns({ y });
  const choose = (y: CellValue[], positive?: string | number) => chooseTarget(labels(...y), { target: "y", positive });

  it("calls the rarer label positive, and of equally rare ones the later", () => {
    expect(choose(["b", "a", "b"]).positive).toBe("a");
    expect(choose(["b", "a"]).positive).toBe("b");
    expect(choose([10, 9]).positive).toBe("10");
    expect(choose([false, true, true]).positive).toBe("false");
  });

  it("compares labels that are numbers as numbers", () => {
    const target = choose(["1.0", "0", "1", "+0"], 1);
    expect(target).toEqual({ name: "y", positive: "1", negative: ["0"], oneVsRest: true });
    expect([...targetOf(target, labels(1, 0, 1))]).toEqual([1, 0, 1]);
    expect([...targetOf(target, labels("1.00", " 0", "word"))]).toEqual([1, 0, 0]);
  });

  it("calls all other labels negative once the positive one is named", () => {
    const digits = choose([0, 1, 2, 8, 8], "8");
    expect(digits.negative).toEqual(["0", "1", "2"]);
    expect([...targetOf(digits, labels(8, 9, 0))]).toEqual([1, 0, 0]);
  });

  it.each([
    ["one class", ["a", "a"], undefined, 'one class only ("a" in all rows)'],
    ["one class despite a positive label", ["a", "a"], "a", "one class only"],
    ["three labels", ["a", "b", "c"], undefined, 'got 3 labels: "a", "b", "c"'],
    ["an unknown positive label", ["a", "b"], "c", 'no row has the positive label "c"; the labels are "a", "b"'],
    ["a missing label", ["a", null, "b"], undefined, 'row 1, column "y": the label is missing'],
  ])("refuses %s", (_, y, positive, message) => {
    const error = failure(() => choose(y, positive));
    expect(error.code).toBe("E_DATA");
    expect(error.message).toContain(message);
  });

  it("names --positive when there are more labels than two, and the line of a label it does not know", () => {
    expect(failure(() => choose([1, 2, 3])).hint).toContain("--positive");
    const target = choose(["a", "b"]);
    const { table } = parseCsv("y\na\nc\n", { name: "t.csv" });
    expect(failure(() => targetOf(target, table)).message).toContain('t.csv, line 3, column "y": got the label "c"');
    const { table: holes } = parseCsv("x,y\n1,a\n2,\n", { name: "t.csv" });
    expect(failure(() => targetOf({ target }, holes)).message).toContain("t.csv, line 3");
  });
});

describe("parsePreprocessor", () => {
  it("gives back what was written as JSON", () => {
    const read = parsePreprocessor(JSON.parse(JSON.stringify(fitted)));
    expect(read).toEqual(fitted);
    expect(transform(read, people).x).toEqual(transform(fitted, people).x);
  });

  it("refuses a document with any field missing or of another type", () => {
    const paths: string[][] = [];
    const walk = (value: unknown, path: string[]) => {
      if (path.length > 0) paths.push(path);
      if (typeof value === "object" && value !== null)
        for (const [k, v] of Object.entries(value)) walk(v, [...path, k]);
    };
    walk(JSON.parse(JSON.stringify(fitted)), []);
    for (const path of paths) {
      for (const wrong of [undefined, null, { a: 1 }, -0.5, ""]) {
        const copy = JSON.parse(JSON.stringify(fitted));
        const parent = path.slice(0, -1).reduce((value, key) => value[key], copy);
        const last = path[path.length - 1];
        if (typeof parent[last] === "number" && typeof wrong === "number" && last !== "version" && last !== "std")
          continue;
        parent[last] = wrong;
        const error = failure(() => parsePreprocessor(copy, "model.json"));
        expect(error.code).toBe("E_FILE");
        expect(error.message).toContain("model.json");
      }
    }
    for (const json of [null, 1, "x", [], {}]) expect(failure(() => parsePreprocessor(json)).code).toBe("E_FILE");
  });
});

describe("tables of arrays and objects", () => {
  it("take numbers, texts, booleans, dates and holes", () => {
    const table = tableFromRecords([
      { a: 1, b: "x" },
      { b: true, c: new Date(5) },
      { a: null, c: Number.NaN },
    ]);
    expect(table.columns).toEqual([
      { name: "a", kind: "numeric", values: Float64Array.of(1, Number.NaN, Number.NaN) },
      { name: "b", kind: "categorical", codes: Int32Array.of(0, 1, -1), levels: ["x", "true"] },
      { name: "c", kind: "numeric", values: Float64Array.of(Number.NaN, 5 / 86_400_000, Number.NaN), date: true },
    ]);
    expect(tableFromColumns({ a: Float32Array.of(1, 2) }).columns[0]).toMatchObject({ values: Float64Array.of(1, 2) });
  });

  it("take names that every object inherits for columns like others", () => {
    const table = tableFromRecords([{ constructor: 1 }, { toString: 2 }] as Record<string, CellValue>[]);
    expect(table.columns).toEqual([
      { name: "constructor", kind: "numeric", values: Float64Array.of(1, Number.NaN) },
      { name: "toString", kind: "numeric", values: Float64Array.of(Number.NaN, 2) },
    ]);
  });

  it("refuse unequal lengths, infinities, objects and nothing", () => {
    expect(failure(() => tableFromColumns({ a: [1], b: [1, 2] })).message).toContain('column "b" has 2 rows');
    expect(failure(() => tableFromColumns({ a: [1, Infinity] })).message).toContain('row 1, column "a": got Infinity');
    expect(failure(() => tableFromColumns({ a: [{} as CellValue] })).code).toBe("E_DATA");
    expect(failure(() => tableFromColumns({})).code).toBe("E_DATA");
  });
});
