import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { checkSample } from "../../src/check/check.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Elements, OpDef } from "../../src/graph/types.ts";
import { allOps } from "../../src/ops/all.ts";
import { f32 } from "../../src/ops/op.ts";
import { repository } from "../support/program.ts";

/** Leaves of a graph, the update of a state, what the compiler puts in itself: they make no kernel alone, and have tests of their own. */
const ELSEWHERE = ["constant", "iota", "stepScalar", "input", "state", "dynamicUpdateSlice", "pack", "half"];

const folder = path.join(repository, "src/ops");
const sources = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
/** `define("atan", ...)`, `drawOp("normal", ...)`, `name: "matmul"`: of each, the file. */
const defined = new Map(
  sources.flatMap((file) => {
    const text = fs.readFileSync(path.join(folder, file), "utf8");
    return [...text.matchAll(/(?:\b(?:define|compare|\w+Op)\(|\bname: )"(\w+)"/g)].map(([, name]) => [name, file]);
  }),
);
const listed = allOps.map(({ name }) => name);

// Named as the op, so that `-t "^atan "` is not green, with nothing run, where it is forgotten.
it.each([...defined].filter(([name]) => !ELSEWHERE.includes(name)))(
  "%s of src/ops/%s stands in a list of src/ops/all.ts",
  (name) => expect(listed).toContain(name),
);

it("no op is defined in a way that is not seen here", () => {
  const seen = (name: string): boolean => defined.has(name) || defined.has(name.replace(/Grad$/, ""));
  expect(listed.filter((name) => !seen(name))).toEqual([]);
});

it("a check that fails names the output, the element and both values", async () => {
  const [tanh] = allOps.filter(({ name }) => name === "tanh");
  // Right in the reference, which runs first, and wrong in the second run.
  let runs = 0;
  const reference: OpDef["reference"] = (call) => {
    tanh.reference?.(call);
    const [y]: readonly Elements[] = call.outputs;
    y[1] = 0.5;
    if (++runs > 1) y[1] = 0.75;
  };
  const { ratio, error } = await checkSample(openCpu(), { ...tanh, grad: undefined, reference }, { inputs: [f32(3)] });
  expect(ratio).toBeGreaterThan(1);
  expect(error).toBe("y0[1]: got 0.75; expected 0.5: 20833.3 tolerances off");
});
