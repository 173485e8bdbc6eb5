import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkSample, checksOf } from "../../src/check/check.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import type { OpDef, Sample } from "../../src/graph/types.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { meanSquaredError } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { recurrentLayer, recurrentOptions } from "../../src/model/recurrentLayer.ts";
import { input } from "../../src/ops/core/constant.ts";
import { gruCell } from "../../src/ops/recurrent/gru.ts";
import { lstm, lstmCell } from "../../src/ops/recurrent/lstm.ts";
import { recurrent } from "../../src/ops/recurrent/recurrent.ts";
import { simpleRnn, simpleRnnCell } from "../../src/ops/recurrent/simpleRnn.ts";
import type { KernelLimits } from "../../src/policy/limits.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { openTestGpu } from "../devices.ts";
import { checkGradient } from "../support/gradcheck.ts";
import { minimalGatedUnitCell } from "./cells/minimalGatedUnit.ts";

let gpu: Device;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.dispose());

const samplesOf = (op: OpDef): readonly Sample[] => op.samples?.() ?? [];

it.each([lstmCell, gruCell, simpleRnnCell].map(({ name, ops }) => [name, ops[0]] as const))(
  "%s runs any number of sequences a workgroup, with a thread for each unit or for every fourth",
  async (_, op) => {
    const [, sample] = samplesOf(op);
    for (const limits of (op.variants?.(gpu.limits as KernelLimits) ?? []).flatMap(({ force }) => [
      { force, software: true },
      { force, software: false },
    ])) {
      const { ratio, error } = await checkSample(gpu, op, sample, { limits });
      expect(error).toBeUndefined();
      expect(ratio).toBeLessThanOrEqual(1);
    }
  },
);

it("says how many units fit when a layer is too large for the device", async () => {
  const outputs = { y: lstm(input("xz", [1, 2, 2400]), input("kernel", [600, 2400])).y };
  const bindings = {
    xz: gpu.tensor(input("xz", [1, 2, 2400]), "xz"),
    kernel: gpu.tensor(input("k", [600, 2400]), "k"),
  };
  const limits = { maxWorkgroupBytes: 8192 };
  await expect(gpu.compile({ outputs, updates: [] }, { bindings, label: "wide", limits })).rejects.toMatchObject({
    code: "E_DEVICE",
    message: "lstm: got 600 units; this device's workgroup memory holds 512.",
  });
});

it("refuses kernels, states and masks of other shapes", () => {
  const xz = input("xz", [2, 3, 8]);
  expect(() => lstm(xz, input("kernel", [3, 8]))).toThrow(/kernel \[units, 4 \* units\]/);
  expect(() => lstm(xz, input("kernel", [2, 8]), { h0: input("h0", [3, 2]) })).toThrow(/states \[batch, units\]/);
  expect(() => simpleRnn(xz, input("kernel", [8, 8]), { mask: input("mask", [3, 2]) })).toThrow(/mask \[batch, time\]/);
});

it.each([
  [
    { kept: 1 },
    0,
    "lstm: step gives 2 states and 4 kept; expected what the cell declares: gates: 4, states: 2, kept: 1.",
  ],
  [
    { gates: 3 },
    1,
    "lstm: grad gives 4 of x, 4 of a and 2 states; expected what the cell declares: gates: 3, states: 2, kept: 4.",
  ],
] as const)("says what a cell gives that it does not declare: %j", async (wrong, which, message) => {
  const [op] = recurrent({ ...lstmCell, ...wrong }).ops.slice(which);
  const { ratio, error } = await checkSample(openCpu(), op, samplesOf(op)[0]);
  expect([ratio, error]).toEqual([Number.POSITIVE_INFINITY, message]);
});

describe("a cell that is added as CONTRIBUTING says", () => {
  const folder = path.join(import.meta.dirname, "cells");
  const [shader, cell] = ["minimal_gated_unit.wgsl", "minimalGatedUnit.ts"].map((file) =>
    readFileSync(path.join(folder, file), "utf8").trim().split("\n"),
  );

  it("takes fewer than 60 lines, those that stand there", () => {
    const text = readFileSync(path.join(import.meta.dirname, "../../CONTRIBUTING.md"), "utf8").split("\n");
    const own = [...shader, ...cell].filter((line) => !line.startsWith("import "));
    expect(own.filter((line) => !text.includes(line))).toEqual([]);
    expect(shader.length + cell.length).toBeLessThan(60);
  });

  it.each(minimalGatedUnitCell.ops.map((op) => [op.name, op] as const))(
    "%s meets its reference in every way of running, whose gradient is that of differences",
    async (_, op) => {
      if (op.grad) await checkGradient(op);
      for (const { sample, how } of checksOf(op, gpu.limits)) {
        const { name, ratio, error } = await checkSample(gpu, op, sample, how);
        expect(error, name).toBeUndefined();
        expect(ratio, name).toBeLessThanOrEqual(1);
      }
    },
  );

  it("is a layer with all options, which trains on every device and in every plan", async () => {
    const minimalGatedUnit = recurrentLayer(minimalGatedUnitCell, recurrentOptions);
    const layers = [
      minimalGatedUnit(6, { returnSequences: true }),
      minimalGatedUnit(6, { goBackwards: true }),
      dense(1),
    ];
    const model = sequential({ input: [5, 2] }, layers);
    expect(model.parameters.map(({ shape }) => shape).slice(0, 3)).toEqual([
      [2, 12],
      [6, 12],
      [2, 12],
    ]);
    const x = Float32Array.from({ length: 16 * 10 }, (_, i) => Math.sin(i * 0.7));
    const y = Float32Array.from({ length: 16 }, (_, i) => x[10 * i] * x[10 * i + 9]);
    const runs: number[][] = [];
    for (const how of [
      { device: openCpu() },
      { device: gpu, plan: "dispatch" },
      { device: gpu, plan: "resident" },
    ] as const) {
      const trainer = new Trainer(model, {
        ...how,
        loss: meanSquaredError(),
        optimizer: adam({ learningRate: 0.02 }),
        seed: 2,
      });
      const { loss } = await trainer.fit({ x, y }, { epochs: 10, batchSize: 8 });
      expect(loss[9]).toBeLessThan(loss[0]);
      runs.push([...loss]);
      trainer.dispose();
    }
    for (const run of runs) for (const [i, v] of run.entries()) expect(v).toBeCloseTo(runs[0][i], 4);
  });
});
