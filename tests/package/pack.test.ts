import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build as bundle } from "esbuild";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { measureSize, SIZE_GOAL_KB } from "../../esbuild.config.mjs";
import { ensureInstalled } from "../../tools/install.mjs";
import { ensureBuilt } from "../../tools/tasks.mjs";
import { type Ended, repository, run } from "../support/program.ts";

const PEERS = ["webgpu", "koffi", "@sparticuz"];

/** XOR on the device of the first argument; prints the device and the last loss. */
const XOR = `
  import { binaryCrossentropy, compile, dense, openDevice, sequential, sgd, TilegradError } from "tilegrad";
  try {
    const device = await openDevice(JSON.parse(process.argv[2]));
    const model = sequential({ input: [2] }, [dense(3, { activation: "tanh" }), dense(1, { activation: "sigmoid" })]);
    const optimizer = sgd({ learningRate: 0.5 });
    const trainer = await compile(model, { device, loss: binaryCrossentropy(), optimizer, seed: 1 });
    const x = new Float32Array([0, 0, 0, 1, 1, 0, 1, 1]);
    const y = new Float32Array([0, 1, 1, 0]);
    const { loss } = await trainer.fit({ x, y }, { epochs: 50, batchSize: 4 });
    console.log(JSON.stringify({ backend: device.info.backend, epochs: loss.length, falls: loss.at(-1) < loss[0] }));
  } catch (error) {
    console.log(JSON.stringify({ typed: error instanceof TilegradError, code: error.code, hint: error.hint }));
  }
`;

/** Where the compilers of other versions are installed. */
const TYPESCRIPTS = "tests/package/typescript";
/** Of package.json there, and the project's own. */
const COMPILERS = ["5.6", "5.7", "5.8", "5.9", "7.0"].map((version) => `typescript-${version}`).concat("typescript");

const TYPED = `
  import { dense, openDevice, sequential, TilegradError } from "tilegrad";
  import { decodeImage, type Table } from "tilegrad/data";
  import { ops, type Tensor } from "tilegrad/graph";
  import { rocAuc } from "tilegrad/metrics";
  export const twice = (x: Tensor): Tensor => ops.mul(x, 2);
  export const area: number | null = rocAuc([0, 1], [0.2, 0.7]);
  export const image = decodeImage(new Uint8Array(4));
  export const rows = (table: Table): number => table.rows;
  export const model = sequential({ input: [2] }, [dense(1)]);
  export const device = openDevice({ backend: "cpu" });
  // @ts-expect-error the units are a number
  dense("many");
  // @ts-expect-error codes are a closed union
  export const wrong = new TilegradError("E_NOTHING", "");
`;

const last = ({ code, stdout, stderr }: Ended) => {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
};

