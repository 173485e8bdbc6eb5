#!/bin/sh
# ONNX Runtime's GroupNormalization is off by a factor of several hundred when the mean is large beside the spread.
#
# Package: onnxruntime-node 1.30.0, CPU (onnx-proto 8.0.1 writes the model).
# Valid input: GroupNormalization (opset 21, one group, scale 1, bias 0) of 10000, 10001, .. 10007.
# Expected: (x - mean) / sqrt(variance + epsilon), by the operator's definition: -1.5275 to 1.5275, which float32 can
# do, as LayerNormalization, InstanceNormalization and MeanVarianceNormalization of the same runtime show on the same
# numbers.
# Seen: up to 1106.8. The variance cancelled to 0 or less, so that only epsilon is left: 3.5 / sqrt(1e-5) = 1106.8. No
# error. At mean 1000 it is right. (In onnxruntime-web 1.30.0 the same; at mean 1e6 it gives NaN.)
# Output seen:
#   mean 0: first -1.5275, last 1.5275
#   mean 1000: first -1.5275, last 1.5275
#   mean 10000: first -1106.7972, last 1106.7972
#   mean 10000, LayerNormalization: first -1.5275, last 1.5275
# Why it matters: a model that takes raw readings (pressures, years, time stamps, 16-bit images with an offset) passes
# its tests in the training framework and gives nonsense when deployed.
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

const ones = (n) => Array(n).fill(1);
const group = model(21, "GroupNormalization", { num_groups: 1, epsilon: 1e-5 }, [
  ["scale", [2], ones(2)],
  ["bias", [2], [0, 0]],
]);
const layer = model(17, "LayerNormalization", { axis: -1, epsilon: 1e-5 }, [
  ["scale", [8], ones(8)],
  ["bias", [8], Array(8).fill(0)],
]);
const at = (mean) => Array.from({ length: 8 }, (_, i) => mean + i);
const ends = (y) => `first ${y.data[0].toFixed(4)}, last ${y.data[7].toFixed(4)}`;
let y;
for (const mean of [0, 1000, 10000]) {
  y = await run(ort, group, at(mean), [1, 2, 4]);
  console.log(`mean ${mean}:`, ends(y));
}
console.log("mean 10000, LayerNormalization:", ends(await run(ort, layer, at(10000), [1, 8])));
process.exitCode = Math.abs(y.data[7]) > 100 ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
