/** TensorFlow.js on its cpu, wasm and webgpu backends: `tf.fused` layers, `optimizer.minimize`, tensors disposed by hand. */
import type { Batch, Weight } from "../data.ts";
import type { Layer, Optimizer, Training } from "../workloads.ts";
import { type Engine, importPeer, type Peer } from "./peer.ts";

interface Tensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}
interface TfOptimizer {
  minimize(loss: () => Tensor, returnCost: true): Tensor;
  /** SGD only. */
  setLearningRate?(rate: number): void;
}
interface Tf {
  version_core: string;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  variable(initial: Tensor): Tensor;
  zeros(shape: readonly number[]): Tensor;
  tidy<T>(body: () => T): T;
  fused: { matMul(options: object): Tensor; conv2d(options: object): Tensor };
  train: {
    sgd(rate: number): TfOptimizer;
    adam(rate: number, beta1: number, beta2: number, epsilon: number): TfOptimizer;
    rmsprop(rate: number, decay: number, momentum: number, epsilon: number): TfOptimizer;
  };
  losses: { sigmoidCrossEntropy(labels: Tensor, logits: Tensor, weights?: Tensor): Tensor };
  add(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  maxPool(x: Tensor, size: number, stride: number, pad: "valid"): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  sigmoid(x: Tensor): Tensor;
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor;
  split(x: Tensor, parts: number, axis: number): Tensor[];
  tanh(x: Tensor): Tensor;
  unstack(x: Tensor, axis: number): Tensor[];
}

/** c' = f c + i g, h' = o tanh(c'); the inputs' part of the gates is one product for all times. x [rows, T, features]. */
function lstm(tf: Tf, x: Tensor, rows: number, units: number, [kernel, recurrent, bias]: Tensor[]): Tensor {
  let hidden = tf.zeros([rows, units]);
  let cell = tf.zeros([rows, units]);
  const frames = tf.reshape(x, [-1, x.shape[2]]);
  const inputs = tf.reshape(tf.fused.matMul({ a: frames, b: kernel, bias }), [rows, x.shape[1], 4 * units]);
  for (const input of tf.unstack(inputs, 1)) {
    const gates = tf.add(input, tf.matMul(hidden, recurrent));
    const [i, f, g, o] = tf.split(gates, 4, 1);
    cell = tf.add(tf.mul(tf.sigmoid(f), cell), tf.mul(tf.sigmoid(i), tf.tanh(g)));
    hidden = tf.mul(tf.sigmoid(o), tf.tanh(cell));
  }
  return hidden;
}

function applyLayer(tf: Tf, layer: Layer, x: Tensor, rows: number, weights: Tensor[]): Tensor {
  switch (layer.type) {
    case "dense": {
      const fused = { a: x, b: weights[0], bias: weights[1] };
      // A fused tanh is unknown where gradients are taken.
      if (layer.activation === "tanh") return tf.tanh(tf.fused.matMul(fused));
      return tf.fused.matMul({ ...fused, activation: layer.activation });
    }
    case "conv2d": {
      const { activation } = layer;
      return tf.fused.conv2d({ x, filter: weights[0], strides: 1, pad: "valid", bias: weights[1], activation });
    }
    case "maxPool2d":
      return tf.maxPool(x, layer.size, layer.size, "valid");
    case "flatten":
      return tf.reshape(x, [rows, -1]);
    case "lstm":
      return lstm(tf, x, rows, layer.units, weights);
    default:
      return layer satisfies never;
  }
}

function build(tf: Tf, workload: Training, weights: readonly Weight[][]): (x: Tensor, rows: number) => Tensor {
  const variables = weights.map((layer) => layer.map(({ shape, values }) => tf.variable(tf.tensor(values, shape))));
  return (x, rows) => workload.layers.reduce((h, layer, i) => applyLayer(tf, layer, h, rows, variables[i]), x);
}

function makeOptimizer(tf: Tf, optimizer: Optimizer): TfOptimizer {
  switch (optimizer.type) {
    case "sgd":
      return tf.train.sgd(optimizer.rate);
    case "adam":
      return tf.train.adam(optimizer.rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon);
    case "rmsprop":
      // TensorFlow.js adds epsilon under the root.
      return tf.train.rmsprop(optimizer.rate, optimizer.rho, 0, optimizer.epsilon ** 2);
    default:
      return optimizer satisfies never;
  }
}

function engine(tf: Tf, about: Record<string, string>): Engine {
  return {
    about: { "@tensorflow/tfjs-core": tf.version_core, ...about },

    async trainer(workload, weights) {
      const model = build(tf, workload, weights);
      const optimizer = makeOptimizer(tf, workload.optimizer);
      const { classWeight } = workload;
      const step = (batch: Batch): Tensor => {
        const x = tf.tensor(batch.x, [batch.size, ...workload.input]);
        const y = tf.tensor(batch.y, [batch.size, 1]);
        const w =
          classWeight &&
          tf.tensor(
            batch.y.map((label) => classWeight[label]),
            [batch.size, 1],
          );
        optimizer.setLearningRate?.(batch.rate);
        // The default reduction divides by the count of non-zero weights, which is the batch size here.
        const loss = optimizer.minimize(() => tf.losses.sigmoidCrossEntropy(y, model(x, batch.size), w), true);
        for (const tensor of [x, y, w]) tensor?.dispose();
        return loss;
      };
      return async (steps) => {
        let loss: Tensor | undefined;
        for (const batch of steps) {
          loss?.dispose();
          loss = step(batch);
        }
        const [value] = loss === undefined ? [Number.NaN] : await loss.data();
        loss?.dispose();
        return { value };
      };
    },

    async matmul({ n }, a, b) {
      const [left, right] = [tf.tensor(a, [n, n]), tf.tensor(b, [n, n])];
      return async () => {
        const corner = tf.tidy(() => tf.slice(tf.matMul(left, right), [0, 0], [1, 1]));
        const [value] = await corner.data();
        corner.dispose();
        return { value };
      };
    },

    async predictor(workload, weights) {
      const model = build(tf, workload, weights);
      const width = workload.input.reduce((size, n) => size * n, 1);
      return async (values) => {
        const rows = values.length / width;
        const scores = tf.tidy(() => tf.sigmoid(model(tf.tensor(values, [rows, ...workload.input]), rows)));
        const probabilities = await scores.data();
        scores.dispose();
        return { value: probabilities };
      };
    },
  };
}

async function start(backend: string, about: Record<string, string>): Promise<Engine> {
  const tf = await importPeer<Tf>("@tensorflow/tfjs-core");
  // Layers is imported for its side effect only: it registers the gradients that core leaves out.
  await importPeer("@tensorflow/tfjs-layers");
  await importPeer(`@tensorflow/tfjs-backend-${backend}`);
  await tf.setBackend(backend);
  await tf.ready();
  return engine(tf, about);
}

export const tfjsCpu: Peer = { name: "tfjs-cpu", open: () => start("cpu", {}) };
export const tfjsWasm: Peer = { name: "tfjs-wasm", open: () => start("wasm", {}) };
export const tfjsWebgpu: Peer = {
  name: "tfjs-webgpu",
  // The backend looks for WebGPU while it is being imported.
  open: async (host) => start("webgpu", await host.installGpu()),
};
