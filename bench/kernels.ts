/**
 * Times every matmul kernel over the shapes that dense layers have, forward (NN), for the weights (TN) and for the input
 * (NT), and one optimizer step over an arena: a Markdown table for the device that `--device` names.
 */
import { parseArgs } from "node:util";
import { compileGraph } from "../src/compile.ts";
import type { CompiledStep } from "../src/device.ts";
import type { Graph, Tensor } from "../src/graph/types.ts";
import { sizeOf } from "../src/graph/types.ts";
import type { NodeGpu } from "../src/node/gpu.ts";
import { openGpu } from "../src/node/gpu.ts";
import { input, state } from "../src/ops/core/constant.ts";
import { add, div, mul, sqrt, square, sub } from "../src/ops/core/elementwise.ts";
import { matmul } from "../src/ops/matmul/matmul.ts";
import type { MatmulVariant } from "../src/ops/matmul/matmul_kernel.ts";
import { MATMUL_VARIANTS, supportsMatmul } from "../src/ops/matmul/matmul_kernel.ts";
import type { GpuName } from "../src/platform.ts";
import type { WebGpuDevice } from "../src/webgpu/device.ts";
import { openGpuDevice } from "../src/webgpu/device.ts";

/** [m, k, n] of A · B, A^T · B and A · B^T; beside 512^3, the layers of the workloads `tabular` and `report`. */
const SHAPES: readonly (readonly ["NN" | "TN" | "NT", number, number, number])[] = [
  ["NN", 512, 512, 512],
  ["TN", 512, 512, 512],
  ["NT", 512, 512, 512],
  ["NN", 256, 30, 128],
  ["NN", 256, 128, 64],
  ["NN", 256, 64, 1],
  ["TN", 30, 256, 128],
  ["TN", 128, 256, 64],
  ["TN", 64, 256, 1],
  ["NT", 256, 64, 128],
  ["NT", 256, 1, 64],
  ["NN", 200, 23, 40],
  ["NN", 200, 40, 3],
  ["TN", 23, 200, 40],
  ["TN", 40, 200, 3],
  ["NT", 200, 3, 40],
];
/** Where a software GPU would take ten seconds for a product. */
const LARGE_SHAPES: typeof SHAPES = [
  ["NN", 4096, 4096, 4096],
  ["TN", 4096, 4096, 4096],
  ["NT", 4096, 4096, 4096],
];
const PARAMETERS = 100_352;
/** A segment is what runs between two clock readings; the best of all rounds counts, as other programs disturb the rest. */
const SEGMENT_MS = 20;
const ROUNDS = 20;
/** A slow kernel has fewer rounds. */
const BUDGET_MS = 600;

interface Kernel {
  readonly device: WebGpuDevice;
  readonly step: CompiledStep;
  count: number;
  /** Milliseconds by the clock, and of this process's CPU, which on a software GPU other programs disturb less. */
  best: number;
  cpu: number;
}

async function prepare(
  device: WebGpuDevice,
  graph: Graph,
  leaves: readonly Tensor[],
  matmul?: MatmulVariant,
): Promise<Kernel> {
  const bindings = Object.fromEntries(
    leaves.map((t) => {
      const values = Float32Array.from({ length: sizeOf(t.shape) }, (_, i) => Math.abs(Math.sin(i)) + 0.1);
      return [t.node.attrs.name, device.tensor(t, t.node.attrs.name, values)];
    }),
  );
  const step = await device.compile(graph, {
    bindings,
    label: "kernel",
    plan: "dispatch",
    limits: matmul ? { force: { matmul } } : {},
  });
  const kernel = { device, step, count: 1, best: 0, cpu: Number.POSITIVE_INFINITY };
  await time(kernel);
  kernel.best = await time(kernel);
  kernel.count = Math.max(1, Math.min(200, Math.round(SEGMENT_MS / kernel.best)));
  return kernel;
}

