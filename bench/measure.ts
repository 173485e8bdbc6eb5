/** One peer on one workload, in this process or page: what the runner's child processes do. */
import { type Batch, batches, initialWeights, normals, stepsPerEpoch, trainingData } from "./data.ts";
import { type Engine, type Host, type Peer, Unavailable } from "./peers/peer.ts";
import type { Inference, Matmul, Training, Workload } from "./workloads.ts";

/** Times are milliseconds: of a training step, a product, or one call of `predict`. */
export interface Measurement {
  readonly about: Readonly<Record<string, string>>;
  /** From the opened device to the loss of the first step: build, compile, upload, run. */
  readonly firstMs: number;
  /** One per timed segment (its mean). */
  readonly ms: readonly number[];
  /**
   * What proves equal work, after each segment, the warm-up included: the loss of the last step, the product's first
   * element, or the mean probability. Compare equal places only; a slow peer has fewer.
   */
  readonly proofs: readonly number[];
  /** Dispatches of one training step, on WebGPU. */
  readonly dispatches?: number;
}

export interface Limits {
  /** No segment is begun after this many milliseconds; a warm-up that alone takes longer counts as the measurement. */
  readonly budgetMs: number;
}

type Run = (segment: number) => Promise<{ proof: number; ms?: number; count: number }>;

/** Segment 0 is the warm-up. */
async function segments(count: number, limits: Limits, run: Run) {
  const ms: number[] = [];
  const proofs: number[] = [];
  const begin = performance.now();
  for (let segment = 0; segment < count; segment++) {
    if (ms.length > 0 && performance.now() - begin > limits.budgetMs) break;
    const start = performance.now();
    const result = await run(segment);
    const elapsed = result.ms ?? performance.now() - start;
    if (segment > 0 || elapsed > limits.budgetMs) ms.push(elapsed / result.count);
    proofs.push(result.proof);
  }
  return { ms, proofs };
}

async function timed<T>(body: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await body();
  return [result, performance.now() - start];
}

function take(source: Generator<Batch, never>, count: number): Batch[] {
  return Array.from({ length: count }, () => source.next().value);
}

/** Counts the dispatches of whoever uses WebGPU in this process, from now on. */
function countDispatches(): () => number {
  let count = 0;
  const passes = globalThis.GPUComputePassEncoder?.prototype as GPUComputePassEncoder | undefined;
  if (!passes) return () => 0;
  const dispatch = passes.dispatchWorkgroups;
  passes.dispatchWorkgroups = function (...given) {
    count++;
    return dispatch.apply(this, given);
  };
  return () => count;
}

async function measureTraining(
  engine: Engine,
  workload: Training,
  limits: Limits,
): Promise<Omit<Measurement, "about">> {
  const weights = initialWeights(workload);
  // The first step is that of a model of its own over one batch of data, so that the real run starts at step 0.
  const small = { ...workload, rows: workload.batch };
  const [firstBatch] = take(batches(small), 1);
  const [, firstMs] = await timed(async () => (await engine.trainer(small, weights))([firstBatch]));
  const train = await engine.trainer(workload, weights);
  const source = batches(workload);
  const perSegment = workload.epochsPerSegment * stepsPerEpoch(workload);
  // All before the first clock starts: a peer that keeps its device busy between segments would gain from a pause.
  const prepared = Array.from({ length: workload.segments }, () => take(source, perSegment));
  const counted = countDispatches();
  let told: number | undefined;
  const timing = await segments(workload.segments, limits, async (segment) => {
    const { value, ms, dispatches } = await train(prepared[segment]);
    told = dispatches;
    return { proof: value, ms, count: perSegment };
  });
  const dispatches = told ?? counted() / (perSegment * timing.proofs.length);
  return { firstMs, ...timing, ...(dispatches > 0 ? { dispatches } : {}) };
}

async function measureMatmul(engine: Engine, workload: Matmul, limits: Limits): Promise<Omit<Measurement, "about">> {
  const { matmul } = engine;
  if (matmul === undefined) throw new Unavailable("no matmul");
  const size = workload.n ** 2;
  const [multiply, firstMs] = await timed(async () => {
    const run = await matmul(workload, normals(size, undefined, 0), normals(size, undefined, 1));
    await run();
    return run;
  });
  const run: Run = async () => {
    const { value, ms } = await multiply();
    return { proof: value, ms, count: 1 };
  };
  return { firstMs, ...(await segments(workload.segments, limits, run)) };
}

async function measureInference(
  engine: Engine,
  workload: Inference,
  limits: Limits,
): Promise<Omit<Measurement, "about">> {
  const { predictor } = engine;
  if (predictor === undefined) throw new Unavailable("no inference");
  const { x } = trainingData(workload.model, workload.rows);
  const [predict, firstMs] = await timed(async () => {
    const run = await predictor(workload.model, initialWeights(workload.model));
    await run(x);
    return run;
  });
  const run: Run = async () => {
    let scores: Float32Array = new Float32Array();
    let told: number | undefined;
    for (let call = 0; call < workload.calls; call++) {
      const { value, ms } = await predict(x);
      scores = value;
      if (ms !== undefined) told = (told ?? 0) + ms;
    }
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    return { proof: mean, ms: told, count: workload.calls };
  };
  return { firstMs, ...(await segments(workload.segments, limits, run)) };
}

async function measure(engine: Engine, workload: Workload, limits: Limits): Promise<Measurement> {
  const { about } = engine;
  switch (workload.kind) {
    case "training":
      return { about, ...(await measureTraining(engine, workload, limits)) };
    case "matmul":
      return { about, ...(await measureMatmul(engine, workload, limits)) };
    case "inference":
      return { about, ...(await measureInference(engine, workload, limits)) };
    default:
      return workload satisfies never;
  }
}

/** What a measurement came to, or why there is none. */
export type Answer = { readonly measurement: Measurement } | { readonly unavailable: string };

export async function answer(peer: Peer, workload: Workload, host: Host, limits: Limits): Promise<Answer> {
  try {
    const { about, ...times } = await measure(await peer.open(host), workload, limits);
    return { measurement: { about: { ...about, ...host.about }, ...times } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { unavailable: error instanceof Unavailable ? reason : `failed: ${reason.split("\n")[0].slice(0, 200)}` };
  }
}
