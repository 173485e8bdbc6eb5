/** `npm run oracles`: every case of every family, on a device, by the files' own tolerances. */
import { parseArgs } from "node:util";
import type { HowToRun } from "../../src/check/check.ts";
import type { Device } from "../../src/device.ts";
import { openDevice } from "../../src/openDevice.ts";
import { runningBy, waysOf } from "../support/ways.ts";
import { checkDeterminism } from "./determinism.ts";
import type { FamilySummary, OracleResult } from "./family.ts";
import { summarize } from "./family.ts";
import { FIXTURES, readOracle } from "./files.ts";
import type { LossesFile } from "./losses.ts";
import { checkLoss } from "./losses.ts";
import { runMetrics } from "./metrics.ts";
import type { OpBuilder, OpCase } from "./opCase.ts";
import { checkOpCase } from "./opCase.ts";
import { coreOps } from "./opsCore.ts";
import { imageOps } from "./opsImages.ts";
import { layoutsOf, sequenceOps } from "./opsSequences.ts";
import type { OptimizersFile } from "./optimizers.ts";
import { checkClip, checkSchedule, checkTrajectory } from "./optimizers.ts";
import { runSampling } from "./sampling.ts";
import type { TrainingFile } from "./training.ts";
import { checkRun } from "./training.ts";

type Progress = (result: OracleResult) => void;
type Family = (device: Device, file: unknown, progress: Progress) => Promise<readonly OracleResult[]>;

/** Runs cases one after another; an error fails its case, not the run. */
async function each<T extends { readonly id: string }>(
  cases: readonly T[],
  check: (one: T) => OracleResult | Promise<OracleResult>,
  progress: Progress,
): Promise<OracleResult[]> {
  const results: OracleResult[] = [];
  for (const one of cases) {
    let result: OracleResult;
    try {
      result = await check(one);
    } catch (error) {
      result = { id: one.id, ratio: Number.POSITIVE_INFINITY, error: (error as Error).message };
    }
    results.push(result);
    progress(result);
  }
  return results;
}

function told(results: readonly OracleResult[], progress: Progress): readonly OracleResult[] {
  for (const result of results) progress(result);
  return results;
}

const builders: Readonly<Record<string, OpBuilder>> = { ...coreOps, ...imageOps, ...sequenceOps };

/** Long inner dimensions: the README widens atol by sqrt(K) / 4. */
function toleranceScale({ op, inputs, params }: OpCase): number {
  if (op !== "matmul" && op !== "linear") return 1;
  const { shape } = inputs.a ?? inputs.x;
  const k = params.transpose_a ? shape[shape.length - 2] : shape[shape.length - 1];
  return Math.max(1, Math.sqrt(k) / 4);
}

const families: Readonly<Record<string, Family>> = {
  losses: (device, file, progress) => {
    const losses = file as LossesFile;
    return each(losses.cases, (one) => checkLoss(device, losses, one), progress);
  },
  ops: (device, file, progress) =>
    each(
      (file as { cases: OpCase[] }).cases,
      async (one) => {
        const build = builders[one.op];
        if (!build) return { id: one.id, unsupported: true };
        let worst: OracleResult = { id: one.id, ratio: 0 };
        // Recurrent cases give their weights in two layouts; both must pass.
        for (const layout of layoutsOf(one)) {
          const result = await checkOpCase(device, build, layout, toleranceScale(one));
          if (!(result.ratio <= (worst.ratio as number))) worst = { ...result, id: one.id };
        }
        return worst;
      },
      progress,
    ),
  optimizers: async (device, file, progress) => {
    const { trajectories, schedules, clipping } = file as OptimizersFile;
    return [
      ...(await each(trajectories, (one) => checkTrajectory(device, one), progress)),
      ...(await each(schedules, checkSchedule, progress)),
      ...(await each(clipping, (one) => checkClip(device, one), progress)),
    ];
  },
  training: (device, file, progress) => {
    const training = file as TrainingFile;
    return each(training.runs, (run) => checkRun(device, training, run), progress);
  },
  metrics: async (_, file, progress) => told(runMetrics(file), progress),
  sampling: async (device, file, progress) => told(await runSampling(file, device), progress),
};

/** Families whose numbers come from kernels that can be chosen. */
const CHOSEN = ["losses", "ops", "optimizers", "training"];

export interface OracleReport {
  readonly dir: string;
  readonly device: Device["info"];
  readonly families: Readonly<Record<string, FamilySummary>>;
}

