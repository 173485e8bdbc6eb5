/** `npm run bench -- [workload...]`: see USAGE. Each measurement runs in a child process, so that a crash costs only itself. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { GPU_NAMES, type GpuName } from "../src/platform.ts";
import type { BrowserGpu } from "../tests/browser/chromium.ts";
import { compareFiles } from "./compare.ts";
import { type Answer, answer, type Measurement } from "./measure.ts";
import { nodeHost } from "./nodeHost.ts";
import { peers } from "./peers/index.ts";
import { webPeers } from "./peers/web.ts";
import {
  combine,
  describeHost,
  markdown,
  merge,
  type PeerResult,
  type Results,
  readWorkloads,
  spread,
  type WorkloadResult,
  writeResults,
} from "./results.ts";
import { defaultWorkloads, type Workload, workloads } from "./workloads.ts";

const BROWSER_GPUS: readonly BrowserGpu[] = ["webgpu", "swiftshader"];

const USAGE = `npm run bench -- [workload...] [options]
  workloads: ${workloads.map(({ name }) => name).join(", ")}; default ${defaultWorkloads.map(({ name }) => name).join(", ")}
  --peer NAME        one of ${peers.map(({ name }) => name).join(", ")}; repeatable, default all
  --device NAME      the GPU of the peers that use one: ${GPU_NAMES.join(", ")}; default ${GPU_NAMES[0]}
  --browser          measures in pages of a real Chromium, all but PyTorch; devices ${BROWSER_GPUS.join(", ")}
  --repeat N         measurements of each peer, interleaved (default 3)
  --budget SECONDS   a peer starts nothing more after this time (default 10)
  --timeout SECONDS  a measurement that takes longer is stopped, and the table says so (default 130)
  --name NAME        of the files in bench/results (default: the device, after "chromium-" in a browser)
  --merge            keeps the other workloads of that JSON file
  --json             the results as one JSON object on stdout, the table on stderr
  --compare A B      compares two result files; exit 1 when ours is slower than --tolerance (default 1.25) times before

npm run bench -- PROGRAM [options], without any peer
  encoding           what the host pays to hand dispatches to the GPU
  kernels            every matmul kernel over the shapes of dense layers
  profile            where the time of a training step goes, kernel by kernel
  scaling            how time and memory grow with batch, width, depth and rows
  smote              SMOTE of 100,000 rows on a device
  streaming          training from a CSV file that is larger than memory should be`;

function usageError(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}

function find<T extends { name: string }>(what: string, all: readonly T[], name: string): T {
  return all.find((item) => item.name === name) ?? usageError(`No ${what} "${name}".`);
}

/** In the child: measures, answers the parent, ends (a GPU instance would keep the process alive). */
async function child([peer, workload, device, budgetMs]: readonly string[]): Promise<never> {
  const host = nodeHost(device as GpuName);
  const limits = { budgetMs: Number(budgetMs) };
  const message = await answer(find("peer", peers, peer), find("workload", workloads, workload), host, limits);
  await new Promise((resolve) => process.send?.(message, resolve));
  process.exit(0);
}

