/** What the tests of graphs and plans share. */

import { worstRatio } from "../../src/check/compare.ts";
import { sampleValues } from "../../src/check/samples.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { CompileGraphOptions, Device } from "../../src/device.ts";
import { results, topological } from "../../src/graph/traverse.ts";
import type { Elements, Graph, StepValues, Tensor } from "../../src/graph/types.ts";
import { inputOp, stateOp } from "../../src/ops/core/constant.ts";

/** The inputs and states of a graph by name. */
export function leaves(graph: Graph): Record<string, Tensor> {
  const nodes = topological(results(graph)).filter((n) => n.op === inputOp || n.op === stateOp);
  return Object.fromEntries(nodes.map((node) => [node.attrs.name, { node, index: 0, ...node.outputs[0] }]));
}

export interface RunOptions extends Pick<CompileGraphOptions, "fusion" | "plan" | "limits"> {
  readonly times?: number;
  readonly step?: StepValues;
  readonly feeds?: Readonly<Record<string, ArrayLike<number>>>;
}

/** Runs a graph `times` times and reads its outputs and states. */
export async function runGraph(
  device: Device,
  graph: Graph,
  { times = 1, step = {}, feeds = {}, ...how }: RunOptions = {},
): Promise<Record<string, Elements>> {
  const types = leaves(graph);
  const bindings = Object.fromEntries(
    Object.entries(types).map(([name, type], k) => [
      name,
      device.tensor(type, name, feeds[name] ?? sampleValues(type, k)),
    ]),
  );
  const compiled = await device.compile(graph, { bindings, label: "test", ...how });
  for (let i = 0; i < times; i++) device.enqueue(compiled, step);
  const read: Record<string, Elements> = {};
  for (const [name, tensor] of Object.entries({ ...compiled.outputs, ...bindings })) {
    if (name in compiled.outputs || types[name]?.node.op === stateOp) read[name] = await tensor.read();
  }
  compiled.dispose();
  for (const tensor of Object.values(bindings)) tensor.dispose();
  return read;
}

/** The worst error of a device against f64, in units of the tolerance of f32. */
export async function worstAgainstF64(device: Device, graph: Graph, options: RunOptions = {}): Promise<number> {
  const want = await runGraph(openCpu({ precision: "f64" }), graph, options);
  const got = await runGraph(device, graph, options);
  return Math.max(...Object.keys(want).map((name) => worstRatio(got[name], want[name])));
}
