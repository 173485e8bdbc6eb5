import path from "node:path";
import { parquetWriteFile } from "hyparquet-writer";
import { beforeAll, expect, it } from "vitest";
import { readParquet } from "../../src/node/parquet.ts";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
const ROWS = 900;

/** The customers as columns, typed; some plans are missing, the label is a boolean. */
function columns() {
  const cells = customers(ROWS)
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  const column = (i: number) => cells.map((row) => row[i]);
  return [
    { name: "customer_id", data: column(0), type: "STRING" as const },
    { name: "age", data: column(1).map(Number), type: "INT32" as const },
    {
      name: "plan",
      data: column(2).map((plan) => (plan === "max" ? null : plan)),
      type: "STRING" as const,
      nullable: true,
    },
    { name: "usage", data: column(3).map(Number), type: "DOUBLE" as const },
    { name: "churned", data: column(4).map((label) => label === "yes"), type: "BOOLEAN" as const },
    { name: "visits", data: column(1).map((age) => BigInt(age)), type: "INT64" as const },
  ];
}

beforeAll(() => {
  const given = columns();
  parquetWriteFile({ filename: path.join(cli.folder, "customers.parquet"), columnData: given, rowGroupSize: 250 });
  const text = (row: number) => given.map(({ data }) => String(data[row] ?? "")).join(",");
  const lines = Array.from({ length: ROWS }, (_, row) => text(row));
  cli.write("customers.csv", `${given.map(({ name }) => name).join(",")}\n${lines.join("\n")}\n`);
});

it("trains, evaluates, predicts and describes as from the same rows in CSV, streamed or not", async () => {
  const train = (file: string, out: string, ...more: string[]) =>
    cli.run("train", file, ...CHURN, ...QUICK, "--json", "--quiet", "--out", out, ...more);
  const csv = jsonOf(await train("customers.csv", "csv"));
  const whole = await train("customers.parquet", "whole");
  expect(whole.code, whole.stderr).toBe(0);
  const { metrics, inputs, positive } = jsonOf(whole);
  expect({ metrics, inputs, positive }).toEqual({ metrics: csv.metrics, inputs: csv.inputs, positive: csv.positive });
  expect(jsonOf(await train("customers.parquet", "streamed", "--stream")).metrics).toEqual(csv.metrics);
  const evaluated = async (file: string) => jsonOf(await cli.run("evaluate", "csv", file, "--device", "cpu", "--json"));
  expect((await evaluated("customers.parquet")).metrics).toEqual((await evaluated("customers.csv")).metrics);
  const predicted = async (file: string) => (await cli.run("predict", "csv", file, "--device", "cpu")).stdout;
  expect(await predicted("customers.parquet")).toBe(await predicted("customers.csv"));
  const described = async (file: string) => jsonOf(await cli.run("describe", file, "--target", "churned", "--json"));
  expect(await described("customers.parquet")).toEqual(await described("customers.csv"));
});

it("leaves out columns that have no place in a table where they are excluded, streamed or not", async () => {
  const file = path.join(import.meta.dirname, "../node/fixtures/duckdb-V2-zstd.parquet");
  const excluded = ["gap", "list", "st", "js", "u32"].flatMap((name) => ["--exclude", name]);
  const train = (...more: string[]) =>
    cli.run("train", file, "--target", "flag", ...QUICK, "--json", "--quiet", "--out", "duck", ...more);
  expect(await train("--id", "big", "--id", "ubig")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/column "u32": got unsigned integers .*\n.*--exclude u32/),
  });
  const whole = await train(...excluded, "--id", "big", "--id", "ubig");
  expect(whole.code, whole.stderr).toBe(0);
  const streamed = await train(...excluded, "--id", "big", "--id", "ubig", "--stream");
  expect(streamed.code, streamed.stderr).toBe(0);
  expect(jsonOf(streamed).metrics).toEqual(jsonOf(whole).metrics);
});

it("has typed errors", async () => {
  cli.write("broken.parquet", "PAR1 and then something else");
  expect((await cli.run("describe", "broken.parquet")).stderr).toMatch(/broken.parquet: cannot read it as Parquet/);
  expect((await cli.run("describe", "none.parquet")).stderr).toMatch(
    /none.parquet: cannot read it, there is no such file/,
  );
  const file = path.join(cli.folder, "customers.parquet");
  await expect(readParquet(file, { categorical: ["churnd"] })).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringContaining('there is no column "churnd"'),
  });
  await expect(readParquet(file, { numeric: ["plan"] })).rejects.toMatchObject({
    message: 'customers.parquet, column "plan": got texts; expected numbers.',
  });
});
