#!/bin/sh
# SwiftShader, the software GPU of Chromium, gives numbers for log(0), log(-1) and exp(NaN), and NaN for tanh(100).
#
# Packages: webgpu 0.6.2 (Dawn), @sparticuz/chromium 147.0.0 (its SwiftShader and Vulkan loader), koffi 3.3.4 (loads
# the loader). Linux x64 with glibc and tar.
# Valid input: WGSL built-in functions of float32 values read from a buffer, so nothing is folded at compile time.
# Expected: -Infinity, NaN, NaN and 1, as IEEE arithmetic and Mesa's lavapipe driver give them. WGSL lets an
# implementation assume that NaN and infinity do not occur, so only tanh(100), finite in and out, is plainly wrong;
# its accuracy rule, inherited from other functions, excuses even that.
# Seen: the table below. `x != x` is never true for NaN while `!(x == x)` is, and fma rounds the product first: it
# lacks the bits for which one calls fma.
# Output seen (adapter: google swiftshader):
#   log(x) of 0, -1, NaN: -88.02969360351562, 0, 89.12830352783203
#   exp(x) of NaN, 1, 88.8: Infinity, 2.7182822227478027, Infinity
#   tanh(x) of 10, 100, -100: 1, NaN, NaN
#   select(0.0, 1.0, x != x) of NaN, 1: 0, 0
#   select(0.0, 1.0, !(x == x)) of NaN, 1: 1, 0
#   fma(x, x, -1.0) of 1.000244140625: 0.00048828125 (true: 0.00048834085)
# Why it matters: it is what runs WebGPU tests on machines without a graphics card. A cross-entropy of 88.03 instead
# of Infinity hides a probability of 0; GELU by tanh is NaN for large activations; a NaN guard written `x != x` never
# fires.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  webgpu@0.6.2 koffi@3.3.4 @sparticuz/chromium@147.0.0 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { brotliDecompressSync } from "node:zlib";

// The driver must be named and its loader loaded before Dawn starts.
const driver = resolve("driver");
mkdirSync(driver);
const packed = readFileSync("node_modules/@sparticuz/chromium/bin/swiftshader.tar.br");
writeFileSync("driver.tar", brotliDecompressSync(packed));
execFileSync("tar", ["-xf", "driver.tar", "-C", driver]);
process.env.VK_DRIVER_FILES = `${driver}/vk_swiftshader_icd.json`;
createRequire(import.meta.url)("koffi").load(`${driver}/libvulkan.so.1`, { global: true });
const { create, globals } = await import("webgpu");
Object.assign(globalThis, globals);

const gpu = create([]);
const adapter = await gpu.requestAdapter();
console.log("adapter:", adapter.info.vendor, adapter.info.architecture);
const device = await adapter.requestDevice();

async function evaluate(expression, inputs, note = "") {
  const code = `
    @group(0) @binding(0) var<storage, read> source: array<f32>;
    @group(0) @binding(1) var<storage, read_write> target_: array<f32>;
    @compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) {
      let x = source[id.x];
      target_[id.x] = ${expression};
    }`;
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const size = inputs.length * 4;
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const [source, target, result] = [STORAGE | COPY_DST, STORAGE | COPY_SRC, MAP_READ | COPY_DST].map((usage) =>
    device.createBuffer({ size, usage }),
  );
  device.queue.writeBuffer(source, 0, Float32Array.from(inputs));
  const entries = [source, target].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(inputs.length);
  pass.end();
  encoder.copyBufferToBuffer(target, 0, result, 0, size);
  device.queue.submit([encoder.finish()]);
  await result.mapAsync(GPUMapMode.READ);
  const values = Array.from(new Float32Array(result.getMappedRange()));
  console.log(`${expression} of ${inputs.join(", ")}: ${values.join(", ")}${note}`);
  return values;
}
const log = await evaluate("log(x)", [0, -1, NaN]);
await evaluate("exp(x)", [NaN, 1, 88.8]);
const tanh = await evaluate("tanh(x)", [10, 100, -100]);
await evaluate("select(0.0, 1.0, x != x)", [NaN, 1]);
await evaluate("select(0.0, 1.0, !(x == x))", [NaN, 1]);
await evaluate("fma(x, x, -1.0)", [1 + 2 ** -12], " (true: 0.00048834085)");
process.exitCode = log[0] > -100 || Number.isNaN(tanh[1]) ? 10 : 11;
device.destroy();
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
