/** `tilegrad inspect`: the compiled plan of a training step. */

import { stat } from "node:fs/promises";
import type { Command } from "commander";
import type { Compiled } from "../../compile.ts";
import { compileGraph } from "../../compile.ts";
import { fitPreprocessor, inputShapeOf } from "../../data/preprocess.ts";
import { targetOf } from "../../data/target.ts";
import type { Device } from "../../device.ts";
import { makeModel } from "../../experiment/network.ts";
import { makeLoss, makeOptimizer } from "../../experiment/objective.ts";
import type { LossOptions, NetworkOptions, OptimizerOptions } from "../../experiment/options.ts";
import { DEFAULTS } from "../../experiment/options.ts";
import { taskOf } from "../../experiment/task.ts";
import { results, topological } from "../../graph/traverse.ts";
import type { Graph } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import type { Loss } from "../../model/losses.ts";
import type { Model } from "../../model/model.ts";
import { summary } from "../../model/model.ts";
import type { TrainingPrecision } from "../../passes/half.ts";
import type { Plan } from "../../passes/plan.ts";
import { bytesOf } from "../../passes/plan.ts";
import type { KernelForce, KernelLimits } from "../../policy/limits.ts";
import { LEAST_LIMITS } from "../../policy/limits.ts";
import { tunedKernel } from "../../policy/tuning.ts";
import type { Stage } from "../../train/planStages.ts";
import { planDot, planStages } from "../../train/planStages.ts";
import { stepGraph } from "../../train/stepGraph.ts";
import { addJsonOption, addTargetOptions } from "../options/common.ts";
import { readLabelled } from "../options/data.ts";
import type { DeviceName } from "../options/device.ts";
import { describeDevice, deviceOption, withDevice } from "../options/device.ts";
import { addLossOptions, addNetworkOptions, addOptimizerOptions, addPrecisionOption } from "../options/experiment.ts";
import { checkModel, openModel } from "../options/model.ts";
import { modelFrom } from "../options/modelFile.ts";
import type { InputFlags } from "../options/table.ts";
import { addInputOptions } from "../options/table.ts";
import { ofKind } from "../options/values.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { bold, bytes, count, dim, plural, reading, table, write, writeJson } from "../terminal/terminal.ts";

interface InspectFlags extends InputFlags, Omit<NetworkOptions, "model">, LossOptions, OptimizerOptions {
  readonly model?: string;
  readonly batch: number;
  readonly device: DeviceName;
  readonly precision: TrainingPrecision;
  readonly fusion: boolean;
  readonly dot: boolean;
  readonly json: boolean;
}

const EXAMPLE = `
Examples:
  tilegrad inspect model
  tilegrad inspect customers.csv --target churned --layers 40,3 --dot | dot -Tsvg > plan.svg

  The plan is the one for the chosen device; for cpu, which has none, that of WebGPU's default limits.`;

export function addInspect(program: Command): void {
  const command = program
    .command("inspect")
    .description("the compiled plan of a training step: stages, kernels, grids, bytes, FLOPs")
    .argument("<model|data>", "folder that train has saved, or data as for train to plan for")
    .option("--batch <rows>", "rows of a step", ofKind(is.positiveInteger), 128)
    .option("--no-fusion", "one kernel per op")
    .option("--dot", "print the graph in Graphviz's language", false)
    .addOption(deviceOption())
    .addHelpText("after", EXAMPLE)
    .action((what: string, options: InspectFlags) => inspect(what, options));
  addJsonOption(addPrecisionOption(command));
  addTargetOptions(command, "of a table: the column to predict");
  addInputOptions(command);
  addNetworkOptions(command);
  addLossOptions(command);
  addOptimizerOptions(command);
}

interface Subject {
  readonly model: Model;
  readonly loss: Loss;
  readonly rows: number;
}

async function inspect(what: string, options: InspectFlags): Promise<void> {
  const optimizer = makeOptimizer(options, options.batch);
  const isFolder = await stat(what).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) await checkModel(what);
  await withDevice(options.device, true, async (device) => {
    const subject = isFolder ? await savedModel(what, device) : await plannedModel(what, options);
    const { precision, fusion } = options;
    const described = { ...subject, optimizer, precision };
    const batch = Math.min(options.batch, subject.rows);
    const graph = stepGraph(described, batch, device.maxQueue, subject.rows);
    const limits = device.limits ?? { ...LEAST_LIMITS, f16: true };
    const compiled = compileGraph(graph, limits, { fusion, precision });
    if (options.dot) write(`${planDot(compiled)}\n`);
    else if (options.json)
      writeJson({
        device: device.info,
        batch,
        ...figures(graph, compiled),
        plan: compiled.choice,
        tuned: tunedKernels(compiled, limits),
        stages: planStages(compiled),
      });
    else write(`${show(describeDevice(device.info), batch, subject.model, graph, compiled, limits)}\n`);
  });
}

