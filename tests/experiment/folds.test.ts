import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addTableOptions } from "../../src/cli/options/tableOptions.ts";
import { openCpu } from "../../src/cpu/device.ts";
import { cellText, columnOf, tableFromColumns } from "../../src/data/table.ts";
import { chooseTarget } from "../../src/data/target.ts";
import type { FoldSettings } from "../../src/experiment/crossValidation.ts";
import { crossValidate } from "../../src/experiment/crossValidation.ts";
import { addExperimentOptions, experiment } from "../../src/experiment/experiment.ts";
import { partition, planFolds } from "../../src/experiment/folds.ts";
import type { Labelled } from "../../src/experiment/labelled.ts";
import { prepareRows } from "../../src/experiment/prepare.ts";
import { tuneThreshold } from "../../src/metrics/thresholds.ts";
import { draws } from "../../src/random.ts";
import { jsonOf, useCli } from "../cli/support.ts";

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

  it("have about their shares, and other groups by another seed, where one group has half of the rows", async () => {
    const one = Array.from({ length: 300 }, (_, row) => (row < 150 ? "large" : `p${row}`));
    const columns = {
      x: one.map((_, row) => row),
      patient: one,
      ill: one.map((_, row) => (row % 3 === 0 ? "yes" : "no")),
    };
    const uneven = tableFromColumns(columns);
    const target = chooseTarget(uneven, { target: "ill", positive: "yes" });
    const rows = Uint32Array.from(one, (_, row) => row);
    const parts = (share: number, seed: number) =>
      partition({ table: uneven, id: [], target, rows }, share, { validation: 0.25, seed, group: "patient" });
    const [first, again, other, most] = [
      await parts(0.2, 0),
      await parts(0.2, 0),
      await parts(0.2, 1),
      await parts(0.9, 0),
    ];
    for (const { train, validation, test } of [first, other]) {
      expect([train.length, validation.length, test.length]).toEqual([180, 60, 60]);
    }
    expect(again).toEqual(first);
    expect(other.test).not.toEqual(first.test);
    expect(other.validation).not.toEqual(first.validation);
    expect(most.test).toHaveLength(270);
  });

  it("follow each other in time", async () => {
    const { train, validation, test } = await partition(labelled, 0.2, { validation: 0.25, seed: 0, time: true });
    expect([...train, ...validation, ...test]).toEqual([...labelled.rows]);
    expect([train.length, validation.length, test.length]).toEqual([216, 72, 72]);
  });
});

describe("row lists", () => {
  const cli = useCli();
  const lists = (train: readonly number[], test: readonly number[]) => {
    cli.write("lists.json", JSON.stringify({ s: { train, test } }));
    return `${cli.folder}/lists.json#s`;
  };
  const all = groupOf.map((_, row) => row);
  const apart = { validation: 0.25, seed: 0 };

  it("with --group are of whole groups", async () => {
    const own = (row: number) => groupOf[row] < 40;
    const whole = {
      splits: lists(
        all.filter(own),
        all.filter((row) => !own(row)),
      ),
      group: "patient",
      ...apart,
    };
    const { train, validation, test } = await partition(labelled, 0.2, whole);
    expect(train.length + validation.length + test.length).toBe(360);
    const torn = { ...whole, splits: lists(all.slice(0, 300), all.slice(300)) };
    const message = expect.stringMatching(
      /"p\d+" has rows for training \(\d+\) and for testing \(30\d\); expected all on/,
    );
    await expect(partition(labelled, 0.2, torn)).rejects.toMatchObject({ code: "E_DATA", message });
    expect((await partition(labelled, 0.2, { ...torn, ...{ group: undefined } })).test).toHaveLength(60);
  });

  it("with --time test on what comes after all training rows, and may leave rows out", async () => {
    const later = { splits: lists(all.slice(0, 200).reverse(), all.slice(250)), time: true, ...apart };
    const { train, validation, test } = await partition(labelled, 0.2, later);
    expect([...train, ...validation]).toEqual(all.slice(0, 200));
    expect([...test]).toEqual(all.slice(250));
    const early = { ...later, splits: lists(all.slice(10), all.slice(0, 10)) };
    const message = expect.stringContaining("row 0 for testing comes before row 359 for training");
    await expect(partition(labelled, 0.2, early)).rejects.toMatchObject({ code: "E_DATA", message });
  });
});

