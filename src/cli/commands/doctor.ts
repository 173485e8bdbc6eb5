/** `tilegrad doctor`: what this device is, and whether every kernel computes the right thing on it. */
import type { Command } from "commander";
import type { CheckResult } from "../../check/check.ts";
import { checkOps, checksOf, quickChecksOf } from "../../check/check.ts";
import { hasEdges } from "../../check/edges.ts";
import type { Device } from "../../device.ts";
import { refuse } from "../../experiment/variants.ts";
import type { OpDef } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { allOps } from "../../ops/all.ts";
import type { Tuning } from "../../policy/limits.ts";
import { WebGpuDevice } from "../../webgpu/device.ts";
import type { RunFlags } from "../options/common.ts";
import { addRunOptions } from "../options/common.ts";
import { describeDevice, withDevice } from "../options/device.ts";
import { checkModel } from "../options/model.ts";
import { ofKind } from "../options/values.ts";
import { Failed } from "../terminal/errors.ts";
import {
  bold,
  bytes,
  count,
  duration,
  pairs,
  plural,
  print,
  Status,
  table,
  write,
  writeJson,
} from "../terminal/terminal.ts";
import { costLines, tune } from "./tuneDevice.ts";

interface DoctorOptions extends RunFlags {
  readonly quick: boolean;
  readonly tune: boolean;
  readonly model?: string;
  readonly batch?: number;
  readonly seconds?: number;
}

interface OpResult {
  readonly op: string;
  readonly cases: number;
  readonly failed: number;
  /** The worst case, and its error in units of the tolerance. */
  readonly worst: { readonly case: string; readonly ratio: number; readonly error?: string };
}

const EXAMPLE = `
Example:
  tilegrad doctor

  Every kernel and its gradient run on the device and are compared with plain loops in double precision. With --tune, the
  device is measured instead: kernels that give the same bits against each other, and what decides between plans. What is
  found is kept in the cache folder and used by every later run on this device.`;

export function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("check this device: adapter, limits, and every kernel against a reference")
    .option("--quick", "one check of each op, at its largest size, not all sizes and kernels", false)
    .option("--tune", "measure which kernels are the fastest here, and keep it", false)
    .option("--model <folder>", "with --tune: for the training step of this model; default: for typical networks")
    .option("--batch <rows>", "with --tune --model: rows of a step (default: 32)", ofKind(is.positiveInteger))
    .option("--seconds <n>", "with --tune: after which no kernel is begun (default: 60)", ofKind(is.positive))
    .addHelpText("after", EXAMPLE)
    .action((options: DoctorOptions) => doctor(options));
  addRunOptions(command, "nothing but the result");
}

/** Limits that decide what fits. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
] as const;

async function doctor(options: DoctorOptions): Promise<void> {
  const { device: name, json, quiet, model, batch, seconds } = options;
  if (!options.tune) refuse({ model, batch, seconds }, "doctor without --tune");
  if (model === undefined) refuse({ batch }, "doctor --tune without --model");
  else await checkModel(model);
  await withDevice(name, true, async (device) => {
    const about = aboutOf(device);
    const say = json ? print : (line: string) => write(`${line}\n`);
    if (!quiet) for (const line of showDevice(device, about)) say(line);
    if (options.tune) return tune(device, options, say);
    const began = performance.now();
    const results = await runChecks(device, options.quick, quiet);
    const ops = byOp(results);
    const failed = results.filter(({ ratio }) => !(ratio <= 1)).length;
    const ms = performance.now() - began;
    if (!quiet) say(showOps(ops).join("\n"));
    const verdict =
      failed === 0
        ? `All ${plural(results.length, "check")} of ${plural(ops.length, "op")} passed in ${duration(ms)}: this device computes the right thing.`
        : `${failed} of ${plural(results.length, "check")} FAILED: do not trust results of this device.`;
    if (json)
      writeJson({
        device: device.info,
        ...about,
        passed: failed === 0,
        checks: results.length,
        failed,
        ops: ops.map(finite),
        ms,
      });
    if (!json || !quiet) say(bold(verdict));
    if (failed > 0) throw new Failed();
  });
}

interface About {
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

function aboutOf(device: Device): About {
  if (!(device instanceof WebGpuDevice)) return { limits: {}, features: [] };
  const { limits, features } = device.gpu;
  return { limits: Object.fromEntries(LIMITS.map((name) => [name, limits[name]])), features: [...features].sort() };
}

function showDevice({ info, limits: chosenBy }: Device, { limits, features }: About): string[] {
  const shown = (name: string, value: number): string =>
    /Size$/.test(name) && value >= 2 ** 14 ? bytes(value) : count(value);
  return [
    ...pairs([
      ["Device", describeDevice(info)],
      ["Driver", info.driver],
      ...(features.length > 0 ? [["Features", features.join(", ")] as const] : []),
      ["Mixed precision", !chosenBy || chosenBy.f16 ? "yes" : "no: the adapter has no shader-f16"],
      ...(chosenBy?.tuning ? tuningLines(chosenBy.tuning) : []),
      ...Object.entries(limits).map(([name, value]) => [name, shown(name, value)] as const),
    ]),
    "",
  ];
}

const tuningLines = ({ kernels, costs }: Tuning): (readonly [string, string])[] => [
  ["Tuned", `${plural(Object.keys(kernels).length, "kernel")} chosen by measurement`],
  ...costLines(costs),
];

async function runChecks(device: Device, quick: boolean, quiet: boolean): Promise<CheckResult[]> {
  const status = new Status({ quiet });
  status.show(0, "looking for what there is to check");
  await new Promise((resolve) => setImmediate(resolve));
  const checks = quick ? quickChecksOf : (op: OpDef) => checksOf(op, device.limits);
  const total = allOps.reduce((n, op) => n + checks(op).length + Number(hasEdges(op)), 0);
  let done = 0;
  const results = await checkOps(device, allOps, {
    quick,
    progress: ({ op }) => status.show(++done / total, `checked ${done} of ${total}  ${op}`),
  });
  status.end();
  return results;
}

function byOp(results: readonly CheckResult[]): OpResult[] {
  const ops = new Map<string, CheckResult[]>();
  for (const result of results) ops.set(result.op, [...(ops.get(result.op) ?? []), result]);
  return [...ops].map(([op, list]) => {
    const worst = list.reduce((a, b) => (b.ratio <= a.ratio ? a : b));
    const failed = list.filter(({ ratio }) => !(ratio <= 1)).length;
    const { name, ratio, error } = worst;
    return { op, cases: list.length, failed, worst: { case: name, ratio, ...(error === undefined ? {} : { error }) } };
  });
}

/** JSON has no infinity: an error that large, or a kernel that did not run, is the largest number. */
const finite = (result: OpResult): OpResult => ({
  ...result,
  worst: { ...result.worst, ratio: Math.min(result.worst.ratio, Number.MAX_VALUE) },
});

function showOps(ops: readonly OpResult[]): string[] {
  const header = ["op", "checks", "worst error", "", "worst case"];
  const rows = ops.map(({ op, cases, failed, worst }) => [
    op,
    String(cases),
    Number.isFinite(worst.ratio) ? worst.ratio.toFixed(3) : "-",
    failed === 0 ? "ok" : `${failed} FAILED`,
    [worst.case, ...(worst.error === undefined ? [] : [worst.error.split("\n")[0].slice(0, 100)])].join(": "),
  ]);
  return [
    ...table([header, ...rows], [0, 3, 4]),
    "",
    "Errors are in units of the tolerance for float32; up to 1 passes.",
    "",
  ];
}
