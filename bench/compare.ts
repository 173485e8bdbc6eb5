/** Regression mode: two result files, compared by ratio. */
import fs from "node:fs";
import { isOurs, type Results, type WorkloadResult } from "./results.ts";

export interface Change {
  readonly workload: string;
  readonly peer: string;
  /** Time after / time before. */
  readonly raw: number;
  /** The same, divided by what happened to the other peers: the machine's own drift. */
  readonly change: number;
}

const geometricMean = (values: readonly number[]) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

function ratios(before: WorkloadResult, after: WorkloadResult): [string, number][] {
  return Object.entries(before.peers)
    .filter(([peer]) => peer in after.peers)
    .map(([peer, { ms }]) => [peer, after.peers[peer].ms.median / ms.median]);
}

/** Of each workload that both files have: our peers against themselves. Without other peers the drift counts as 1. */
export function changes(before: Results, after: Results): Change[] {
  return before.workloads.flatMap((old) => {
    const now = after.workloads.find(({ name }) => name === old.name);
    if (now === undefined) return [];
    const all = ratios(old, now);
    const others = all.filter(([peer]) => !isOurs(peer)).map(([, ratio]) => ratio);
    const drift = others.length > 0 ? geometricMean(others) : 1;
    const ours = all.filter(([peer]) => isOurs(peer));
    return ours.map(([peer, raw]) => ({ workload: old.name, peer, raw, change: raw / drift }));
  });
}

/** Prints the changes; gives exit status 1 when one is slower than `tolerance` times before. */
export function compareFiles(before: string, after: string, tolerance: number): number {
  const [a, b] = [before, after].map((file) => JSON.parse(fs.readFileSync(file, "utf8")) as Results);
  const found = changes(a, b);
  console.log("| workload | peer | time after / before | corrected by the other peers |\n|---|---|---|---|");
  for (const { workload, peer, raw, change } of found) {
    const mark = change > tolerance ? " slower" : "";
    console.log(`| ${workload} | ${peer} | ${raw.toFixed(2)} | ${change.toFixed(2)}${mark} |`);
  }
  return found.some(({ change }) => change > tolerance) ? 1 : 0;
}