describe("folds", () => {
  const command = addExperimentOptions(addTableOptions(new Command()));
  const settings = { ...command.parse([], { from: "user" }).opts<FoldSettings>(), seed: 0, quiet: true };
  const options = { ...settings, exclude: ["patient"], epochs: 2, folds: 4, repeats: 1, time: false };
  const interrupt = { signal: new AbortController().signal, onStop: async () => "" };

  it("leave nothing on the device behind, the refit's first network neither", async () => {
    const device = openCpu();
    const held: number[] = [];
    const folds = planFolds(labelled, { ...options, leaveOneOut: false });
    const { folds: found } = await crossValidate(device, labelled, folds, options, interrupt, () =>
      held.push(device.memory().bytes),
    );
    expect(found.map(({ rows }) => rows.train)).toEqual([216, 216, 216, 216]);
    expect(new Set(held).size).toBe(1); // what the last fold scored with is freed in the next turn
    expect(device.memory().bytes).toBe(0);
    device.dispose();
  });

  it("leave nothing behind after an error either", async () => {
    const device = openCpu();
    const wrong = { ...options, validation: 0, monitor: "valPrAuc", reduceOnPlateau: 2 };
    const folds = planFolds(labelled, { ...wrong, leaveOneOut: false });
    await expect(crossValidate(device, labelled, folds, wrong, interrupt)).rejects.toThrow("no validation rows");
    expect(device.memory().bytes).toBe(0);
    device.dispose();
  });

  it("leave nothing behind when what stands beside the network fails", async () => {
    const device = openCpu();
    const rows = await partition(labelled, 0.2, options);
    const data = await prepareRows(labelled, rows, options);
    // A network with a hinge loss learns from one class without a word; logistic regression has no optimum there.
    const train = { ...data.train, y: data.train.y.map(() => 1) };
    const hinge = { ...options, loss: "hinge" as const, refit: "never" as const, layers: [8] };
    await expect(experiment(device, { ...data, train }, hinge, interrupt)).rejects.toThrow(
      "logistic regression: all rows",
    );
    await new Promise(setImmediate);
    expect(device.memory().bytes).toBe(0);
    device.dispose();
  });

  it("give a threshold from the scores of what learned from other rows, other groups where these are named", async () => {
    const device = openCpu();
    for (const apart of [{}, { group: "patient" }]) {
      const own = { ...options, ...apart, layers: [8], calibrate: "platt" as const };
      const rows = await partition(labelled, 0.2, own);
      const data = await prepareRows(labelled, rows, own);
      const y: number[] = [];
      const scores: number[] = [];
      const parts: number[] = [];
      for await (const fold of data.folds(3)) {
        const { trainer, scores: found } = await experiment(device, fold, { ...own, baseline: false }, interrupt);
        trainer.dispose();
        y.push(...(fold.test?.y ?? []));
        scores.push(...(found.test ?? []));
        parts.push(fold.train.y.length, fold.validation?.y.length ?? 0, fold.test?.y.length ?? 0);
      }
      expect(y).toHaveLength(rows.train.length + rows.validation.length);
      expect(parts.reduce((a, b) => a + b)).toBe(3 * y.length);
      const { trainer, threshold } = await experiment(device, data, { ...own, thresholdFolds: 3 }, interrupt);
      trainer.dispose();
      expect(threshold).toEqual(tuneThreshold(y, scores, { maximize: "f1" }));
      // As `cv` cuts them.
      const rest = Uint32Array.from([...rows.train, ...rows.validation]).sort();
      const planned = [...planFolds(labelled, { ...own, folds: 3, leaveOneOut: false }, rest)];
      expect(parts).toEqual(
        planned.flatMap(({ train, validation, test }) => [train, validation, test].map((r) => r.length)),
      );
      if ("group" in apart) {
        for (const { train, validation, test } of planned) {
          const sides = [train, validation, test].map(patients);
          expect(new Set(sides.flatMap((side) => [...side])).size).toBe(sides.reduce((n, side) => n + side.size, 0));
        }
      }
    }
    await new Promise(setImmediate); // what scored last is freed in the next turn
    expect(device.memory().bytes).toBe(0);
    device.dispose();
  });

  it("of one row each are made one at a time: 200,000 lists of as many rows would take 160 GB", () => {
    const y = Float64Array.from({ length: 200_000 }, (_, row) => row % 2);
    const large = tableFromColumns({ x: y, y });
    const target = chooseTarget(large, { target: "y" });
    const all = { table: large, id: [], target, rows: Uint32Array.from(y, (_, row) => row) };
    const folds = planFolds(all, { ...options, leaveOneOut: true });
    expect(folds.count).toBe(200_000);
    const [first] = folds;
    expect([...first.test]).toEqual([0]);
    expect(first.train.length + first.validation.length).toBe(199_999);
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
