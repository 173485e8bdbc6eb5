/**
 * What the host pays to hand dispatches to the GPU: `npm run bench -- encoding [--device NAME]`. Trains a network of the
 * tabular workload's layers, but small, and times recording (up to the finished commands) and submitting, each on an idle GPU:
 * a software one would take the cores away.
 */
import { parseArgs } from "node:util";
import { adam, binaryCrossentropy, compile, dense, openDevice, sequential } from "../src/api/core.ts";
import type { GpuName } from "../src/platform.ts";
import { trainingData } from "./data.ts";
import { spread } from "./results.ts";
import { tabular } from "./workloads.ts";

/** An epoch is one submit of so many steps, and ends with a callback, before which the GPU is done. */
const STEPS = 64;
const BATCH = 16;
const EPOCHS = 100;
/** Dispatches of a submit that counts. */
const SHORTEST = 100;

const { values } = parseArgs({ options: { device: { type: "string", default: "webgpu" } } });
const device = await openDevice({ backend: values.device as GpuName });

/** Microseconds a dispatch, one of each submit. */
const recording: number[] = [];
const submitting: number[] = [];
let [began, dispatches] = [0, 0];
const { createCommandEncoder } = GPUDevice.prototype;
GPUDevice.prototype.createCommandEncoder = function (descriptor) {
  [began, dispatches] = [performance.now(), 0];
  return createCommandEncoder.call(this, descriptor);
};
const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...groups) {
  dispatches++;
  return dispatchWorkgroups.apply(this, groups);
};
const { submit } = GPUQueue.prototype;
GPUQueue.prototype.submit = function (commands) {
  const finished = performance.now();
  submit.call(this, commands);
  // Reading losses is a submit, too, and the last one of an epoch may be short.
  if (dispatches < SHORTEST) return;
  recording.push((1000 * (finished - began)) / dispatches);
  submitting.push((1000 * (performance.now() - finished)) / dispatches);
};

const layers = [dense(8, { activation: "relu" }), dense(4, { activation: "relu" }), dense(1)];
const trainer = await compile(sequential({ input: tabular.input }, layers), {
  device,
  loss: binaryCrossentropy(),
  optimizer: adam(),
  plan: "dispatch",
});
await trainer.fit(trainingData(tabular, STEPS * BATCH), {
  epochs: EPOCHS,
  batchSize: BATCH,
  callbacks: [{ name: "ends an epoch" }],
});

// The first submits are short, and compile.
const median = (times: readonly number[]): string => `${spread(times.slice(-EPOCHS / 2)).median.toFixed(2)} us`;
console.log(`${device.info.adapter}: ${trainer.dispatches} dispatches a step, medians of ${EPOCHS / 2} submits.`);
console.log(`A dispatch: recording ${median(recording)}, submitting ${median(submitting)}.`);
process.exit(0);
