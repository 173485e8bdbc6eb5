/**
 * Files that DuckDB 1.5.6 wrote (fixtures/): 60 rows of each of its types, in both versions of the format and four codecs.
 * Row i holds age = i, big = 2^53 + 1 + i, u32 = 2^32 - 1 - i, dec = i / 4 rounded to cents, d = 2024-01-01 + i days ...
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, describe, expect, it } from "vitest";
import { cellText, columnOf } from "../../src/data/table.ts";
import { readParquet, readParquetBlocks } from "../../src/node/parquet.ts";

const fixture = (name: string): string => path.join(import.meta.dirname, "fixtures", `duckdb-${name}.parquet`);
const folder = mkdtempSync(path.join(tmpdir(), "tilegrad-parquet-"));
afterAll(() => rmSync(folder, { recursive: true }));

const CODECS = ["V2-zstd", "V1-gzip", "V2-brotli", "V1-lz4_raw"];
const NESTED = ["gap", "list", "st", "js"];
const UNSAFE = ["big", "ubig"];

describe.each(CODECS)("a file of DuckDB, %s", (name) => {
  const wrapped = name.startsWith("V2") ? ["u32"] : [];
  const options = { categorical: UNSAFE, skip: [...NESTED, ...wrapped] };

  it("has the values that were written", async () => {
    const table = await readParquet(fixture(name), options);
    expect(table.rows).toBe(60);
    const text = (column: string, row: number) => cellText(columnOf(table, column), row);
    expect(["age", "u8", "u16", "huge", "dec", "f4"].map((column) => text(column, 7))).toEqual([
      "7",
      "7",
      "700",
      "7",
      "1.75",
      "7",
    ]);
    expect(["plan", "flag", "en", "tm"].map((column) => text(column, 7))).toEqual(["pro", "false", "b", "36000000000"]);
    expect(text("plan", 5)).toBe("");
    expect(columnOf(table, "d")).toMatchObject({ date: true });
    expect(text("d", 1)).toBe("19724");
    expect(["constructor", "toString", "__proto__"].map((column) => text(column, 9))).toEqual(["9", "9", "9"]);
    if (wrapped.length === 0) expect(text("u32", 0)).toBe("4294967295");
  });

  it("keeps integers beyond 2^53 apart as texts, and refuses them as numbers", async () => {
    const table = await readParquet(fixture(name), options);
    expect(columnOf(table, "big")).toMatchObject({ kind: "categorical" });
    expect([0, 1, 59].map((row) => cellText(columnOf(table, "big"), row))).toEqual([
      "9007199254740993",
      "9007199254740994",
      "9007199254741052",
    ]);
    expect(cellText(columnOf(table, "ubig"), 0)).toBe("18446744073709551615");
    await expect(readParquet(fixture(name), { ...options, categorical: ["ubig"] })).rejects.toMatchObject({
      code: "E_DATA",
      message: expect.stringContaining('column "big": got 9007199254740993; expected an integer within 2^53'),
    });
  });

  it.each([...NESTED, ...wrapped])("names the column %s, which has no place in a table", async (column) => {
    const others = [...NESTED, ...wrapped].filter((name) => name !== column);
    await expect(readParquet(fixture(name), { categorical: UNSAFE, skip: others })).rejects.toMatchObject({
      code: "E_DATA",
      message: expect.stringContaining(`column "${column}": got`),
      hint: expect.stringContaining(`--exclude ${column}`),
    });
    const table = await readParquet(fixture(name), { categorical: UNSAFE, skip: others, unused: [column] });
    expect(columnOf(table, column)).toMatchObject({ left: "unused" });
  });
});

it("gives the same rows in blocks", async () => {
  const options = { categorical: UNSAFE, skip: [...NESTED, "u32"] };
  const whole = await readParquet(fixture("V2-zstd"), options);
  let rows = 0;
  for await (const block of readParquetBlocks(fixture("V2-zstd"), options)) {
    expect(cellText(columnOf(block, "age"), 0)).toBe(cellText(columnOf(whole, "age"), rows));
    rows += block.rows;
  }
  expect(rows).toBe(60);
});

it("takes the index of a pandas table for no column", async () => {
  const file = path.join(folder, "pandas.parquet");
  const data = [1, 2, 3];
  const names = ["x", "__index_level_0__"];
  const columnData = names.map((name) => ({ name, data, type: "INT32" as const }));
  writeFileSync(file, new Uint8Array(parquetWriteBuffer({ columnData })));
  expect((await readParquet(file, {})).columns.map(({ name }) => name)).toEqual(["x"]);
});

it("is refused before anything is decoded when its footer claims what the file does not have", async () => {
  const file = path.join(folder, "cut.parquet");
  const bytes = readFileSync(fixture("V1-gzip"));
  const footer = bytes.readUInt32LE(bytes.length - 8) + 8;
  writeFileSync(file, Buffer.concat([bytes.subarray(0, 50), bytes.subarray(bytes.length - footer)]));
  await expect(readParquet(file, { skip: NESTED })).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/cut\.parquet: .*column "\w+" lies in bytes \d+ to \d+ of a file of \d+$/),
  });
});

it("cannot read a damaged file, and says so", async () => {
  const file = path.join(folder, "damaged.parquet");
  const bytes = readFileSync(fixture("V1-gzip"));
  writeFileSync(file, bytes.fill(0, 100, 400));
  await expect(readParquet(file, { categorical: UNSAFE, skip: NESTED })).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringContaining("damaged.parquet: cannot read it as Parquet"),
  });
});
