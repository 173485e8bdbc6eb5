#!/bin/sh
# auto_pad SAME keeps the size in ONNX Runtime only sometimes: dilated pools shrink in silence, a transposed
# convolution with a kernel below its stride falls short, a dilated Conv loads and then fails.
#
# Package: onnxruntime-node 1.30.0, CPU (onnx-proto 8.0.1 writes the models).
# Valid input: float32 [1, 1, 5] with stride 1, kernel 3, dilation 2; ConvTranspose of [1, 1, 3], stride 3, kernel 2.
# Expected: by the operators' texts SAME_UPPER pads so that the output has ceil(input / stride) elements, 5 here, and
# for ConvTranspose input * stride, 9 here.
# Seen: MaxPool and AveragePool pad as if the dilation were 1 and return 3 elements without an error; ConvTranspose
# returns 8; Conv refuses at the first run, not at load.
# Output seen:
#   MaxPool dilation 1: 1x1x5 [ 2, 3, 4, 5, 5 ]
#   MaxPool dilation 2: 1x1x3 [ 4, 5, 4 ]
#   AveragePool dilation 2: 1x1x3 [ 3, 3, 3 ]
#   Conv dilation 2: Dilation not supported for AutoPadType::SAME_UPPER or AutoPadType::SAME_LOWER.
#   ConvTranspose stride 3, kernel 2: 1x1x8 [ 1, 1, 0, 2, 2, 0, 3, 3 ]
# Why it matters: temporal models with dilated layers, exported with "same", lose their alignment with the labels
# where a global pool hides the shorter length. Exporters should write explicit pads and output_padding.
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

const same = { auto_pad: "SAME_UPPER", kernel_shape: [3], strides: [1] };
async function show(label, bytes, data) {
  try {
    const y = await run(ort, bytes, data, [1, 1, data.length]);
    console.log(`${label}: ${y.dims.join("x")} [ ${Array.from(y.data).join(", ")} ]`);
    return y.data.length;
  } catch (error) {
    console.log(`${label}:`, error.message.split("Status Message: ").pop());
    return "error";
  }
}
const five = [1, 2, 3, 4, 5];
await show("MaxPool dilation 1", model(19, "MaxPool", same), five);
const max = await show("MaxPool dilation 2", model(19, "MaxPool", { ...same, dilations: [2] }), five);
const mean = await show("AveragePool dilation 2", model(19, "AveragePool", { ...same, dilations: [2] }), five);
const weight = [["w", [1, 1, 3], [1, 1, 1]]];
await show("Conv dilation 2", model(17, "Conv", { ...same, dilations: [2] }, weight), five);
const up = model(17, "ConvTranspose", { auto_pad: "SAME_UPPER", strides: [3] }, [["w", [1, 1, 2], [1, 1]]]);
const wide = await show("ConvTranspose stride 3, kernel 2", up, [1, 2, 3]);
process.exitCode = max === 3 || mean === 3 || wide === 8 ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