async function savedModel(folder: string, device: Device): Promise<Subject> {
  const { trainer } = await openModel(folder, device);
  // What is planned does not depend on how many rows there are, as long as they fill a batch.
  return { model: trainer.model, loss: trainer.loss, rows: Number.MAX_SAFE_INTEGER };
}

async function plannedModel(file: string, options: InspectFlags): Promise<Subject> {
  const { table, id, flags } = await interruptible((signal) => readLabelled(file, options, reading(false, signal)));
  const { target, rows, image, window, ...task } = taskOf(table, flags);
  const shape = { ...(image ? { image } : {}), ...(window ? { window } : {}) };
  const preprocessor = fitPreprocessor(task.table, rows, { target, id, ...shape });
  const y = targetOf(target, task.table, rows);
  const described = {
    network: { ...options, model: modelFrom(options.model) },
    loss: options,
    resample: DEFAULTS.resample,
  };
  return {
    model: await makeModel(described, inputShapeOf(preprocessor), y),
    loss: makeLoss(options, y),
    rows: rows.length,
  };
}

function figures(graph: Graph, { plan, calls }: Compiled) {
  const size = (kinds: readonly string[]): number =>
    plan.buffers.filter((b) => kinds.includes(b.kind)).reduce((n, b) => n + bytesOf(b), 0);
  const half = plan.buffers.filter((b) => b.half).reduce((n, b) => n + bytesOf(b), 0);
  return {
    nodes: { differentiated: topological(results(graph)).length, simplified: topological(results(plan.graph)).length },
    dispatches: calls.length,
    flops: calls.reduce((n, call) => n + call.flops, 0),
    bytes: calls.reduce((n, call) => n + call.bytes, 0),
    memory: { temporaries: size(["slot", "arena"]), half, states: size(["state"]), rowNumbers: bytesOfOrder(plan) },
  };
}

/** Of the rows of the steps that are on their way. */
const bytesOfOrder = ({ buffers }: Plan): number =>
  buffers.filter((b) => b.kind === "input" && b.name === "order").reduce((n, b) => n + bytesOf(b), 0);

/** Kernels that were chosen by what was measured on the device. */
function tunedKernels(
  { plan }: Compiled,
  limits: KernelLimits,
): { readonly kernel: number; readonly force: KernelForce }[] {
  return plan.kernels.flatMap(({ anchor }, i) => {
    const force = anchor ? tunedKernel(anchor, limits) : {};
    return Object.keys(force).length > 0 ? [{ kernel: i + 1, force }] : [];
  });
}

function show(
  device: string,
  batch: number,
  model: Model,
  graph: Graph,
  compiled: Compiled,
  limits: KernelLimits,
): string {
  const tuned = tunedKernels(compiled, limits).map(({ kernel }) => kernel);
  const { nodes, dispatches, flops, bytes: moved, memory } = figures(graph, compiled);
  const header = ["#", "stage", "kernel", "workgroups", "bytes", "FLOPs", "ops"];
  const row = ({ stage, kernel, workgroups, bytes: b, flops: f, ops }: Stage, i: number): string[] => [
    String(i + 1),
    stage,
    kernel,
    workgroups.join(" x ").replace(/( x 1)+$/, ""),
    bytes(b),
    count(f),
    shorten(ops.join(" ")),
  ];
  const rows = planStages(compiled).map(row);
  return [
    bold(`One training step of ${plural(batch, "row")}`),
    dim(`for ${device}`),
    "",
    summary(model),
    "",
    `${count(nodes.differentiated)} nodes with all gradients, ${count(nodes.simplified)} after simplification, fused into ${plural(dispatches, "kernel")}.`,
    `Plan: ${compiled.choice.kind}: ${compiled.choice.why}.`,
    ...(tuned.length > 0 ? [`Chosen by measurement: kernels ${tuned.join(", ")}.`] : []),
    "",
    ...table([header, ...rows], [1, 2, 6]),
    "",
    `In all ${count(flops)} FLOPs and ${bytes(moved)} moved; temporaries ${bytes(memory.temporaries)}${memory.half > 0 ? ` (${bytes(memory.half)} of it in f16)` : ""}, states ${bytes(memory.states)}, row numbers ${bytes(memory.rowNumbers)}; beside the data.`,
  ].join("\n");
}

const shorten = (text: string): string => (text.length > 70 ? `${text.slice(0, 67)}...` : text);