/** Runs one measurement in a child process, which for a browser starts that. */
function measureApart(peer: string, workload: string, options: Options): Promise<Answer> {
  const { device, budgetMs, timeoutMs, browser } = options;
  const program = browser ? fileURLToPath(new URL("chromium.js", import.meta.url)) : fileURLToPath(import.meta.url);
  const task = [peer, workload, device, String(budgetMs)];
  const process_ = fork(program, browser ? task : ["--child", ...task], {
    // Mesa's cache on disk would hide what a first step costs.
    env: { ...process.env, MESA_SHADER_CACHE_DISABLE: "true" },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const errors: string[] = [];
  process_.stderr?.on("data", (chunk) => errors.push(String(chunk)));
  return new Promise((resolve) => {
    const stop = (reason: string) => {
      clearTimeout(timer);
      // A child in which a driver hangs dies of it at once; one with a browser closes that.
      process_.kill("SIGTERM");
      resolve({ unavailable: reason });
    };
    const timer = setTimeout(() => stop(`no result in ${timeoutMs / 1000} s`), timeoutMs);
    process_.on("message", (answer) => {
      clearTimeout(timer);
      resolve(answer as Answer);
    });
    process_.on("exit", (code, signal) => {
      const said =
        errors
          .join("")
          .split("\n")
          .find((line) => /error/i.test(line)) ?? "";
      stop(`crashed (${signal ?? `exit ${code}`}) ${said}`.trim());
    });
  });
}

interface Options {
  readonly peers: readonly string[];
  readonly device: string;
  readonly repeats: number;
  readonly budgetMs: number;
  /** Some peers never finish their first step. */
  readonly timeoutMs: number;
  readonly browser: boolean;
}

/** All peers on one workload, taking turns. */
async function runWorkload(workload: Workload, options: Options): Promise<WorkloadResult> {
  const measured = new Map<string, Measurement[]>();
  const unavailable: Record<string, string> = {};
  for (let repeat = 0; repeat < options.repeats; repeat++) {
    for (const peer of options.peers.filter((name) => !(name in unavailable))) {
      const answer = await measureApart(peer, workload.name, options);
      const turn = `${workload.name} ${repeat + 1}/${options.repeats} ${peer}`;
      if ("unavailable" in answer) {
        unavailable[peer] = answer.unavailable;
        measured.delete(peer);
        console.error(`${turn}: ${answer.unavailable}`);
      } else {
        measured.set(peer, [...(measured.get(peer) ?? []), answer.measurement]);
        console.error(`${turn}: ${spread(answer.measurement.ms).median.toPrecision(3)} ms`);
      }
    }
  }
  const results = [...measured].map(([peer, repeats]): [string, PeerResult] => [peer, combine(repeats)]);
  return { name: workload.name, peers: Object.fromEntries(results), unavailable };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        peer: { type: "string", multiple: true },
        device: { type: "string", default: GPU_NAMES[0] },
        repeat: { type: "string", default: "3" },
        budget: { type: "string", default: "10" },
        timeout: { type: "string", default: "130" },
        name: { type: "string" },
        browser: { type: "boolean", default: false },
        merge: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        compare: { type: "boolean", default: false },
        tolerance: { type: "string", default: "1.25" },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return usageError((error as Error).message);
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  return value > 0 && Number.isFinite(value)
    ? value
    : usageError(`--${name}: got "${text}"; expected a number above 0.`);
}

async function main(): Promise<number> {
  if (process.argv[2] === "--child") return child(process.argv.slice(3));
  const { values, positionals } = parse(process.argv.slice(2));
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.compare) {
    if (positionals.length !== 2) usageError("--compare needs two result files.");
    try {
      return compareFiles(positionals[0], positionals[1], positive("tolerance", values.tolerance));
    } catch (error) {
      return usageError(`--compare: ${(error as Error).message}.`);
    }
  }
  const chosen =
    positionals.length > 0 ? positionals.map((name) => find("workload", workloads, name)) : defaultWorkloads;
  const { browser, device } = values;
  const known = browser ? webPeers : peers;
  const devices: readonly string[] = browser ? BROWSER_GPUS : GPU_NAMES;
  if (!devices.includes(device)) usageError(`No device "${device}".`);
  const options: Options = {
    peers: values.peer?.map((name) => find("peer", known, name).name) ?? known.map(({ name }) => name),
    device,
    repeats: Math.round(positive("repeat", values.repeat)),
    budgetMs: 1000 * positive("budget", values.budget),
    timeoutMs: 1000 * positive("timeout", values.timeout),
    browser,
  };
  const name = values.name ?? (browser ? `chromium-${device}` : device);
  const setting = { device, repeats: options.repeats, host: describeHost() };
  let old: readonly WorkloadResult[] = [];
  try {
    if (values.merge) old = readWorkloads(name, setting);
  } catch (error) {
    usageError(`--merge: ${(error as Error).message}.`);
  }
  const done: WorkloadResult[] = [];
  for (const workload of chosen) done.push(await runWorkload(workload, options));
  const results: Results = { ...setting, workloads: merge(old, done, workloads) };
  const table = markdown(results, workloads);
  writeResults(name, results, table);
  if (values.json) console.log(JSON.stringify(results));
  (values.json ? console.error : console.log)(table);
  return done.every(({ peers: measured }) => Object.keys(measured).length === 0) ? 1 : 0;
}

process.exitCode = await main();
