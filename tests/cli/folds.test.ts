import { describe, expect, it } from "vitest";
import { partition } from "../../src/cli/folds.ts";
import type { Labelled } from "../../src/cli/prepare.ts";
import { cellText, columnOf, tableFromColumns } from "../../src/data/table.ts";
import { chooseTarget } from "../../src/data/target.ts";
import { draws } from "../../src/random.ts";
import { jsonOf, useCli } from "./support.ts";

const GROUPS = 60;
const EACH = 6;
const draw = draws(7, 0);
/** Which group a row is of is random; the label is drawn by group, and these numbers give the group away. */
const NUMBERS = 24;
const groupOf = Array.from({ length: GROUPS * EACH }, (_, row) => draw.integer(row, GROUPS));
const labelOf = Array.from({ length: GROUPS }, (_, group) => (draw.integer(1000 + group, 2) === 1 ? "yes" : "no"));
const numbers = (group: number) =>
  Array.from({ length: NUMBERS }, (_, i) => draw.normal(2000 + NUMBERS * group + i).toFixed(3));

const table = tableFromColumns({
  x: groupOf.map((group) => Number(numbers(group)[0])),
  patient: groupOf.map((group) => `p${group}`),
  ill: groupOf.map((group) => labelOf[group]),
});
const labelled: Labelled = {
  table,
  id: [],
  target: chooseTarget(table, { target: "ill", positive: "yes" }),
  rows: Uint32Array.from(groupOf, (_, row) => row),
};
const patients = (rows: Uint32Array) => new Set(Array.from(rows, (row) => cellText(columnOf(table, "patient"), row)));

describe("rows for training, validation and testing", () => {
  it("share no group, and together are all rows", async () => {
    const { train, validation, test } = await partition(labelled, 0.2, { validation: 0.25, seed: 0, group: "patient" });
    const sides = [patients(train), patients(validation), patients(test)];
    expect(new Set(sides.flatMap((side) => [...side])).size).toBe(sides.reduce((n, side) => n + side.size, 0));
    expect([...train, ...validation, ...test].sort((a, b) => a - b)).toEqual([...labelled.rows]);
    expect(Math.abs(test.length - 72)).toBeLessThanOrEqual(2);
    expect(Math.abs(validation.length - 72)).toBeLessThanOrEqual(2);
  });

  it("follow each other in time", async () => {
    const { train, validation, test } = await partition(labelled, 0.2, { validation: 0.25, seed: 0, time: true });
    expect([...train, ...validation, ...test]).toEqual([...labelled.rows]);
    expect([train.length, validation.length, test.length]).toEqual([216, 72, 72]);
  });
});

describe("tune", () => {
  const cli = useCli();
  const SMALL = ["--target", "ill", "--positive", "yes", "--device", "cpu", "--json", "--quiet", "--no-baseline"];
  const TRY = ["--try", "layers=32", "--learning-rate", "0.03", "--early-stopping", "0", "--epochs", "25"];
  const tested = async (rows: readonly string[], ...args: string[]) => {
    cli.write("groups.csv", `patient,${numbers(0).map((_, i) => `x${i}`)},ill\n${rows.join("\n")}\n`);
    const ended = await cli.run("tune", "groups.csv", ...SMALL, ...TRY, ...args);
    expect(ended.code, ended.stderr).toBe(0);
    return jsonOf(ended).test;
  };
  const rows = groupOf.map((group) => `p${group},${numbers(group)},${labelOf[group]}`);

  it("tests the best on groups that it has not seen: what only names a group is of no use there", async () => {
    const known = await tested(rows, "--out", "known", "--exclude", "patient");
    expect(known.rocAuc).toBeGreaterThan(0.93);
    const unknown = await tested(rows, "--out", "unknown", "--group", "patient");
    expect(unknown.rocAuc).toBeLessThan(0.8);
  });

  it("tests the best on the last rows: a rule that turns round there is not known before", async () => {
    const turned = rows.map((row, i) => {
      const x = Number(row.split(",")[1]);
      return row.replace(/(yes|no)$/, x > 0 === i < 288 ? "yes" : "no");
    });
    const { rocAuc, rows: count } = await tested(turned, "--out", "time", "--time", "--exclude", "patient");
    expect(count).toBe(72);
    expect(rocAuc).toBeLessThan(0.05);
  });
});
