import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import * as tilegrad from "../../src/api.ts";
import { wave } from "../cli/support.ts";

const layers = fs.readFileSync(path.join(import.meta.dirname, "../../docs/layers.md"), "utf8");

it("the windows of docs/layers.md are made as it says", () => {
  const code = /```js\n(const table = labelWindows[\s\S]*?)```/.exec(layers)?.[1] ?? "";
  const library: Record<string, unknown> = { ...tilegrad };
  const names = Object.keys(library).filter((name) => code.includes(`${name}(`));
  const run = new Function(
    "text",
    ...names,
    `${code}; return { x, y, parts, shape: [fitted.window.length, fitted.featureNames.length] };`,
  );
  const { x, y, parts, shape } = run(wave(300, 1), ...names.map((name) => library[name]));
  expect(shape).toEqual([32, 2]);
  expect(x).toHaveLength(parts.train.length * 32 * 2);
  expect(y).toHaveLength(parts.train.length);
  expect(parts.test[0] - 32).toBeGreaterThanOrEqual(parts.validation.at(-1) + 1);
});
