#!/bin/sh
# ONNX Runtime's maxima drop NaN, keep it or return -3.4e38, by its place, the rank, and the package.
#
# Packages: onnxruntime-node 1.30.0 and onnxruntime-web 1.30.0 (wasm, one thread), one model in both (onnx-proto
# 8.0.1).
# Valid input: float32 tensors with NaN.
# Expected: the operators' texts say nothing of NaN; PyTorch and NumPy, from which such models come, return NaN. At
# least one rule, the same in both packages, and a value that was in the input.
# Seen: ReduceMax keeps NaN in the first place only; the two-dimensional MaxPool drops it in Node and keeps it in the
# browser build; a window of nothing but NaN becomes -3.4028e38, an ordinary number; ArgMax points past it.
# Output seen:
#   ReduceMax of [1, NaN, 3], [NaN, 4, 5] | node 3, NaN | web 3, NaN
#   ArgMax of [1, NaN, 3], [NaN, 4, 5] | node 2, 0 | web 2, 0
#   MaxPool 2x2 of [1, NaN; 5, 6] | node 6 | web NaN
#   GlobalMaxPool of [NaN, NaN] | node -3.4028234663852886e+38 | web -3.4028234663852886e+38
# Why it matters: a diverged or badly fed network looks healthy after its first pool in one runtime and not in the
# other, so a NaN check on the output finds nothing on the server and something on the page.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  onnxruntime-node@1.30.0 onnxruntime-web@1.30.0 onnx-proto@8.0.1 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { onnx } = require("onnx-proto");

// A model of one operator.
function model(opset, opType, attributes, outType = 1) {
  const value = (name) => ({ name, type: { tensorType: { elemType: 1 } } });
  const attribute = ([name, v]) => {
    if (Array.isArray(v)) return { name, type: 7, ints: v };
    if (typeof v === "string") return { name, type: 3, s: Buffer.from(v) };
    return Number.isInteger(v) ? { name, type: 2, i: v } : { name, type: 1, f: v };
  };
  const message = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: "", version: opset }],
    graph: {
      name: "probe",
      node: [{
        opType,
        input: ["x"],
        output: ["y"],
        attribute: Object.entries(attributes).map(attribute),
      }],
      input: [value("x")],
      output: [{ name: "y", type: { tensorType: { elemType: outType } } }],
    },
  });
  return onnx.ModelProto.encode(message).finish();
}
async function run(runtime, bytes, data, dims) {
  const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const x = new runtime.Tensor("float32", Float32Array.from(data), dims);
  return (await session.run({ x })).y;
}
const node = require("onnxruntime-node");
const { default: web } = await import("onnxruntime-web/wasm");
web.env.wasm.numThreads = 1;

const twoRows = [1, NaN, 3, NaN, 4, 5];
const cases = [
  ["ReduceMax of [1, NaN, 3], [NaN, 4, 5]", model(17, "ReduceMax", { axes: [1] }), twoRows, [2, 3]],
  ["ArgMax of [1, NaN, 3], [NaN, 4, 5]", model(17, "ArgMax", { axis: 1 }, 7), twoRows, [2, 3]],
  ["MaxPool 2x2 of [1, NaN; 5, 6]", model(17, "MaxPool", { kernel_shape: [2, 2] }), [1, NaN, 5, 6], [1, 1, 2, 2]],
  ["GlobalMaxPool of [NaN, NaN]", model(17, "GlobalMaxPool", {}), [NaN, NaN], [1, 1, 2]],
];
const seen = [];
for (const [label, bytes, data, dims] of cases) {
  const a = Array.from((await run(node, bytes, data, dims)).data, Number);
  const b = Array.from((await run(web, bytes, data, dims)).data, Number);
  console.log(label, "| node", a.join(", "), "| web", b.join(", "));
  seen.push([a, b]);
}
const byPlace = seen[0].some(([x, y]) => x === 3 && Number.isNaN(y));
const lowest = seen[3].some(([x]) => x < -3e38);
const apart = seen[2][0][0] === 6 && Number.isNaN(seen[2][1][0]);
process.exitCode = byPlace || lowest || apart ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
