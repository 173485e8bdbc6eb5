import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { BROWSER } from "../../esbuild.config.mjs";
import { bundleForEsbuild } from "../../tools/bundle.mjs";
import { wgslForEsbuild } from "../../tools/wgsl.mjs";
import { launchChromium } from "../browser/chromium.ts";
import { serve } from "../browser/serve.ts";
import { wave } from "../cli/support.ts";
import { repository, run } from "../support/program.ts";

const readme = fs.readFileSync(path.join(repository, "README.md"), "utf8");

/** The first block of a language. */
const block = (language: string, text = readme): string =>
  new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(text)![1];

/** A program of the README with the library of the working tree; packages stay outside. */
async function bundle(program: string, platform: "node" | "browser"): Promise<string> {
  const built = await build({
    stdin: { contents: program, resolveDir: repository, loader: "ts" },
    ...(platform === "browser" ? { alias: BROWSER } : {}),
    bundle: true,
    format: "esm",
    platform,
    target: "es2022",
    external: platform === "node" ? ["webgpu", "koffi", "@sparticuz/chromium", "@resvg/resvg-js", "hyparquet"] : [],
    plugins: [wgslForEsbuild(), bundleForEsbuild()],
    write: false,
    logLevel: "error",
  });
  return built.outputFiles[0].text;
}

