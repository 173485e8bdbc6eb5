/**
 * Where the time of a training step goes, and what limits each kernel: `npm run bench -- profile [workload...] [--device NAME]`
 * prints a Markdown table of each workload, beside the best the device does in a large product and a large copy.
 */
import { parseArgs } from "node:util";
import { openDevice } from "../src/openDevice.ts";
import type { GpuName } from "../src/platform.ts";
import { initialWeights, trainingData } from "./data.ts";
import { trainerOf } from "./peers/tilegrad.ts";
import { type Training, workloads } from "./workloads.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { device: { type: "string", default: "webgpu" } },
});
const training = workloads.filter((workload): workload is Training => workload.kind === "training");
const unknown = positionals.find((name) => !training.some((workload) => workload.name === name));
if (unknown !== undefined) {
  console.error(`No workload "${unknown}"; expected any of ${training.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}

const device = await openDevice({ backend: values.device as GpuName });
console.log(`## ${device.info.adapter}`);
for (const workload of training) {
  if (positionals.length > 0 && !positionals.includes(workload.name)) continue;
  const trainer = await trainerOf(device, workload, initialWeights(workload));
  const { kernels, us, ceilings } = await trainer.profile(trainingData(workload), { batchSize: workload.batch });
  const of = (value: number, ceiling: number): string => `${value.toPrecision(3)} (${percent(value / ceiling)})`;
  console.log(
    `\n### ${workload.name}\n\n| kernel | us | share | GFLOP/s (of best) | GB/s (of best) |\n|---|---:|---:|---:|---:|`,
  );
  for (const { kernel, us: own, share, gflopsPerSecond, gigabytesPerSecond } of kernels) {
    const speeds = [of(gflopsPerSecond, ceilings.gflopsPerSecond), of(gigabytesPerSecond, ceilings.gigabytesPerSecond)];
    console.log(`| ${[kernel, own.toFixed(1), percent(share), ...speeds].join(" | ")} |`);
  }
  const best = `${ceilings.gflopsPerSecond.toPrecision(3)} GFLOP/s, ${ceilings.gigabytesPerSecond.toPrecision(3)} GB/s`;
  console.log(`\n${us.toFixed(1)} us a step in kernels; best seen: ${best}.`);
  trainer.dispose();
}
process.exit();

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
