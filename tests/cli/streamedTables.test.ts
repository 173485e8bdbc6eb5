import fs from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { Scratch } from "../../src/node/scratch.ts";
import { draws } from "../../src/random.ts";
import { CHURN, customers, jsonOf, useCli } from "./support.ts";

const cli = useCli();
const temporary = () => path.join(cli.folder, "tmp");
beforeAll(() => {
  fs.mkdirSync(temporary());
  vi.stubEnv("TMPDIR", temporary());
});
afterAll(() => void vi.unstubAllEnvs());
afterEach(() => expect(fs.readdirSync(temporary())).toEqual([]));

const SMALL = ["--layers", "4", "--epochs", "2", "--device", "cpu", "--batch", "1024", "--no-baseline"];

/** Rows that are read in several blocks; `cells` of each. */
function longCsv(header: string, rows: number, cells: (row: number, share: number) => readonly (string | number)[]) {
  const draw = draws(7, 0);
  const lines = Array.from({ length: rows }, (_, row) => [...cells(row, row / rows), draw.integer(row, 2)].join(","));
  return `${header},y\n${lines.join("\n")}\n`;
}

it("describes a streamed table as one in memory: no columns that were not kept, no invented duplicates", async () => {
  cli.write("customers.csv", `${customers(2000)}${customers(2000).split("\n")[7]}\n`);
  const args = ["train", "customers.csv", ...CHURN, ...SMALL, "--json"];
  const memory = await cli.run(...args, "--out", "m", "--report", "m.json");
  const stream = await cli.run(...args, "--out", "s", "--report", "s.json", "--stream");
  expect(stream.code, stream.stderr).toBe(0);
  const { columns, ...rest } = JSON.parse(cli.read("m.json")).data;
  expect(columns.map(({ name }: { name: string }) => name)).toEqual(["customer_id", "age", "plan", "usage", "churned"]);
  expect(rest).toEqual({ rows: 2001, duplicates: 1, leakSuspects: [] });
  expect(JSON.parse(cli.read("s.json")).data).toEqual({ ...rest, columns: columns.slice(1), duplicates: null });
  expect(memory.stderr).toContain("1 row equal an earlier one");
  expect(stream.stderr).not.toContain("equal an earlier one");
  expect(jsonOf(stream).warnings).toEqual([]);
});

it("learns the same, streamed, from columns whose values begin late, pause or end early", async () => {
  const draw = draws(8, 0);
  const day = (row: number) => new Date(Date.UTC(2020, 0, 1 + draw.integer(row, 900))).toISOString().slice(0, 10);
  const missing = [
    (share: number) => share < 0.3,
    (share: number) => share > 0.2 && share < 0.8,
    (share: number) => share > 0.5,
  ];
  const header = "d0,d1,d2,t0,t1,t2,n0,n1,n2,none,wide";
  const text = longCsv(header, 70_000, (row, share) => {
    const cells = [day(row), `t${row % 3}`, row % 10].flatMap((cell) => missing.map((is) => (is(share) ? "" : cell)));
    return [...cells, "", "so that there are four blocks"];
  });
  cli.write("gaps.csv", text);
  const args = ["train", "gaps.csv", "--target", "y", ...SMALL, "--batch", "4096"];
  await cli.run(...args, "--out", "gm");
  const stream = await cli.run(...args, "--out", "gs", "--stream");
  expect(stream.code, stream.stderr).toBe(0);
  expect(stream.stderr).not.toContain("reading the file again");
  expect(cli.files("gs")).toEqual(cli.files("gm"));
  expect(cli.read("gs/model.json")).not.toMatch(/2020-\d\d/); // the dates are numbers
}, 60_000);

it("refuses the same mistakes as in memory, however late they come", async () => {
  cli.write(
    "late.csv",
    longCsv("n,wide", 60_000, (row) => [row === 21_000 ? "oops" : row, "of more than one block"]),
  );
  const args = ["train", "late.csv", "--target", "y", ...SMALL, "--out", "late"];
  const memory = await cli.run(...args);
  const stream = await cli.run(...args, "--stream");
  expect(memory.code).toBe(2);
  expect(memory.stderr).toContain('late.csv, line 21002, column "n": non-numeric cell "oops"');
  expect(stream).toMatchObject({ code: 2, stderr: expect.stringContaining(memory.stderr) });
});

it("leaves no temporary files wherever a signal ends it", async () => {
  cli.write("stopped.csv", customers(3000));
  const train = ["train", "stopped.csv", ...CHURN, ...SMALL, "--stream", "--report", "stopped.json", "--out"];
  expect((await cli.run(...train, "stopped")).code).toBe(0);
  const evaluate = ["evaluate", "stopped", "stopped.csv", "--stream", "--device", "cpu", "--report", "stopped.json"];
  const moments = [
    [/reading stopped.csv/, "SIGINT", train],
    [/training rows/, "SIGKILL", train],
    [/Device/, "SIGHUP", train],
    [/epoch 1/, "SIGTERM", train],
    [/epoch 2/, "SIGHUP", train],
    [/labelled rows/, "SIGINT", evaluate],
    [/labelled rows/, "SIGKILL", evaluate],
    [/labelled rows: 3,000/, "SIGTERM", evaluate],
  ] as const;
  let stopped = 0;
  for (const [when, signal, args] of moments) {
    const { code } = await cli.interrupt(when, signal, ...args, ...(args === train ? ["cut"] : []));
    if (code !== 0) stopped++; // a quick machine may be done before the last signals come
    expect(fs.readdirSync(temporary()), `${when} ${signal}`).toEqual([]);
  }
  expect(stopped).toBeGreaterThanOrEqual(4);
}, 60_000);

it("says how much it got where a temporary file ends too early", async () => {
  const scratch = new Scratch();
  const file = scratch.file();
  file.append(new Float64Array([1, 2, 3]));
  const [fits, beyond] = [new Float64Array(2), new Float64Array(4)];
  file.readInto(fits, 8);
  expect([...fits]).toEqual([2, 3]);
  const error = { code: "E_FILE", message: expect.stringMatching(/tilegrad-.*: got 16 bytes; expected 32\.$/) };
  expect(() => file.readInto(beyond, 8)).toThrow(expect.objectContaining(error));
  await expect(file.readLater(beyond, 8)).rejects.toMatchObject(error);
  scratch.dispose();
});

it("streams with --resample none", async () => {
  cli.write("none.csv", customers(500));
  const args = ["train", "none.csv", ...CHURN, ...SMALL, "--stream", "--out", "none", "--resample"];
  const none = await cli.run(...args, "none");
  expect(none.code, none.stderr).toBe(0);
  expect((await cli.run(...args, "smote")).stderr).toContain("--resample: the rows are streamed");
});