/** Milliseconds of one run. */
async function time(kernel: Kernel): Promise<number> {
  const { device, step, count } = kernel;
  const start = performance.now();
  const cpu = process.cpuUsage();
  for (let i = 0; i < count; i++) device.enqueue(step, {});
  await device.flush();
  const { user, system } = process.cpuUsage(cpu);
  kernel.cpu = Math.min(kernel.cpu, (user + system) / 1000 / count);
  return (performance.now() - start) / count;
}

async function measure(kernels: readonly Kernel[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const kernel of kernels) {
      if (round * kernel.best * kernel.count < BUDGET_MS) kernel.best = Math.min(kernel.best, await time(kernel));
    }
  }
  for (const { step } of kernels) step.dispose();
}

function product(layout: string, m: number, k: number, n: number): { graph: Graph; leaves: Tensor[] } {
  const a = layout === "TN" ? input("a", [k, m]) : input("a", [m, k]);
  const b = layout === "NT" ? input("b", [n, k]) : input("b", [k, n]);
  const y = matmul(a, b, { transposeA: layout === "TN", transposeB: layout === "NT" });
  return { graph: { outputs: { y }, updates: [] }, leaves: [a, b] };
}

function adam(): { graph: Graph; leaves: Tensor[] } {
  const g = input("g", [PARAMETERS]);
  const [p, m, v] = ["p", "m", "v"].map((name) => state(name, [PARAMETERS]));
  const first = add(mul(m, 0.9), mul(g, 0.1));
  const second = add(mul(v, 0.999), mul(square(g), 0.001));
  const next = sub(p, div(mul(first, 0.001), add(sqrt(second), 1e-7)));
  const updates = [
    { state: p, value: next },
    { state: m, value: first },
    { state: v, value: second },
  ];
  return { graph: { outputs: {}, updates }, leaves: [g, p, m, v] };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { device: { type: "string", default: "webgpu" } } });
  const opened: NodeGpu = await openGpu({ device: values.device as GpuName });
  const info = { software: opened.kind === "software", adapter: opened.driver };
  const own = await openGpuDevice({ gpu: opened.gpu, info });
  const variants = MATMUL_VARIANTS.filter((variant) => supportsMatmul(variant, own.limits));

  console.log(`## ${opened.driver}\n\nGFLOP/s, dispatch included; in bold what tilegrad chooses.\n`);
  console.log(`| m x k x n | ${variants.join(" | ")} | best (us) | chosen, per CPU second |`);
  console.log(`|---|${"---:|".repeat(variants.length + 2)}`);
  for (const [layout, m, k, n] of own.info.software ? SHAPES : [...LARGE_SHAPES, ...SHAPES]) {
    const { graph, leaves } = product(layout, m, k, n);
    const kernels: Kernel[] = [];
    for (const variant of variants) kernels.push(await prepare(own, graph, leaves, variant));
    // Two variants may share a shader, which then runs in workgroups of their own.
    const call = (matmul?: MatmulVariant): string => {
      const { shader, workgroups } = compileGraph(graph, { ...own.limits, ...(matmul ? { force: { matmul } } : {}) })
        .calls[0];
      return `${shader} ${workgroups}`;
    };
    const chosen = variants.findIndex((variant) => call(variant) === call());
    await measure(kernels);
    const cells = kernels.map(({ best }, i) => {
      const speed = ((2 * m * k * n) / best / 1e6).toFixed(2);
      return i === chosen ? `**${speed}**` : speed;
    });
    const best = Math.min(...kernels.map((kernel) => kernel.best));
    const perCpu = own.info.software ? ((2 * m * k * n) / kernels[chosen].cpu / 1e6).toFixed(2) : "-";
    console.log(`| ${layout} ${m} x ${k} x ${n} | ${cells.join(" | ")} | ${(1000 * best).toFixed(0)} | ${perCpu} |`);
  }
  const { graph, leaves } = adam();
  const update = await prepare(own, graph, leaves);
  await measure([update]);
  const bytes = 4 * 7 * PARAMETERS;
  const speed = (bytes / update.best / 1e6).toFixed(1);
  console.log(`\nAdam over ${PARAMETERS} parameters: ${(1000 * update.best).toFixed(0)} us, ${speed} GB/s.`);
  own.dispose();
}

await main();
process.exit();
