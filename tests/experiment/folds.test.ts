import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { cellText, columnOf, tableFromColumns } from "../../src/data/table.ts";
import { crossValidate } from "../../src/experiment/crossValidation.ts";
import { learn } from "../../src/experiment/experiment.ts";
import { planFolds, splitRows } from "../../src/experiment/folds.ts";
import type { ExperimentOptions } from "../../src/experiment/options.ts";
import { settle, withChoice } from "../../src/experiment/options.ts";
import { prepare } from "../../src/experiment/prepare.ts";
import { taskOf } from "../../src/experiment/task.ts";
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
const task = taskOf(table, { target: "ill", positive: "yes" });
const cut = (split: ExperimentOptions["split"], seed = 0) => settle({ target: "ill", split, seed });
const patients = (rows: Uint32Array) => new Set(Array.from(rows, (row) => cellText(columnOf(table, "patient"), row)));

describe("rows for training, validation and testing", () => {
  it("share no group, and together are all rows", async () => {
    const { train, validation, test } = splitRows(task, cut({ validation: 0.25, group: "patient" }));
    const sides = [patients(train), patients(validation), patients(test)];
    expect(new Set(sides.flatMap((side) => [...side])).size).toBe(sides.reduce((n, side) => n + side.size, 0));
    expect([...train, ...validation, ...test].sort((a, b) => a - b)).toEqual([...task.rows]);
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
    const own = taskOf(uneven, { target: "ill", positive: "yes" });
    const parts = (test: number, seed: number) =>
      splitRows(own, cut({ test, validation: 0.25, group: "patient" }, seed));
    const [first, again, other, most] = [parts(0.2, 0), parts(0.2, 0), parts(0.2, 1), parts(0.9, 0)];
    for (const { train, validation, test } of [first, other]) {
      expect([train.length, validation.length, test.length]).toEqual([180, 60, 60]);
    }
    expect(again).toEqual(first);
    expect(other.test).not.toEqual(first.test);
    expect(other.validation).not.toEqual(first.validation);
    expect(most.test).toHaveLength(270);
  });

  it("follow each other in time", async () => {
    const { train, validation, test } = splitRows(task, cut({ validation: 0.25, time: true }));
    expect([...train, ...validation, ...test]).toEqual([...task.rows]);
    expect([train.length, validation.length, test.length]).toEqual([216, 72, 72]);
  });
});

describe("row lists", () => {
  const lists = (train: readonly number[], test: readonly number[]) => ({ name: "lists.json#s", train, test });
  const all = groupOf.map((_, row) => row);

  it("with a group are of whole groups", () => {
    const own = (row: number) => groupOf[row] < 40;
    const splits = lists(
      all.filter(own),
      all.filter((row) => !own(row)),
    );
    const { train, validation, test } = splitRows(task, cut({ splits, group: "patient", validation: 0.25 }));
    expect(train.length + validation.length + test.length).toBe(360);
    const torn = { splits: lists(all.slice(0, 300), all.slice(300)), validation: 0.25 };
    const message = expect.stringMatching(
      /"p\d+" has rows for training \(\d+\) and for testing \(30\d\); expected all on/,
    );
    expect(() => splitRows(task, cut({ ...torn, group: "patient" }))).toThrow(
      expect.objectContaining({ code: "E_DATA", message }),
    );
    expect(splitRows(task, cut(torn)).test).toHaveLength(60);
  });

  it("in time test on what comes after all training rows, and may leave rows out", () => {
    const splits = lists(all.slice(0, 200).reverse(), all.slice(250));
    const { train, validation, test } = splitRows(task, cut({ splits, time: true, validation: 0.25 }));
    expect([...train, ...validation]).toEqual(all.slice(0, 200));
    expect([...test]).toEqual(all.slice(250));
    const early = { splits: lists(all.slice(10), all.slice(0, 10)), time: true };
    const message = expect.stringContaining("row 0 for testing comes before row 359 for training");
    expect(() => splitRows(task, cut(early))).toThrow(expect.objectContaining({ code: "E_DATA", message }));
  });
});

describe("folds", () => {
  const options: ExperimentOptions = {
    target: "ill",
    positive: "yes",
    columns: { exclude: ["patient"] },
    training: { epochs: 2 },
  };

  it("leave nothing on the device behind, the refit's first network neither", async () => {
    const device = openCpu();
    const held: number[] = [];
    const onProgress = () => void held.push(device.memory().bytes);
    const { folds: found } = await crossValidate(device, table, options, { folds: 4, onProgress });
    expect(found.map(({ rows }) => rows.train)).toEqual([216, 216, 216, 216]);
    expect(new Set(held).size).toBe(1); // what the last fold scored with is freed in the next turn
    expect(device.memory().bytes).toBe(0);
    device.dispose();
  });

  it("leave nothing behind after an error either", async () => {
    const device = openCpu();
    const wrong = withChoice(options, { validation: 0, monitor: "valPrAuc", reduceOnPlateau: 2 });
    await expect(crossValidate(device, table, wrong, { folds: 4 })).rejects.toThrow("no validation rows");
    expect(device.memory().bytes).toBe(0);
    device.dispose();
  });

  it("leave nothing behind when what stands beside the network fails", async () => {
    const device = openCpu();
    // A network with a hinge loss learns from one class without a word; logistic regression has no optimum there.
    const settings = settle(withChoice(options, { loss: "hinge", refit: "never", layers: [8] }));
    const data = await prepare(task, splitRows(task, settings), settings);
    const train = { ...data.train, y: data.train.y.map(() => 1) };
    await expect(learn(device, { ...data, train }, settings)).rejects.toThrow("logistic regression: all rows");
    await new Promise(setImmediate);
    expect(device.memory().bytes).toBe(0);
    device.dispose();
  });

  it("give a threshold from the scores of what learned from other rows, other groups where these are named", async () => {
    const device = openCpu();
    for (const apart of [{}, { group: "patient" }]) {
      const settings = settle(withChoice(options, { ...apart, layers: [8], calibrate: "platt" }));
      const split = splitRows(task, settings);
      const data = await prepare(task, split, settings);
      const y: number[] = [];
      const scores: number[] = [];
      const parts: number[] = [];
      for await (const fold of data.folds(3)) {
        const { trainer, scores: found } = await learn(device, fold, { ...settings, baseline: false });
        trainer.dispose();
        y.push(...(fold.test?.y ?? []));
        scores.push(...(found.test ?? []));
        parts.push(fold.train.y.length, fold.validation?.y.length ?? 0, fold.test?.y.length ?? 0);
      }
      expect(y).toHaveLength(split.train.length + split.validation.length);
      expect(parts.reduce((a, b) => a + b)).toBe(3 * y.length);
      const decision = { ...settings.decision, thresholdFolds: 3 };
      const { trainer, threshold } = await learn(device, data, { ...settings, decision });
      trainer.dispose();
      expect(threshold).toEqual(tuneThreshold(y, scores, { maximize: "f1" }));
      // As a cross-validation cuts them.
      const rest = Uint32Array.from([...split.train, ...split.validation]).sort();
      const planned = [...planFolds(task, settings, { folds: 3 }, rest)];
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
    const all = taskOf(tableFromColumns({ x: y, y }), { target: "y" });
    const folds = planFolds(all, settle({ target: "y" }), { leaveOneOut: true });
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