describe("the documentation", () => {
  it("has, in the README, a Node program that trains, reports, saves and loads", async () => {
    // Inside the repository, where the optional packages are found.
    const parent = path.join(repository, ".cache", "tests");
    fs.mkdirSync(parent, { recursive: true });
    const folder = fs.mkdtempSync(path.join(parent, "readme-"));
    try {
      fs.writeFileSync(path.join(folder, "first.mjs"), await bundle(block("js"), "node"));
      const { code, stdout, stderr } = await run(process.execPath, ["first.mjs"], { cwd: folder });
      expect(code, stderr).toBe(0);
      expect(stdout).toMatch(/ROC/i);
      expect(stdout).toMatch(/the loaded model agrees: 0\.\d+/);
      expect(fs.readdirSync(path.join(folder, "first-model"))).toContain("model.json");
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  const layers = fs.readFileSync(path.join(repository, "docs", "layers.md"), "utf8");

  it("has programs about layers that run as they stand, and says what they make", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-layers-"));
    /** What each program makes is shown by the line added to it. */
    const shown = [
      ["functional", "console.log(model.inputShape, model.outputShape)"],
      ["multiLoss", "console.log(typeof loss)"],
      ["remat", "console.log(model.layers.length)"],
      [
        "labelWindows",
        `console.log(x.length / y.length, y.length === parts.train.length,
          parts.test[0] - 32 > parts.validation.at(-1), fitted.window.length, fitted.featureNames.length)`,
      ],
    ];
    try {
      fs.writeFileSync(path.join(folder, "prices.csv"), wave(300, 1));
      const programs = [...layers.matchAll(/```js\n([\s\S]*?)```/g)].map(([, program]) => program);
      expect(programs).toHaveLength(shown.length);
      const outputs = await Promise.all(
        programs.map(async (program, i) => {
          expect(program).toContain(shown[i][0]);
          fs.writeFileSync(path.join(folder, `${i}.mjs`), await bundle(`${program}\n${shown[i][1]}`, "node"));
          const { stdout, stderr } = await run(process.execPath, [`${i}.mjs`], { cwd: folder });
          return stdout.trim() || stderr;
        }),
      );
      expect(outputs).toEqual(["[ 28, 28, 1 ] [ 1 ]", "object", "4", "64 true true 32 2"]);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  it("describes a layer of one's own that trains", async () => {
    const program = `${block("ts", layers)}
      import { compile, dense, meanSquaredError, openCpu, sequential } from "tilegrad";
      const model = sequential({ input: [2] }, [gain(), dense(1)]);
      const trainer = await compile(model, { device: openCpu(), loss: meanSquaredError() });
      const { loss } = await trainer.fit({ x: [1, 2, 3, 4], y: [3, 7] }, { epochs: 50 });
      console.log(loss.at(-1) < loss[0] ? "falls" : "does not fall", Object.keys(await trainer.getWeights())[0]);`;
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-layer-"));
    try {
      fs.writeFileSync(path.join(folder, "own.mjs"), await bundle(program, "node"));
      const { stdout, stderr } = await run(process.execPath, ["own.mjs"], { cwd: folder });
      expect(stdout.trim(), stderr).toBe("falls gain/gain");
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  it("resamples training rows and corrects the scores", async () => {
    const program = block("js", fs.readFileSync(path.join(repository, "docs", "resampling.md"), "utf8"));
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-resampling-"));
    try {
      fs.writeFileSync(path.join(folder, "smote.mjs"), await bundle(program, "node"));
      const { stdout, stderr } = await run(process.execPath, ["smote.mjs"], { cwd: folder });
      const [counts, mean, auc] = stdout.trim().split("\n");
      expect(counts, stderr).toMatch(/^0\.05\d -> 0\.333 positive$/);
      expect(Math.abs(Number(mean.split(" ").at(-1)) - 0.05)).toBeLessThan(0.02);
      expect(Number(auc)).toBeGreaterThan(0.8);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  it("saves a calibration with a model, which then predicts through it", async () => {
    const program = block("js", fs.readFileSync(path.join(repository, "docs", "rare-yes.md"), "utf8"));
    const parent = path.join(repository, ".cache", "tests");
    fs.mkdirSync(parent, { recursive: true });
    const folder = fs.mkdtempSync(path.join(parent, "calibrated-"));
    try {
      fs.writeFileSync(path.join(folder, "rare.mjs"), await bundle(program, "node"));
      const { stdout, stderr } = await run(process.execPath, ["rare.mjs"], { cwd: folder });
      const [alerts, mean] = stdout.trim().split("\n");
      expect(Number(alerts?.split(" ")[1]), stderr).toBeGreaterThan(30);
      const [score, prevalence] = mean.match(/0\.\d+/g)!.map(Number);
      expect(Math.abs(score - prevalence)).toBeLessThan(0.03); // without the map it is three times as high
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  it("has, in the README, a browser program that learns XOR", async () => {
    const server = await serve({
      "/": { type: "text/html", body: `<!doctype html><script type="module" src="first.js"></script>` },
      "/first.js": { type: "text/javascript; charset=utf-8", body: await bundle(block("ts"), "browser") },
    });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const answer = new Promise<string>((resolve) => {
        page.on("console", (message) => message.text().startsWith("XOR:") && resolve(message.text()));
      });
      await page.goto(server.url);
      const scores = (await answer).split(" ").slice(1).map(Number);
      expect(scores.map((p) => (p >= 0.5 ? 1 : 0))).toEqual([0, 1, 1, 0]);
    } finally {
      await browser.close();
      await server.close();
    }
  });

  it("lists every layer", () => {
    const folder = path.join(repository, "src", "model", "layers");
    const layers = fs.readdirSync(folder).flatMap((file) => {
      const source = fs.readFileSync(path.join(folder, file), "utf8");
      return [...source.matchAll(/^export (?:function|const) ([a-z]\w*)\b.*/gm)].map(([, name]) => name);
    });
    const documented = fs.readFileSync(path.join(repository, "docs", "layers.md"), "utf8");
    expect([...new Set(layers)].filter((name) => !documented.includes(`\`${name}(`))).toEqual([]);
  });

  it("links only to files that are there", () => {
    const documents = [
      "README.md",
      "CONTRIBUTING.md",
      ...fs.readdirSync(path.join(repository, "docs")).map((f) => `docs/${f}`),
    ];
    const broken = documents
      .filter((file) => file.endsWith(".md"))
      .flatMap((file) => {
        const links = fs.readFileSync(path.join(repository, file), "utf8").matchAll(/\]\((?!https?:)([^)#]+)/g);
        return [...links].map(([, link]) => path.join(path.dirname(file), link));
      })
      .filter((file) => !fs.existsSync(path.join(repository, file)));
    expect(broken).toEqual([]);
  });
});
