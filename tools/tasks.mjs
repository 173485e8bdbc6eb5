/** What each npm script does once packages are installed. Every task gives its exit status. */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import {
  BENCH_PROGRAMS,
  buildBench,
  buildBenchPage,
  buildBenchProgram,
  buildDemo,
  buildLibrary,
  buildOracles,
  buildSoak,
  reportSize,
} from "../esbuild.config.mjs";
import { newestChange } from "./changes.mjs";
import { testDrivers } from "./drivers.mjs";
import { ensureInstalled } from "./install.mjs";
import { root, runNode } from "./process.mjs";
import { countLine, runVitest } from "./vitest.mjs";
import { describeShader } from "./wgsl.mjs";

const TSC = "node_modules/typescript/bin/tsc";
const BIOME = "node_modules/@biomejs/biome/bin/biome";

export const tasks = {
  async start(args) {
    await ensureBuilt();
    const train = ["train", "demo/data/breast_cancer.csv", "--target", "target", "--out", "tilegrad-model"];
    return runNode("dist/cli.js", [...train, ...args]);
  },

  async test(args) {
    const built = ensureBuilt().then(
      () => 0,
      (error) => {
        console.error(error.message);
        return 1;
      },
    );
    const [build, checks] = await Promise.all([built, runChecks(["types", "lint"])]);
    const tests = await runVitest(args);
    const statuses = { build, ...checks, tests: tests.status };
    report(statuses);
    console.log(countLine(tests.counts));
    return worst(statuses);
  },

  "test:drivers": testDrivers,

  async check() {
    await build();
    const checks = await runChecks(["types", "lint", "publint", "attw"]);
    report(checks);
    return worst(checks);
  },

  async build() {
    await build();
    await reportSize();
    return 0;
  },

  async oracles(args) {
    return runNode(await buildOracles(), args);
  },

  /** The drills of tests/faults, as often as is said; the rest is for Vitest, such as `-t damaged`. */
  async drills(args) {
    const { count, seed, rest } = numbersOf(args, { count: 20, seed: 1 });
    const { status } = await runVitest(["tests/faults", ...rest], { DRILL_COUNT: count, DRILL_SEED: seed });
    return status;
  },

  async soak(args) {
    return runNode(await buildSoak(), args);
  },

  async bench([name, ...args]) {
    if (BENCH_PROGRAMS.includes(name)) {
      if (name === "streaming") await ensureBuilt();
      return runNode(await buildBenchProgram(name), args);
    }
    const given = name === undefined ? [] : [name, ...args];
    // Neither needs a peer.
    if (!given.some((word) => word === "--help" || word === "--compare")) await ensureInstalled("bench");
    if (given.includes("--browser")) await buildBenchPage();
    return runNode(await buildBench(), given);
  },

  async demo(args) {
    await buildDemo();
    return runNode("demo/serve.mjs", args);
  },

  wgsl([name]) {
    console.log(describeShader(name));
    return 0;
  },
};

/** Options that are whole numbers above 0, as text, and all other words. */
function numbersOf(args, defaults) {
  const rest = [...args];
  const found = Object.entries(defaults).map(([name, value]) => {
    const at = rest.indexOf(`--${name}`);
    const [, given = String(value)] = at < 0 ? [] : rest.splice(at, 2);
    if (!/^[1-9]\d*$/.test(given)) throw new Error(`--${name}: got ${given}; expected a whole number above 0.`);
    return [name, given];
  });
  return { ...Object.fromEntries(found), rest };
}

const checkers = {
  // What was found the last time is kept: a second run checks what has changed since.
  types: () =>
    runNode(TSC, ["--noEmit", "--incremental", "--tsBuildInfoFile", ".cache/types.json", "-p", "tsconfig.json"]),
  lint: () => runNode(BIOME, ["check", "--error-on-warnings"]),
  publint: () => runNode("node_modules/publint/src/cli.js", ["--strict"]),
  // An ESM-only package is invisible to the old CommonJS resolution, on purpose.
  attw: () => runNode("node_modules/@arethetypeswrong/cli/dist/index.js", ["--pack", ".", "--profile", "esm-only"]),
};

async function runChecks(names) {
  const statuses = {};
  for (const name of names) {
    console.log(`\n${name}`);
    statuses[name] = await checkers[name]();
  }
  return statuses;
}

function report(statuses) {
  const words = Object.entries(statuses).map(([name, status]) => `${name} ${status === 0 ? "ok" : "FAILED"}`);
  console.log(`\n${words.join(", ")}`);
}

const worst = (statuses) => Math.max(...Object.values(statuses));

async function build() {
  await buildLibrary();
  // Types are checked by the task that is for it.
  const status = await runNode(TSC, ["-p", "tsconfig.build.json", "--noCheck"]);
  if (status !== 0) throw new Error("The declarations could not be built.");
}

/** Builds unless everything in dist is newer than everything it is made of. */
export async function ensureBuilt() {
  const made = ["dist/api/core.js", "dist/node/platform.js", "dist/cli.js", "dist/types/api/core.d.ts"].map((file) =>
    path.join(root, file),
  );
  const sources = [
    "src",
    "shaders",
    "tools",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "esbuild.config.mjs",
  ];
  const oldest = Math.min(...made.map((file) => (existsSync(file) ? statSync(file).mtimeMs : 0)));
  if (Math.max(...sources.map((file) => newestChange(path.join(root, file)))) < oldest) return;
  console.error("Building dist/ ...");
  await build();
}