describe("the packed tarball, in an empty folder", () => {
  let folder: string;
  let files: string[];
  const npm = (...args: string[]) => run("npm", args, { cwd: folder, timeout: 120_000 });
  const node = (file: string, ...args: string[]) => run(process.execPath, [file, ...args], { cwd: folder });

  beforeAll(async () => {
    await ensureBuilt();
    await ensureInstalled(TYPESCRIPTS);
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-package-"));
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const packed = await run("npm", pack, { cwd: repository, timeout: 120_000 });
    expect(packed.code, packed.stderr).toBe(0);
    const [tarball] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
    files = tarball.files.map((file) => file.path);
    fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    fs.writeFileSync(path.join(folder, "xor.js"), XOR);
    const flags = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund"];
    const installed = await npm("install", ...flags, `./${tarball.filename}`);
    expect(installed.code, installed.stderr).toBe(0);
    // The first time, packages come from the network.
  }, 300_000);
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("brings the notices of all packages whose code is in it", () => {
    const notices = fs.readFileSync(path.join(folder, "node_modules/tilegrad/dist/THIRD-PARTY.txt"), "utf8");
    const named = Array.from(notices.matchAll(/^(\S+) \d+\.\d+\.\d+ \([\w.-]+\)$/gm), ([, name]) => name);
    expect(named).toEqual(["commander", "fast-png", "fflate", "iobuffer", "jpeg-js"]);
    expect(notices.match(/^-{80}$/gm)).toHaveLength(named.length);
    expect(notices.match(/AS IS/g)).toHaveLength(named.length);
  });

  it("holds what is built, the licence and the documents, and no sources or tests", () => {
    const outside = files.filter((file) => !/^dist\/[\w/-]+\.js$|^dist\/types\/|^docs\//.test(file));
    expect(outside.sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "dist/THIRD-PARTY.txt", "package.json"]);
    expect(files).toContain("docs/cli.md");
    expect(files).not.toContain("dist/oracles.js");
  });

  it("brings no other package", () => {
    const installed = fs.readdirSync(path.join(folder, "node_modules")).filter((name) => !name.startsWith("."));
    expect(installed).toEqual(["tilegrad"]);
  });

  it("trains on the CPU without any peer", async () => {
    expect(last(await node("xor.js", '{"backend":"cpu"}'))).toEqual({ backend: "cpu", epochs: 50, falls: true });
  });

  it("says what to install when WebGPU is asked for without its peers", async () => {
    const hint = expect.stringContaining("npm install webgpu");
    expect(last(await node("xor.js", "{}"))).toEqual({ typed: true, code: "E_PEER", hint });
  });

  it("trains on WebGPU with its peers", async () => {
    const linked = PEERS.filter((name) => !fs.existsSync(path.join(folder, "node_modules", name)));
    for (const name of linked) {
      fs.symlinkSync(path.join(repository, "node_modules", name), path.join(folder, "node_modules", name));
    }
    try {
      expect(last(await node("xor.js", "{}"))).toEqual({ backend: "webgpu", epochs: 50, falls: true });
    } finally {
      for (const name of linked) fs.unlinkSync(path.join(folder, "node_modules", name));
    }
  });

  const { exports, imports } = JSON.parse(fs.readFileSync(path.join(repository, "package.json"), "utf8"));
  const entries = Object.keys(exports)
    .filter((entry) => entry !== "./package.json")
    .map((entry) => entry.replace(".", "tilegrad"));

  it("has every entry in Node, and all that package.json names", async () => {
    const program = `
      const found = {};
      for (const entry of ${JSON.stringify(entries)}) found[entry] = Object.keys(await import(entry)).length;
      console.log(JSON.stringify(found));`;
    fs.writeFileSync(path.join(folder, "entries.js"), program);
    const found = last(await node("entries.js"));
    for (const entry of entries) expect(found[entry], entry).toBeGreaterThan(0);
    const named = [exports, imports].flatMap((list) => Object.values(list).flatMap((v) => Object.values(v as string)));
    expect(named.filter((file) => file.startsWith("./dist") && !files.includes(file.slice(2)))).toEqual([]);
  });

  it.each(entries)("bundles %s for a browser without anything of Node", async (entry) => {
    const built = await bundle({
      stdin: { contents: `import * as all from ${JSON.stringify(entry)}; globalThis.all = all;`, resolveDir: folder },
      bundle: true,
      format: "esm",
      platform: "browser",
      write: false,
      logLevel: "silent",
    });
    expect(built.outputFiles[0].text).not.toMatch(/["']node:|createRequire|@sparticuz/);
  });

  it("has the command", async () => {
    const { code, stdout, stderr } = await run("npx", ["--no-install", "tilegrad", "--help"], { cwd: folder });
    expect(code, stderr).toBe(0);
    for (const command of ["train", "evaluate", "predict", "inspect", "doctor"]) expect(stdout).toContain(command);
  });

  describe.each(COMPILERS)("has types for %s, without skipLibCheck", (compiler) => {
    it.each([
      ["a Node app", ["--module", "nodenext", "--lib", "es2022"]],
      ["a browser app", ["--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable"]],
    ])("in %s", async (_, options) => {
      const all = entries.map((entry, i) => `import * as all${i} from ${JSON.stringify(entry)};`);
      const used = `export const all = [${entries.map((_, i) => `all${i}`)}];`;
      fs.writeFileSync(path.join(folder, "types.ts"), [...all, used, TYPED].join("\n"));
      const home = compiler === "typescript" ? repository : path.join(repository, TYPESCRIPTS);
      const tsc = path.join(home, "node_modules", compiler, "bin", "tsc");
      // TypeScript's own declarations are not what is checked here.
      const flags = ["--noEmit", "--strict", "--skipDefaultLibCheck", "--target", "es2022", ...options];
      const { code, stdout } = await node(tsc, ...flags, "types.ts");
      expect(code, stdout).toBe(0);
    });
  });

  it(`leaves out of a browser app what it does not use: at most ${SIZE_GOAL_KB} KB gzipped`, async () => {
    const { bytes } = await measureSize(undefined, { from: "tilegrad", within: folder });
    expect(bytes).toBeLessThanOrEqual(SIZE_GOAL_KB * 1024);
  });

  it("goes through a Vite build for the browser, without anything of Node", async () => {
    fs.writeFileSync(
      path.join(folder, "main.js"),
      `import { adam, binaryCrossentropy, compile, dense, openDevice, sequential } from "tilegrad";
       const model = sequential({ input: [2] }, [dense(1)]);
       const device = await openDevice();
       compile(model, { device, loss: binaryCrossentropy(), optimizer: adam() });`,
    );
    fs.writeFileSync(path.join(folder, "index.html"), '<script type="module" src="./main.js"></script>');
    await build({
      root: folder,
      configFile: false,
      logLevel: "silent",
      build: { target: "esnext", modulePreload: false },
    });
    const assets = path.join(folder, "dist", "assets");
    const code = fs.readdirSync(assets).map((name) => fs.readFileSync(path.join(assets, name), "utf8"));
    expect(code.join("")).toContain("requestAdapter");
    expect(code.join("")).not.toMatch(/["']node:|createRequire|@sparticuz/);
  });
});
