/** What a run of the benchmark leaves: a JSON file, and the Markdown table made from it. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { Measurement } from "./measure.ts";
import type { Workload } from "./workloads.ts";

// As seen from the bundle, bench/dist/run.js.
const FOLDER = fileURLToPath(new URL("../results/", import.meta.url));
/** Proofs of equal work farther apart than this are marked. */
const PROOF_TOLERANCE = 1e-3;

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: number;
}

export interface PeerResult {
  readonly about: Readonly<Record<string, string>>;
  /** Milliseconds per training step, product or call. */
  readonly ms: Spread;
  /** Milliseconds from the opened device to the first loss, product or answer; shader caches on disk are off. */
  readonly first: Spread;
  /** After each segment: the last step's loss, the product's first element, or the mean probability. */
  readonly proofs: readonly number[];
  /** Dispatches of one training step, on WebGPU. */
  readonly dispatches?: number;
}

export interface WorkloadResult {
  readonly name: string;
  readonly peers: Readonly<Record<string, PeerResult>>;
  /** Why the others gave nothing. */
  readonly unavailable: Readonly<Record<string, string>>;
}

export interface Results {
  readonly device: string;
  readonly repeats: number;
  readonly host: { readonly node: string; readonly platform: string; readonly cpu: string; readonly cores: number };
  readonly workloads: readonly WorkloadResult[];
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1], samples: sorted.length };
}

/** One peer's repeats as one result; each must have done the same work. */
export function combine(repeats: readonly Measurement[]): PeerResult {
  const longest = repeats.reduce((a, b) => (b.proofs.length > a.proofs.length ? b : a));
  return {
    about: longest.about,
    ms: spread(repeats.flatMap(({ ms }) => ms)),
    first: spread(repeats.map(({ firstMs }) => firstMs)),
    proofs: longest.proofs,
    ...(longest.dispatches === undefined ? {} : { dispatches: longest.dispatches }),
  };
}

export function describeHost(): Results["host"] {
  const cpus = os.cpus();
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus[0]?.model ?? "unknown",
    cores: cpus.length,
  };
}

/** Peers of ours: what the others are compared with. */
export const isOurs = (peer: string) => peer.startsWith("tilegrad");

/** The peer others are divided by: our WebGPU backend, else our CPU backend. */
function baseline(peers: WorkloadResult["peers"]): string | undefined {
  return Object.keys(peers)
    .filter(isOurs)
    .sort((a, b) => Number(b.endsWith("webgpu")) - Number(a.endsWith("webgpu")))[0];
}

const digits = (value: number) => (value >= 1000 ? value.toFixed(0) : value.toPrecision(3));

/** What a time means: GFLOP/s, rows/s, or nothing more. */
function throughput(workload: Workload | undefined, ms: number): string {
  if (workload?.kind === "matmul") return `${digits((2 * workload.n ** 3) / ms / 1e6)} GFLOP/s`;
  if (workload?.kind === "inference" && workload.rows > 1) return `${digits(workload.rows / (ms / 1000))} rows/s`;
  return "";
}

/** The last proof both have, and a mark when it differs from the reference's at that place. */
function proofCell(proofs: readonly number[], reference: readonly number[]): string {
  const place = Math.min(proofs.length, reference.length) - 1;
  const [value, expected] = [proofs[place], reference[place]];
  const same = Math.abs(value - expected) <= PROOF_TOLERANCE * Math.abs(expected);
  const where = proofs.length < reference.length ? ` (segment ${place + 1})` : "";
  return `${value.toPrecision(6)}${where}${same ? "" : ` ≠ ${expected.toPrecision(6)}`}`;
}

function workloadTable({ name, peers, unavailable }: WorkloadResult, workload: Workload | undefined): string {
  const base = baseline(peers);
  const all = Object.entries(peers);
  const longest = all.reduce<readonly number[]>((a, [, { proofs }]) => (proofs.length > a.length ? proofs : a), []);
  const reference = base === undefined ? longest : peers[base].proofs;
  const unit = workload?.kind === "training" ? "ms/step" : "ms";
  const proof = workload?.kind === "training" ? "final loss" : "proof";
  const rows = all.map(([peer, { ms, first, proofs, dispatches }]) => {
    const ratio = base === undefined ? "" : `${digits(ms.median / peers[base].ms.median)}x`;
    const range = `${digits(ms.min)} - ${digits(ms.max)}`;
    const cells = [
      peer,
      digits(ms.median),
      range,
      ratio,
      dispatches === undefined ? throughput(workload, ms.median) : digits(dispatches),
      digits(first.median),
    ];
    return `| ${[...cells, proofCell(proofs, reference)].join(" | ")} |`;
  });
  const missing = Object.entries(unavailable).map(([peer, reason]) => `- ${peer}: ${reason}`);
  return [
    `### ${name}`,
    "",
    `| peer | ${unit} (median) | min - max | time / ${base ?? "tilegrad"} | ${workload?.kind === "training" ? "dispatches/step" : "throughput"} | first (ms) | ${proof} |`,
    "|---|---|---|---|---|---|---|",
    ...rows,
    ...(missing.length > 0 ? ["", "Not measured:", "", ...missing] : []),
  ].join("\n");
}

export function markdown(results: Results, workloads: readonly Workload[]): string {
  const { device, host, repeats } = results;
  const abouts = new Map(
    results.workloads.flatMap(({ peers }) => Object.entries(peers).map(([peer, { about }]) => [peer, about] as const)),
  );
  const browser = [...abouts.values()].find((about) => "browser" in about)?.browser;
  const versions = [...abouts].map(([peer, { browser: _, ...about }]) => {
    const facts = Object.entries(about).map(([key, value]) => `${key} ${value}`);
    return `- ${peer}: ${facts.join(", ") || "-"}`;
  });
  const tables = results.workloads.map((result) =>
    workloadTable(
      result,
      workloads.find(({ name }) => name === result.name),
    ),
  );
  return [
    `## Device \`${device}\``,
    "",
    `${browser ?? `Node ${host.node}`}, ${host.platform}, ${host.cpu}, ${host.cores} cores; ${repeats} interleaved repeats, each peer in a`,
    "process of its own. `≠` marks work that is not equal.",
    "",
    ...versions,
    "",
    tables.join("\n\n"),
    "",
  ].join("\n");
}

/**
 * The workloads of an earlier run of that name; none where there is no such file.
 * @throws where that was another machine, device or number of repeats
 */
export function readWorkloads(name: string, setting: Omit<Results, "workloads">): readonly WorkloadResult[] {
  const file = path.join(FOLDER, `${name}.json`);
  if (!fs.existsSync(file)) return [];
  const { workloads, ...before } = JSON.parse(fs.readFileSync(file, "utf8")) as Results;
  if (!isDeepStrictEqual(before, setting)) throw new Error(`${name}.json was measured elsewhere or otherwise`);
  return workloads;
}

/** Each workload of both, in order; where both have it the new one. One is never put together of two runs. */
export function merge(
  old: readonly WorkloadResult[],
  now: readonly WorkloadResult[],
  order: readonly Workload[],
): WorkloadResult[] {
  const all = [...now, ...old];
  return order.flatMap(({ name }) => all.find((workload) => workload.name === name) ?? []);
}

/** Writes `<name>.json` and `<name>.md` into bench/results. */
export function writeResults(name: string, results: Results, table: string): void {
  fs.mkdirSync(FOLDER, { recursive: true });
  fs.writeFileSync(path.join(FOLDER, `${name}.json`), `${JSON.stringify(results, undefined, 2)}\n`);
  fs.writeFileSync(path.join(FOLDER, `${name}.md`), table);
}
