/** `npm run bench -- [workload...]`: see USAGE. Each measurement runs in a child process, so that a crash costs only itself. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { GPU_NAMES } from "../src/node/gpu.ts";
import { compareFiles } from "./compare.ts";
import { type Measurement, measure } from "./measure.ts";
import { peers } from "./peers/index.ts";
import { Unavailable } from "./peers/peer.ts";
import { combine, describeHost, markdown, type PeerResult, type Results, spread, writeResults } from "./results.ts";
import { defaultWorkloads, type Workload, workloads } from "./workloads.ts";

const USAGE = `npm run bench -- [workload...] [options]
  workloads: ${workloads.map(({ name }) => name).join(", ")}; default ${defaultWorkloads.map(({ name }) => name).join(", ")}
  --peer NAME        one of ${peers.map(({ name }) => name).join(", ")}; repeatable, default all
  --device NAME      the GPU of the peers that use one: ${GPU_NAMES.join(", ")}; default ${GPU_NAMES[0]}
  --repeat N         measurements of each peer, interleaved (default 3)
  --budget SECONDS   a peer starts nothing more after this time (default 10)
  --name NAME        of the files in bench/results (default: the device)
  --json             the results as one JSON object on stdout, the table on stderr
  --compare A B      compares two result files; exit 1 when ours is slower than --tolerance (default 1.25) times before`;

/** A child that has not answered after the budget and this long is stopped: some peers never finish their first step. */
const GRACE_MS = 120_000;

type Answer = { measurement: Measurement } | { unavailable: string };

function usageError(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}

function find<T extends { name: string }>(what: string, all: readonly T[], name: string): T {
  return all.find((item) => item.name === name) ?? usageError(`No ${what} "${name}".`);
}

/** In the child: measures, answers the parent, ends (a GPU instance would keep the process alive). */
async function child(peerName: string, workloadName: string, device: string, budgetMs: number): Promise<never> {
  const workload = find("workload", workloads, workloadName);
  let answer: Answer;
  try {
    const engine = await find("peer", peers, peerName).open(device);
    answer = { measurement: await measure(engine, workload, { budgetMs }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    answer = { unavailable: error instanceof Unavailable ? reason : `failed: ${reason.split("\n")[0].slice(0, 200)}` };
  }
  await new Promise((resolve) => process.send?.(answer, resolve));
  process.exit(0);
}

/** Runs one measurement in a child process. */
function measureApart(peer: string, workload: string, device: string, budgetMs: number): Promise<Answer> {
  const self = fileURLToPath(import.meta.url);
  const process_ = fork(self, ["--child", peer, workload, "--device", device, "--budget", String(budgetMs / 1000)], {
    // Mesa's cache on disk would hide what a first step costs.
    env: { ...process.env, MESA_SHADER_CACHE_DISABLE: "true" },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const errors: string[] = [];
  process_.stderr?.on("data", (chunk) => errors.push(String(chunk)));
  return new Promise((resolve) => {
    const limit = budgetMs + GRACE_MS;
    const stop = (reason: string) => {
      clearTimeout(timer);
      process_.kill("SIGKILL");
      resolve({ unavailable: reason });
    };
    const timer = setTimeout(() => stop(`no result in ${limit / 1000} s`), limit);
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
}

/** All peers on one workload, taking turns. */
async function runWorkload(workload: Workload, options: Options): Promise<Results["workloads"][number]> {
  const measured = new Map<string, Measurement[]>();
  const unavailable: Record<string, string> = {};
  for (let repeat = 0; repeat < options.repeats; repeat++) {
    for (const peer of options.peers.filter((name) => !(name in unavailable))) {
      const answer = await measureApart(peer, workload.name, options.device, options.budgetMs);
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
        name: { type: "string" },
        json: { type: "boolean", default: false },
        compare: { type: "boolean", default: false },
        tolerance: { type: "string", default: "1.25" },
        child: { type: "boolean", default: false },
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
  const { values, positionals } = parse(process.argv.slice(2));
  const budgetMs = 1000 * positive("budget", values.budget);
  if (values.child) return child(positionals[0], positionals[1], values.device, budgetMs);
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
  const names = values.peer?.map((name) => find("peer", peers, name).name) ?? peers.map(({ name }) => name);
  if (!GPU_NAMES.some((name) => name === values.device)) usageError(`No device "${values.device}".`);
  const repeats = Math.round(positive("repeat", values.repeat));
  const done: Results["workloads"][number][] = [];
  for (const workload of chosen) {
    done.push(await runWorkload(workload, { peers: names, device: values.device, repeats, budgetMs }));
  }
  const results: Results = { device: values.device, repeats, host: describeHost(), workloads: done };
  const table = markdown(results, workloads);
  writeResults(values.name ?? values.device, results, table);
  if (values.json) console.log(JSON.stringify(results));
  (values.json ? console.error : console.log)(table);
  return done.every(({ peers: measured }) => Object.keys(measured).length === 0) ? 1 : 0;
}

process.exitCode = await main();
