/**
 * What ops give at the edges of f32: NaN, infinities, zeros of both signs, subnormal numbers, sizes that overflow. The CPU device
 * in f32 says what is right; of two freedoms that WGSL leaves, a device may take either: it may read and write subnormal numbers
 * as zeros, and the sign of a zero is its own.
 */
import { openCpu } from "../cpu/device.ts";
import type { CompiledStep, CompileGraphOptions, Device } from "../device.ts";
import type { Elements, OpDef, Sample, SampleInput } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { Tolerance } from "./compare.ts";
import { F32 } from "./compare.ts";
import { SAMPLE_STEP, sampleGraph } from "./samples.ts";

const LEAST_NORMAL = 2 ** -126;
/**
 * Some are there for what functions do: e^89 overflows, e^-104 is 0, sin(1e9) needs more digits of pi than f32 has, 5e9 is no u32.
 * Their count is a multiple of 4: kernels take them by fours.
 */
const EDGES = [
  ...[Number.NaN, Infinity, -Infinity, 0, -0, LEAST_NORMAL, -LEAST_NORMAL, 1e-40, -1e-40, 1e30, -1e30],
  ...[1, -1, 0.5, -2.5, 2.9, 3, 20, -20, 89, -104, 1e-5, 1e9, 5e9],
];
/** What a single element of a larger input becomes, in turn. */
const SPOILERS = [Number.NaN, Infinity, -Infinity, 1e-40, 1e30];
/** Elements of the largest sample that is spoilt. */
const MOST = 4096;

type How = Partial<Pick<CompileGraphOptions, "plan">>;

interface EdgeCase {
  readonly name: string;
  /** The largest finite number fed. */
  readonly size: number;
  readonly feeds: Readonly<Record<string, Elements>>;
}

/** One graph, and what it is fed in turn. */
export interface EdgeCheck {
  readonly sample: Sample;
  readonly cases: readonly EdgeCase[];
}

const isFloat = ({ dtype }: SampleInput): boolean => dtype === "f32";

/** Whether an op has inputs that can be at the edges; those that must be finite are its callers' to check. */
export const hasEdges = (op: OpDef): boolean =>
  !op.finite && (op.samples?.() ?? []).some(({ inputs }) => inputs.some(isFloat));

/** Every combination of edge values for ops that work element by element; for others, each float input spoilt in one element. */
export function edgesOf(op: OpDef): readonly EdgeCheck[] {
  const samples = (op.samples?.() ?? []).filter(({ inputs }) => inputs.some(isFloat));
  if (!hasEdges(op)) return [];
  if (op.pointwise)
    return [...new Map(samples.map((sample) => [JSON.stringify(sample.attrs), sample])).values()].map(combined);
  const size = ({ inputs }: Sample): number => inputs.reduce((n, input) => n + sizeOf(input.shape), 0);
  const bySize = [...samples].sort((a, b) => size(b) - size(a));
  const fitting = bySize.filter((sample) => size(sample) <= MOST);
  if (fitting.length === 0) fitting.push(bySize[bySize.length - 1]);
  const byAttrs = new Map(fitting.map((sample) => [JSON.stringify(sample.attrs), sample]));
  return [...byAttrs.values()].map((sample) => spoilt(op, sample));
}

function combined(sample: Sample): EdgeCheck {
  const arity = sample.inputs.length;
  const count = EDGES.length ** arity;
  const inputs = sample.inputs.map((input, k): SampleInput => {
    const values = Array.from({ length: count }, (_, i) => EDGES[Math.floor(i / EDGES.length ** k) % EDGES.length]);
    return { dtype: input.dtype, shape: [count], values };
  });
  return { sample: { ...sample, inputs }, cases: [{ name: "all", size: 1, feeds: {} }] };
}

function spoilt(op: OpDef, sample: Sample): EdgeCheck {
  const { feeds } = sampleGraph(op, sample, { gradient: false });
  const cases = sample.inputs.flatMap((input, k) =>
    isFloat(input) && sizeOf(input.shape) > 0
      ? SPOILERS.map((value): EdgeCase => {
          const values = Float32Array.from(feeds[`x${k}`]);
          const at = Math.floor(values.length / 2);
          values[at] = value;
          const size = Number.isFinite(value) ? Math.max(1, value) : 1;
          return { name: `input ${k} [${at}] = ${value}`, size, feeds: { [`x${k}`]: values } };
        })
      : [],
  );
  return { sample, cases };
}

