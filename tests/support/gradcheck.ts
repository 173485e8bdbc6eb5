/** Whether an op's gradient is that which differences give. */
import { expect } from "vitest";
import { runOnce } from "../../src/check/check.ts";
import { sampleGraph } from "../../src/check/samples.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Elements, OpDef } from "../../src/graph/types.ts";
import { sizeOf } from "../../src/graph/types.ts";
import { draws } from "../../src/random.ts";

const EPS = 1e-6;
const ATOL = 1e-5;
const RTOL = 1e-3;

const dot = (a: Elements, b: Elements): number => Array.from(a).reduce((total, v, i) => total + v * b[i], 0);

/** Compares with central differences in f64, along a random direction, for every sample. */
export async function checkGradient(op: OpDef): Promise<void> {
  const device = openCpu({ precision: "f64" });
  for (const sample of op.samples?.() ?? []) {
    const forward = sampleGraph(op, sample, { gradient: true });
    if (sample.gradcheck === false || !("d0" in forward.graph.outputs)) continue;
    const names = Object.keys(forward.types).filter((n) => n.startsWith("x") && forward.types[n].dtype === "f32");
    const directions = names.map((name, k) => {
      const draw = draws(3, 100 + k);
      return Float64Array.from({ length: sizeOf(forward.types[name].shape) }, (_, i) => draw.uniform(i) - 0.5);
    });
    const projected = async (shift: number): Promise<number> => {
      const feeds = { ...forward.feeds };
      names.forEach((name, k) => {
        feeds[name] = Float64Array.from(forward.feeds[name], (v, i) => v + shift * directions[k][i]);
      });
      const outputs = await runOnce(device, { ...forward, feeds });
      const ys = Object.keys(outputs).filter((n) => n.startsWith("y") && n !== `y${op.saved}`);
      return ys.reduce((total, n) => total + dot(outputs[n], forward.feeds[`upstream${n.slice(1)}`]), 0);
    };
    const numeric = ((await projected(EPS)) - (await projected(-EPS))) / (2 * EPS);
    const outputs = await runOnce(device, forward);
    const analytic = names.reduce((total, _, k) => total + dot(outputs[`d${k}`], directions[k]), 0);
    expect(Math.abs(numeric - analytic), forward.name).toBeLessThanOrEqual(ATOL + RTOL * Math.abs(numeric));
  }
}