/** @param onCase hears of every case as it ends */
export async function runOracles(
  device: Device,
  dir: string,
  wanted: readonly string[] = Object.keys(families),
  onCase: (family: string, result: OracleResult) => void = () => {},
): Promise<OracleReport> {
  const summaries: Record<string, FamilySummary> = {};
  for (const family of wanted) {
    const file = readOracle(family, dir);
    if (file === undefined) continue;
    const results = await families[family](device, file, (r) => onCase(family, r));
    summaries[family] = summarize(results);
  }
  return { dir, device: device.info, families: summaries };
}

/** The same in every way of running that a device has, with the bits of two runs compared in each. */
export async function runWays(
  device: Device,
  dir: string,
  wanted: readonly string[] = CHOSEN,
  ways: Readonly<Record<string, HowToRun>> = waysOf(device),
  onCase: (family: string, result: OracleResult) => void = () => {},
): Promise<Readonly<Record<string, OracleReport>>> {
  const reports: Record<string, OracleReport> = {};
  for (const [way, how] of Object.entries(ways)) {
    const on = runningBy(device, how);
    const { families: found, ...report } = await runOracles(on, dir, wanted, (family, result) =>
      onCase(`${way}: ${family}`, result),
    );
    const determinism = await checkDeterminism(on);
    for (const result of determinism) onCase(`${way}: determinism`, result);
    reports[way] = { ...report, families: { ...found, determinism: summarize(determinism) } };
  }
  return reports;
}

const USAGE = `npm run oracles -- [--dir DIR] [--family NAME,...] [--device NAME] [--ways all|NAME,...] [--json]

  --dir DIR      a folder of such files, compressed or not; default ${FIXTURES}
  --family NAME  ${Object.keys(families).join(", ")}; default all
  --device NAME  webgpu (default), swiftshader, lavapipe or cpu
  --ways NAME    every case in ways that kernels and plans can be forced to run, and two runs' bits; default: as chosen
  --json         the results on stdout`;

function parse(args: string[]) {
  return parseArgs({
    args,
    options: {
      dir: { type: "string", default: FIXTURES },
      family: { type: "string" },
      device: { type: "string", default: "webgpu" },
      ways: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  }).values;
}

async function main(): Promise<number> {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(process.argv.slice(2));
  } catch (error) {
    console.error(`error: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const unknown = values.family?.split(",").find((name) => !(name in families));
  if (unknown !== undefined) {
    console.error(`error: --family: got "${unknown}"; expected ${Object.keys(families).join(", ")}.`);
    return 2;
  }
  const wanted = values.family?.split(",");
  const missing = (wanted ?? Object.keys(families)).filter((family) => readOracle(family, values.dir) === undefined);
  if (missing.length > 0) {
    console.error(
      `error: --dir: ${values.dir} has no ${missing.map((family) => `${family}.json`).join(", ")}, nor .json.gz.`,
    );
    console.error("hint: --family NAME,... runs some of the families.");
    return 2;
  }
  const device = await openDevice({ backend: values.device as "webgpu" });
  const ways = waysOf(device);
  const chosen = values.ways === "all" ? Object.keys(ways) : values.ways?.split(",");
  const strange = chosen?.find((name) => !(name in ways));
  if (strange !== undefined) {
    console.error(`error: --ways: got "${strange}"; expected all or any of ${Object.keys(ways).join(", ")}.`);
    return 2;
  }
  console.error(`oracles of ${values.dir} on ${device.info.adapter} (${device.info.backend})`);
  const onCase = (family: string, { id, ratio, error, unsupported }: OracleResult): void => {
    if (!unsupported && !((ratio ?? Number.POSITIVE_INFINITY) <= 1))
      console.error(`  FAILED ${family} ${id}: ${ratio} ${error ?? ""}`);
  };
  const reports: Record<string, OracleReport> = {};
  if (!chosen) reports[""] = await runOracles(device, values.dir, wanted, onCase);
  for (const way of chosen ?? []) {
    Object.assign(reports, await runWays(device, values.dir, wanted, { [way]: ways[way] }, onCase));
    console.error(`${way}:`);
    show(reports[way]);
  }
  device.dispose();
  if (!chosen) show(reports[""]);
  if (values.json) console.log(JSON.stringify(chosen ? { ways: reports } : reports[""]));
  return Object.values(reports).some((r) => Object.values(r.families).some((f) => f.failed > 0)) ? 1 : 0;
}

function show({ families: summaries }: OracleReport): void {
  for (const [family, { cases, passed, failed, unsupported, worst }] of Object.entries(summaries)) {
    const hardest = worst ? `, worst ${worst.id} at ${worst.ratio.toPrecision(2)} of the tolerance` : "";
    console.error(
      `${family}: ${cases} cases, ${passed} passed, ${failed} failed, ${unsupported} unsupported${hardest}`,
    );
  }
}

if (process.argv[1] && /oracles\.m?js$/.test(process.argv[1])) process.exitCode = await main();