/** Whether `got` is a right answer where `want` is one. */
function agrees(got: number, want: number, { rtol, atol }: Tolerance): boolean {
  if (Number.isNaN(want)) return Number.isNaN(got);
  if (!Number.isFinite(want)) return got === want;
  return Math.abs(got - want) <= LEAST_NORMAL + atol + rtol * Math.abs(want);
}

/**
 * As `agrees`, for ops that mix elements: what is not finite there must not be here. It may spread, since kernels multiply what
 * lies outside by 0; infinities of both signs may meet in another order.
 */
function mixed(got: number, want: number, tolerance: Tolerance): boolean {
  return Number.isFinite(want) ? !Number.isFinite(got) || agrees(got, want, tolerance) : !Number.isFinite(got);
}

const flushed = (values: Elements): Elements =>
  values instanceof Float32Array ? values.map((x) => (Math.abs(x) < LEAST_NORMAL ? 0 * x : x)) : values;

/** Runs all cases of one check on a compiled step. */
async function runCases(
  device: Device,
  op: OpDef,
  { sample, cases }: EdgeCheck,
  how: How,
  change: (values: Elements, input: string) => Elements = (values) => values,
): Promise<Record<string, Elements>[]> {
  const graph = sampleGraph(op, sample, { gradient: false });
  const bindings = Object.fromEntries(
    Object.entries(graph.types).map(([name, type]) => [name, device.tensor(type, name, graph.feeds[name])]),
  );
  let step: CompiledStep | null = null;
  try {
    step = await device.compile(graph.graph, { bindings, label: graph.name, ...how });
    const results: Record<string, Elements>[] = [];
    for (const { feeds } of cases) {
      for (const [name, tensor] of Object.entries(bindings))
        tensor.write(change(feeds[name] ?? graph.feeds[name], name));
      device.enqueue(step, SAMPLE_STEP);
      await device.flush();
      const read: Record<string, Elements> = {};
      for (const [name, tensor] of Object.entries(step.outputs)) read[name] = (await tensor.read()).slice();
      results.push(read);
    }
    return results;
  } finally {
    step?.dispose();
    for (const tensor of Object.values(bindings)) tensor.dispose();
  }
}

/** What a device gives at the edges that is neither right nor left to it; empty where all is well. */
export async function checkEdges(device: Device, op: OpDef, how: How = {}): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const check of edgesOf(op)) {
    const cpu = openCpu();
    const want = await runCases(cpu, op, check, {});
    // With any of the inputs, or all, read without subnormal numbers.
    const subsets = op.pointwise ? Array.from({ length: 2 ** check.sample.inputs.length - 1 }, (_, i) => i + 1) : [-1];
    const zeroed: Record<string, Elements>[][] = [];
    for (const subset of subsets) {
      const isIn = (input: string): boolean => (subset & (1 << Number(input.slice(1)))) !== 0;
      zeroed.push(await runCases(cpu, op, check, {}, (x, input) => (isIn(input) ? flushed(x) : x)));
    }
    const got = await runCases(device, op, check, how);
    const { rtol = F32.rtol, atol = F32.atol } = check.sample;
    for (const [c, { name, size }] of check.cases.entries()) {
      const tolerance = { rtol, atol: atol * size };
      const accepts = op.pointwise ? agrees : mixed;
      for (const output of Object.keys(want[c])) {
        for (const [i, value] of got[c][output].entries()) {
          const fed = check.sample.inputs.map(({ values = [] }) => values[i]);
          const isBeyond = op.domain && Number.isFinite(fed[0]) && (fed[0] < op.domain[0] || fed[0] > op.domain[1]);
          const right = [want, ...zeroed].map((results) => results[c][output][i]);
          if (isBeyond ? Math.abs(value) <= 1 : right.some((r) => accepts(value, r, tolerance))) continue;
          const where = op.pointwise ? `(${fed.join(", ")})` : ` with ${name}, ${output}[${i}]`;
          wrong.push(`${op.name}${where}: got ${value}; expected ${right[0]}.`);
        }
      }
    }
  }
  return wrong;
}
