import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { parseCsv } from "../../src/data/csv.ts";
import type { Device } from "../../src/device.ts";
import { compare } from "../../src/experiment/compare.ts";
import { crossValidate } from "../../src/experiment/crossValidation.ts";
import { experiment } from "../../src/experiment/experiment.ts";
import type { Progress } from "../../src/experiment/observer.ts";
import type { ExperimentOptions } from "../../src/experiment/options.ts";
import { settle } from "../../src/experiment/options.ts";
import type { Entry } from "../../src/experiment/search.ts";
import { tune } from "../../src/experiment/search.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { sequential } from "../../src/model/model.ts";
import { customers } from "../cli/support.ts";

const { table } = parseCsv(customers(300), { name: "customers.csv" });
const { table: others } = parseCsv(customers(100, { seed: 9 }), { name: "others.csv" });
const options: ExperimentOptions = {
  target: "churned",
  columns: { id: ["customer_id"] },
  network: { layers: [8] },
  training: { epochs: 3 },
  decision: { thresholdFolds: "none" },
};

let device: Device;
beforeAll(() => {
  device = openCpu();
});
afterAll(() => {
  expect(device.memory().bytes).toBe(0);
  device.dispose();
});

describe("experiment", () => {
  it("gives a trainer, and a result that is plain JSON", async () => {
    const seen: Progress[] = [];
    const { trainer, extras, result } = await experiment(device, table, options, { onProgress: (p) => seen.push(p) });
    expect(JSON.parse(JSON.stringify(result))).toMatchObject({
      file: "customers.csv",
      target: "churned",
      positive: "yes",
      rows: { file: 300, train: 192, validation: 48, test: 60, unused: 0 },
      network: { model: "mlp" },
      epochs: 3,
      part: "test",
      metrics: { test: { rows: 60 } },
      baseline: { model: "logistic regression" },
    });
    expect(extras).toMatchObject({ threshold: { value: result.threshold, rule: "f1" }, labels: { positive: "yes" } });
    const types = seen.map(({ type }) => type).filter((type) => type !== "steps");
    // The positives are few: once more with the validation rows, for as many epochs as were best.
    const again = Array.from({ length: result.refit?.epochs ?? 0 }, () => "epoch");
    expect(types).toEqual(["fit", "epoch", "epoch", "epoch", "fitted", "fit", ...again, "fitted"]);
    trainer.dispose();
  });

  it("tests on another table, with a model of one's own", async () => {
    const make = (shape: readonly number[]) => sequential({ input: [...shape] }, [dense(1)]);
    const { trainer, result } = await experiment(device, table, {
      ...options,
      split: { test: others },
      network: { model: { from: "a test", make } },
    });
    expect(result.rows).toMatchObject({ file: 300, train: 240, validation: 60, test: 100 });
    expect(result.network.model).toBe("a test");
    trainer.dispose();
  });

  it("ends with E_ABORTED when its signal fires, and leaves nothing on the device", async () => {
    const controller = new AbortController();
    const onProgress = ({ type }: Progress) => type === "epoch" && controller.abort();
    const run = experiment(device, table, options, { signal: controller.signal, onProgress });
    await expect(run).rejects.toMatchObject({ code: "E_ABORTED" });
    expect(device.memory().bytes).toBe(0);
  });

  it.each<[string, ExperimentOptions, string]>([
    [
      "an option that another loss has",
      { ...options, loss: { loss: "mse", gamma: 1 } },
      "`gamma`: the loss mse has no such",
    ],
    ["no such option", { ...options, training: { epoch: 3 } as object }, 'training: there is no option "epoch"'],
    ["no such word", { ...options, loss: { loss: "bcee" as "bce" } }, 'loss: got loss "bcee"'],
    [
      "amounts that nothing costs",
      { ...options, columns: { amount: "usage" } },
      "`amount`: `threshold: f1` has no such",
    ],
  ])("speaks of options: %s", async (_, wrong, message) => {
    await expect(experiment(device, table, wrong)).rejects.toThrow(message);
  });
});

it("a group's column is no input", () => {
  expect(settle({ target: "y", split: { group: "g" } }).columns.id).toEqual(["g"]);
});

it("crossValidate says how each fold does, and all together", async () => {
  const { folds, pooled, summary, warnings } = await crossValidate(device, table, options, { folds: 3, jobs: 2 });
  expect(folds).toHaveLength(3);
  expect(pooled.rows).toBe(300);
  expect(summary.prAuc?.folds).toBe(3);
  expect(warnings).toEqual([]);
});

it("compare puts configurations in order, and fits logistic regression once", async () => {
  const { compared, baseline, measure } = await compare(
    device,
    table,
    options,
    [{ learningRate: 1e-6 }, { learningRate: 0.01 }],
    { folds: 2, measure: "rocAuc" },
  );
  expect(compared.map(({ choice }) => choice)).toEqual([{ learningRate: 0.01 }, { learningRate: 1e-6 }]);
  expect(compared.filter((each) => each.baseline)).toHaveLength(1);
  expect({ measure, folds: baseline?.rocAuc?.folds }).toEqual({ measure: "rocAuc", folds: 2 });
  await expect(compare(device, table, options, [{ loss: "mse", gamma: 2 }])).rejects.toThrow(
    "loss=mse gamma=2: `gamma`",
  );
  await expect(compare(device, table, options, [{ learnRate: 2 }])).rejects.toThrow("learnRate");
});

it("tune tries a space, tests the best, and goes on from its journal", async () => {
  const kept: Record<string, Entry> = {};
  const journal = {
    once: async (key: string, work: () => Promise<Entry>) => {
      kept[key] ??= await work();
      return kept[key];
    },
  };
  const space = { layers: [[4], [8, 4]], learningRate: [0.0001, 0.01] };
  const found = await tune(device, table, options, space, { journal });
  expect(found.trials).toHaveLength(4);
  expect(found.best.choice.learningRate).toBe(0.01);
  expect(found.test?.rows).toBe(60);
  const again = await tune(device, table, options, space, { journal });
  expect(again).toEqual(found);
  expect(Object.keys(kept)).toHaveLength(4);
  const drawn = await tune(
    device,
    table,
    options,
    { learningRate: { from: 0.001, to: 0.1 } },
    { search: "halving", trials: 3, folds: 2, nested: 2 },
  );
  expect(drawn.trials.map(({ budget }) => budget)).toEqual([3, 1, 1]);
  expect(drawn.nested?.folds).toHaveLength(2);
});
