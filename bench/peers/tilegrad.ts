/** tilegrad itself, through its public API: on the CPU reference and on WebGPU. */
import {
  adam,
  binaryCrossentropy,
  compile,
  conv2d,
  type Device,
  dense,
  flatten,
  linearDecay,
  lstm,
  maxPooling2d,
  rmsprop,
  sequential,
  sgd,
  type Trainer,
  type TrainingEvent,
} from "../../src/api/core.ts";
import { input as graphInput } from "../../src/ops/core/constant.ts";
import { matmul } from "../../src/ops/matmul/matmul.ts";
import { f32 } from "../../src/ops/op.ts";
import { batchOrder, trainingData, type Weight } from "../data.ts";
import type { Layer, Optimizer, Training } from "../workloads.ts";
import type { Engine, Peer } from "./peer.ts";

function makeLayer(layer: Layer) {
  switch (layer.type) {
    case "dense":
      return dense(layer.units, { activation: layer.activation });
    case "flatten":
      return flatten();
    case "conv2d":
      return conv2d(layer.filters, layer.kernel, { activation: layer.activation });
    case "maxPool2d":
      return maxPooling2d(layer.size);
    case "lstm":
      return lstm(layer.units);
    default:
      return layer satisfies never;
  }
}

function makeOptimizer(optimizer: Optimizer) {
  switch (optimizer.type) {
    case "sgd": {
      const { rate, decay } = optimizer;
      if (decay === undefined) return sgd({ learningRate: rate });
      return sgd({ learningRate: linearDecay(rate, decay.to, { per: "step", total: decay.steps, endAt: "total" }) });
    }
    case "adam": {
      const { rate: learningRate, beta1, beta2, epsilon } = optimizer;
      return adam({ learningRate, beta1, beta2, epsilon });
    }
    case "rmsprop": {
      const { rate: learningRate, rho: alpha, epsilon } = optimizer;
      return rmsprop({ learningRate, alpha, epsilon });
    }
    default:
      return optimizer satisfies never;
  }
}

/**
 * Splits one run of `fit`, whose losses arrive in chunks of its own choice, into the segments that are timed: a segment
 * ends when its last step would have arrived were the steps of a chunk spread evenly over its time.
 */
function segmenter(events: AsyncIterator<TrainingEvent>) {
  const losses: number[] = [];
  let steps = 0;
  let ended = performance.now();
  let [chunkStart, chunkEnd] = [ended, ended];
  let chunkSteps = 1;
  return async (count: number) => {
    steps += count;
    while (losses.length < steps) {
      const { value, done } = await events.next();
      if (done) throw new Error(`training ended after ${losses.length} steps`);
      if (value.type !== "steps") continue;
      losses.push(...value.losses);
      [chunkStart, chunkEnd, chunkSteps] = [chunkEnd, performance.now(), value.losses.length];
    }
    const started = ended;
    ended = chunkEnd - ((chunkEnd - chunkStart) * (losses.length - steps)) / chunkSteps;
    return { value: losses[steps - 1], ms: ended - started };
  };
}

/** The model of a workload, ready to train from these weights. */
export async function trainerOf(device: Device, workload: Training, weights: readonly Weight[][]): Promise<Trainer> {
  const model = sequential({ input: workload.input }, workload.layers.map(makeLayer));
  const [weight0, weight1] = workload.classWeight ?? [1, 1];
  const trainer = await compile(model, {
    device,
    loss: binaryCrossentropy({ classWeight: { 0: weight0, 1: weight1 } }),
    optimizer: makeOptimizer(workload.optimizer),
  });
  const values = weights.flat().map((weight) => weight.values);
  trainer.setWeights(Object.fromEntries(model.parameters.map(({ name }, i) => [name, values[i]])));
  return trainer;
}

function engine(device: Device): Engine {
  const { backend, adapter, driver, software } = device.info;

  return {
    about: { backend, adapter, driver, kind: software ? "software" : "hardware" },

    async trainer(workload, weights) {
      const trainer = await trainerOf(device, workload, weights);
      // One segment more than is timed: chunks overlap, and the last ones would arrive with their work already done.
      const epochs = workload.epochsPerSegment * (workload.segments + 1);
      // Before the first clock starts, as the batches of all peers.
      const orders = Array.from({ length: epochs }, (_, epoch) => batchOrder(workload, epoch));
      const order = (epoch: number) => orders[epoch];
      const next = segmenter(trainer.run(trainingData(workload), { epochs, batchSize: workload.batch, order }));
      return async (steps) => ({ ...(await next(steps.length)), dispatches: trainer.dispatches });
    },

    async matmul({ n }, a, b) {
      const bindings = { a: device.tensor(f32(n, n), "a", a), b: device.tensor(f32(n, n), "b", b) };
      const y = matmul(graphInput("a", [n, n]), graphInput("b", [n, n]));
      const step = await device.compile({ outputs: { y }, updates: [] }, { bindings, label: "matmul" });
      return async () => {
        device.enqueue(step, {});
        return { value: (await step.outputs.y.read(0, 1))[0] };
      };
    },

    async predictor(workload, weights) {
      const trainer = await trainerOf(device, workload, weights);
      return async (x) => ({ value: await trainer.predict(x) });
    },
  };
}

export const tilegradCpu: Peer = { name: "tilegrad-cpu", open: async (host) => engine(await host.openDevice("cpu")) };
export const tilegradWebgpu: Peer = {
  name: "tilegrad-webgpu",
  open: async (host) => engine(await host.openDevice("webgpu")),
};
