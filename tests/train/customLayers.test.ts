import fs from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { TilegradError } from "../../src/errors.ts";
import type { Layer } from "../../src/model/layer.ts";
import { layer } from "../../src/model/layer.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { sequential } from "../../src/model/model.ts";
import * as ops from "../../src/ops/public.ts";
import { bundleForEsbuild } from "../../tools/bundle.mjs";
import { wgslForEsbuild } from "../../tools/wgsl.mjs";
import { repository, run } from "../support/program.ts";
import { onDevices, problem, trainerOf } from "./support.ts";

it("the program of docs/custom-layers.md learns XOR with its own layer and loss, saves and loads them", async () => {
  const text = fs.readFileSync(path.join(repository, "docs", "custom-layers.md"), "utf8");
  const program = /```ts\n([\s\S]*?)```/.exec(text)?.[1] as string;
  const parent = path.join(repository, ".cache", "tests");
  fs.mkdirSync(parent, { recursive: true });
  const folder = fs.mkdtempSync(path.join(parent, "custom-"));
  try {
    await build({
      stdin: { contents: program, resolveDir: repository, loader: "ts" },
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      external: ["webgpu", "koffi", "@sparticuz/chromium", "@resvg/resvg-js", "hyparquet"],
      plugins: [wgslForEsbuild(), bundleForEsbuild()],
      outfile: path.join(folder, "custom.mjs"),
      logLevel: "error",
    });
    const { code, stdout, stderr } = await run(process.execPath, ["custom.mjs"], { cwd: folder });
    expect(code, stderr).toBe(0);
    const scores = /XOR: (.*)/.exec(stdout)?.[1].split(" ").map(Number) as number[];
    expect(scores.map((p) => (p >= 0.5 ? 1 : 0))).toEqual([0, 1, 1, 0]);
    expect(stdout).toContain("the same: true");
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

onDevices((device) => {
  describe("a layer of one's own", () => {
    const data = problem(64);

    it("keeps statistics that training updates and prediction reads", async () => {
      const counter = (): Layer =>
        layer("counter", {}, (x, context) => {
          const seen = context.parameter("seen", [], { initializer: "zeros", trainable: false });
          if (context.training) context.update(seen, ops.add(seen, 1));
          return ops.add(x, ops.mul(seen, 0));
        });
      const trainer = trainerOf(device(), sequential({ input: [5] }, [counter(), dense(1)]));
      await trainer.fit(data, { epochs: 3, batchSize: 16 });
      await trainer.predict(data.x);
      expect((await trainer.getWeights())["counter/seen"]).toEqual(Float32Array.of(12));
      trainer.dispose();
    });

    it("draws noise in training alone, other noise in each step and layer", async () => {
      const noise = (): Layer =>
        layer("noise", {}, (x, context) =>
          context.training ? ops.add(x, ops.randomNormal(x.shape, { stream: context.stream() })) : x,
        );
      const model = sequential({ input: [5] }, [noise(), noise(), dense(1)]);
      const trainer = trainerOf(device(), model);
      const [a, b] = [await trainer.predict(data.x), await trainer.predict(data.x)];
      expect(a).toEqual(b);
      const { loss } = await trainer.fit(data, { epochs: 2, batchSize: 64, shuffle: false });
      expect(loss[0]).not.toBe(loss[1]);
      trainer.dispose();
    });

    it("shares a parameter that it asks for twice, gradients summed", async () => {
      const twice = (): Layer =>
        layer("twice", {}, (x, context) => {
          const w = () => context.parameter("w", [5, 5], { initializer: "orthogonal" });
          return ops.matmul(ops.tanh(ops.matmul(x, w())), w());
        });
      const model = sequential({ input: [5] }, [twice(), dense(1)]);
      expect(model.parameters.map((p) => p.name)).toEqual(["twice/w", "dense/kernel", "dense/bias"]);
      const trainer = trainerOf(device(), model);
      const { loss } = await trainer.fit(data, { epochs: 10, batchSize: 16 });
      expect(loss[9]).toBeLessThan(loss[0]);
      trainer.dispose();
    });
  });
});

it("a parameter asked for in two shapes is a typed error", () => {
  const odd = layer("odd", {}, (x, context) => {
    context.parameter("w", [2], { initializer: "ones" });
    return ops.mul(x, context.parameter("w", [5], { initializer: "ones" }));
  });
  expect(() => sequential({ input: [5] }, [odd])).toThrow(/"odd\/w" is asked for as \[2\] and as \[5\]/);
});

it("an error of a layer of one's own names the layer and its input", () => {
  const picky = layer("picky", { name: "mine" }, () => {
    throw new TilegradError("E_SHAPE", "expected images.", { hint: "Reshape first." });
  });
  expect(() => sequential({ input: [5] }, [dense(2), picky])).toThrow(
    expect.objectContaining({
      code: "E_SHAPE",
      message: 'layer "mine" (input f32[1, 2]): expected images.',
      hint: "Reshape first.",
    }),
  );
});
