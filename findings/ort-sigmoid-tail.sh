#!/bin/sh
# ONNX Runtime's float32 Sigmoid is exactly 0 at -18 and falls where it should rise.
#
# Package: onnxruntime-node 1.30.0, CPU (onnx-proto 8.0.1 writes the model). Which kernel runs depends on the
# processor; seen on an x64 server with AVX2. onnxruntime-web's wasm gave 0 at -18 as well, with other digits near
# -16.
# Valid input: float32 from -20 to -12.
# Expected: 1 / (1 + exp(-x)) to float32 accuracy, which reaches down to 1e-38; and never f(a) > f(b) for a < b.
# Seen: steps of 2^-25 to 2^-24 near -16, 0 from about -18 down (true: 1.5e-8), f(-16.5) > f(-16), and dozens of falls
# in a table of 400. Softplus of the same runtime is right to 2e-9 at -20.
# Output seen:
#   x -20: Sigmoid 0, true 2.06e-9, exp(-Softplus(-x)) 2.06e-9
#   x -18: Sigmoid 0, true 1.52e-8, exp(-Softplus(-x)) 1.52e-8
#   x -16.5: Sigmoid 8.94e-8, true 6.83e-8, exp(-Softplus(-x)) 6.83e-8
#   x -16: Sigmoid 5.96e-8, true 1.13e-7, exp(-Softplus(-x)) 1.13e-7
#   400 points from -20 to -12: the value falls 63 times, true 0
# Why it matters: scores of rare events are compared and ranked in this tail, and Log(Sigmoid) becomes -Infinity.
# Export the logit, or Neg, Exp, Add, Reciprocal.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  onnxruntime-node@1.30.0 onnx-proto@8.0.1 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { onnx } = require("onnx-proto");

// A model of one operator; constants are float32 initializers [name, dims, values].
function model(opset, opType, attributes, constants = []) {
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
        input: ["x", ...constants.map(([name]) => name)],
        output: ["y"],
        attribute: Object.entries(attributes).map(attribute),
      }],
      input: [value("x")],
      output: [value("y")],
      initializer: constants.map(([name, dims, data]) => ({
        name, dims, dataType: 1, rawData: Buffer.from(Float32Array.from(data).buffer),
      })),
    },
  });
  return onnx.ModelProto.encode(message).finish();
}
async function run(runtime, bytes, data, dims) {
  const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const x = new runtime.Tensor("float32", Float32Array.from(data), dims);
  return (await session.run({ x })).y;
}
const ort = require("onnxruntime-node");

const sigmoid = model(17, "Sigmoid", {});
const softplus = model(17, "Softplus", {});
const got = {};
for (const x of [-20, -18, -16.5, -16]) {
  got[x] = (await run(ort, sigmoid, [x], [1])).data[0];
  const other = Math.exp(-(await run(ort, softplus, [-x], [1])).data[0]);
  const true_ = 1 / (1 + Math.exp(-x));
  const digits = (v) => (v === 0 ? "0" : v.toExponential(2));
  console.log(`x ${x}: Sigmoid ${digits(got[x])}, true ${digits(true_)}, exp(-Softplus(-x)) ${digits(other)}`);
}
const table = (await run(ort, sigmoid, Array.from({ length: 400 }, (_, i) => -20 + i * 0.02), [400])).data;
const falls = table.filter((y, i) => i > 0 && y < table[i - 1]).length;
console.log("400 points from -20 to -12: the value falls", falls, "times, true 0");
process.exitCode = got[-20] === 0 || falls > 0 ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
