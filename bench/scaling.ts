/**
 * How time and memory grow with batch, width, depth and rows: `npm run bench -- scaling [--device NAME]`. Writes a table and a
 * plot of each into bench/results/scaling-DEVICE.md and .svg. Ideal is what the smallest size took times its work.
 */
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { adam, binaryCrossentropy, compile, dense, openDevice, sequential } from "../src/api/core.ts";
import type { GpuName } from "../src/platform.ts";
import { chart } from "../src/report/chart.ts";

interface Size {
  readonly batch: number;
  readonly width: number;
  readonly depth: number;
  readonly rows: number;
}

const BASE: Size = { batch: 64, width: 64, depth: 2, rows: 4096 };
const AXES = ["batch", "width", "depth", "rows"] as const;
const FACTORS = [1, 2, 4, 8, 16];
const INPUTS = 32;
/**
 * A size is timed so often for so long; the best segment counts, since others use the machine, too. Chunks overlap, so that a
 * segment must be far longer than one.
 */
const SEGMENTS = 4;
const SEGMENT_MS = 500;

interface Point {
  readonly factor: number;
  readonly ms: number;
  readonly flops: number;
  readonly bytes: number;
  /** Parameters, gradients and Adam's two slots, data, and the activations that the backward pass reads. */
  readonly idealBytes: number;
}

const { values } = parseArgs({ options: { device: { type: "string", default: "webgpu" } } });
const device = await openDevice({ backend: values.device as GpuName });

async function measure(factor: number, { batch, width, depth, rows }: Size): Promise<Point> {
  const hidden = Array.from({ length: depth }, () => dense(width, { activation: "relu" }));
  const model = sequential({ input: [INPUTS] }, [...hidden, dense(1)]);
  const before = device.memory().bytes;
  const trainer = await compile(model, { device, loss: binaryCrossentropy(), optimizer: adam(), plan: "dispatch" });
  const x = Float32Array.from({ length: rows * INPUTS }, (_, i) => Math.sin(1.7 * i));
  const y = Float32Array.from({ length: rows }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const segments: number[] = [];
  let bytes = 0;
  let [began, steps] = [performance.now(), 0];
  for await (const event of trainer.run({ x, y }, { epochs: 1_000_000, batchSize: batch })) {
    if (event.type !== "steps") continue;
    steps += event.losses.length;
    const now = performance.now();
    if (now - began < SEGMENT_MS) continue;
    segments.push((now - began) / steps);
    bytes = Math.max(bytes, device.memory().bytes - before);
    // The first compiles kernels and finds how long chunks are.
    if (segments.length > SEGMENTS) break;
    [began, steps] = [now, 0];
  }
  trainer.dispose();
  const parameters = model.layers.reduce((n, layer) => n + layer.parameters, 0);
  const weights = INPUTS * width + (depth - 1) * width * width + width;
  return {
    factor,
    ms: Math.min(...segments.slice(1)),
    // Two for each product forward, and twice that backward, but for the gradient of the inputs.
    flops: batch * (6 * weights - 2 * INPUTS * width),
    bytes,
    idealBytes: 4 * (4 * parameters + rows * (INPUTS + 1) + batch * (INPUTS + depth * width + 1)),
  };
}

const sections: string[] = [];
const plots: string[] = [];
for (const axis of AXES) {
  const points: Point[] = [];
  for (const factor of FACTORS) points.push(await measure(factor, { ...BASE, [axis]: factor * BASE[axis] }));
  const ideal = points.map(({ flops }) => (points[0].ms * flops) / points[0].flops);
  const lines = points.map(({ factor, ms, flops, bytes, idealBytes }, i) => {
    const mb = (n: number): string => (n / 2 ** 20).toFixed(2);
    return `| ${factor * BASE[axis]} | ${ms.toFixed(3)} | ${ideal[i].toFixed(3)} | ${(flops / ms / 1e6).toFixed(2)} | ${mb(bytes)} | ${mb(idealBytes)} |`;
  });
  sections.push(
    `## ${axis}\n\n| ${axis} | ms/step | in step with FLOPs | GFLOP/s | MiB held | MiB needed |\n|---|---|---|---|---|---|\n${lines.join("\n")}`,
  );
  const log = (list: readonly number[]): number[] => list.map((v) => Math.log2(v));
  const ticks = (low: number, high: number, text: (v: number) => string) =>
    Array.from({ length: high - low + 1 }, (_, i) => ({ at: low + i, text: text(2 ** (low + i)) }));
  const all = log([...points.map((p) => p.ms), ...ideal]);
  const [low, high] = [Math.floor(Math.min(...all)), Math.ceil(Math.max(...all))];
  plots.push(
    chart({
      name: axis,
      title: `Time per step by ${axis}`,
      theme: "light",
      x: { label: axis, domain: [0, 4], ticks: ticks(0, 4, (v) => String(v * BASE[axis])) },
      y: { label: "ms", domain: [low, high], ticks: ticks(low, high, (v) => String(Number(v.toPrecision(2)))) },
      series: [
        { kind: "line", name: "measured", x: log(FACTORS), y: log(points.map((p) => p.ms)) },
        { kind: "line", name: "in step with FLOPs", x: log(FACTORS), y: log(ideal), color: "grey", dashed: true },
      ],
    }),
  );
  console.error(`${axis}: ${points.map((p) => p.ms.toFixed(3)).join(" ")} ms`);
}
const { adapter, driver } = device.info;
const text = [
  `# How time and memory grow: ${values.device}`,
  `\n${adapter} (${driver}). Dense network ${INPUTS} - ${Array(BASE.depth).fill(BASE.width).join(" - ")} - 1, batch ${BASE.batch}, ${BASE.rows} rows, Adam; one of them grows at a time. Best of ${SEGMENTS} segments of ${SEGMENT_MS} ms.`,
  "\nMiB needed: parameters, gradients, Adam's slots, data and activations; held: all buffers.\n",
  sections.join("\n\n"),
];
const at = (ending: string): string =>
  fileURLToPath(new URL(`../results/scaling-${values.device}.${ending}`, import.meta.url));
fs.writeFileSync(at("md"), `${text.join("\n")}\n`);
const placed = plots.map((svg, i) => svg.replace("<svg ", `<svg x="${(i % 2) * 530}" y="${Math.floor(i / 2) * 370}" `));
fs.writeFileSync(
  at("svg"),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1050 730">${placed.join("")}</svg>\n`,
);
console.log(text.join("\n"));
process.exit(0);
