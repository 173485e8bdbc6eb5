/**
 * jax-js on its wasm and webgpu devices: one `jit`-compiled function a step. It is lazy even under `jit` and, on WebGPU,
 * carries unsubmitted work forward; so every step is waited for on wasm and every eighth on WebGPU.
 */
import type { Weight } from "../data.ts";
import type { Activation, Layer, Optimizer, Training } from "../workloads.ts";
import { type Engine, importPeer, type Peer, pinned, Unavailable } from "./peer.ts";

/** Passing an array consumes it; `.ref` keeps it for another use. */
interface NdArray {
  readonly ref: NdArray;
  readonly shape: readonly number[];
  add(other: NdArray | number): NdArray;
  sub(other: NdArray | number): NdArray;
  mul(other: NdArray | number): NdArray;
  div(other: NdArray | number): NdArray;
  sum(): NdArray;
  reshape(shape: readonly number[]): NdArray;
  transpose(axes: readonly number[]): NdArray;
  slice(...index: (number | readonly [number, number] | readonly [])[]): NdArray;
  dispose(): void;
  data(): Promise<Float32Array>;
}
type Unary = (x: NdArray) => NdArray;
interface Jax {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): void;
  blockUntilReady<T>(tree: T): Promise<T>;
  // biome-ignore lint/suspicious/noExplicitAny: jax transforms functions of any trees of arrays
  jit<F extends (...trees: any[]) => unknown>(body: F): F;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  valueAndGrad<F extends (...trees: any[]) => NdArray>(body: F): (...trees: Parameters<F>) => [NdArray, NdArray[][]];
  numpy: {
    array(values: Float32Array): NdArray;
    zeros(shape: readonly number[]): NdArray;
    matmul(a: NdArray, b: NdArray): NdArray;
    max: Unary;
    sqrt: Unary;
    square: Unary;
    tanh: Unary;
  };
  nn: { relu: Unary; sigmoid: Unary; softplus: Unary };
  lax: {
    convGeneralDilated(x: NdArray, w: NdArray, strides: number[], padding: "VALID"): NdArray;
    reduceWindow(x: NdArray, body: Unary, window: number[], strides: number[]): NdArray;
  };
}

type Parameters2D = NdArray[][];
/** Everything a step changes: the parameters and, of the same shapes, the optimizer's slots. */
interface State {
  parameters: Parameters2D;
  slots: Parameters2D[];
}

const SLOTS: Record<Optimizer["type"], number> = { sgd: 0, rmsprop: 1, adam: 2 };

const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

/** c' = f c + i g, h' = o tanh(c'); the inputs' part of the gates is one product for all times. x [rows, T, features]. */
function lstm({ numpy, nn }: Jax, x: NdArray, units: number, [kernel, recurrent, bias]: NdArray[]): NdArray {
  const [rows, times] = x.shape;
  const inputs = numpy.matmul(x, kernel).add(bias);
  let hidden = numpy.zeros([rows, units]);
  let cell = numpy.zeros([rows, units]);
  for (let t = 0; t < times; t++) {
    const gates = inputs.ref.slice([], t).add(numpy.matmul(hidden, recurrent.ref));
    const [i, f, g, o] = [0, 1, 2, 3].map((k) => gates.ref.slice([], [k * units, (k + 1) * units]));
    gates.dispose();
    cell = nn
      .sigmoid(f)
      .mul(cell)
      .add(nn.sigmoid(i).mul(numpy.tanh(g)));
    hidden = nn.sigmoid(o).mul(numpy.tanh(cell.ref));
  }
  for (const array of [inputs, recurrent, cell]) array.dispose();
  return hidden;
}

function applyLayer(jax: Jax, layer: Layer, x: NdArray, weights: NdArray[]): NdArray {
  const activate: Record<Activation, Unary> = { linear: (z) => z, relu: jax.nn.relu, tanh: jax.numpy.tanh };
  switch (layer.type) {
    case "dense":
      return activate[layer.activation](jax.numpy.matmul(x, weights[0]).add(weights[1]));
    case "conv2d": {
      const kernel = weights[0].transpose([3, 2, 0, 1]);
      const z = jax.lax.convGeneralDilated(x.transpose(TO_NCHW), kernel, [1, 1], "VALID").transpose(TO_NHWC);
      return activate[layer.activation](z.add(weights[1]));
    }
    case "maxPool2d": {
      const window = [layer.size, layer.size];
      return jax.lax.reduceWindow(x.transpose(TO_NCHW), jax.numpy.max, window, window).transpose(TO_NHWC);
    }
    case "flatten":
      return x.reshape([x.shape[0], -1]);
    case "lstm":
      return lstm(jax, x, layer.units, weights);
    default:
      return layer satisfies never;
  }
}

/** Logits [rows, 1]; consumes `x` and `parameters`. */
function forward(jax: Jax, workload: Training, parameters: Parameters2D, x: NdArray): NdArray {
  return workload.layers.reduce((h, layer, i) => applyLayer(jax, layer, h, parameters[i]), x);
}

/** The new parameter and its new slots; `scale`, which is kept, holds the rate and, for Adam, both bias corrections. */
function update(jax: Jax, optimizer: Optimizer, p: NdArray, g: NdArray, slots: NdArray[], scale: NdArray): NdArray[] {
  const { sqrt, square } = jax.numpy;
  const factor = (i: number) => scale.ref.slice(i);
  switch (optimizer.type) {
    case "sgd":
      return [p.sub(g.mul(factor(0)))];
    case "rmsprop": {
      const { rho, epsilon } = optimizer;
      const second = slots[0].mul(rho).add(square(g.ref).mul(1 - rho));
      return [p.sub(g.mul(factor(0)).div(sqrt(second.ref).add(epsilon))), second];
    }
    case "adam": {
      const { beta1, beta2, epsilon } = optimizer;
      const first = slots[0].mul(beta1).add(g.ref.mul(1 - beta1));
      const second = slots[1].mul(beta2).add(square(g).mul(1 - beta2));
      const spread = sqrt(second.ref.div(factor(2))).add(epsilon);
      return [p.sub(first.ref.div(factor(1)).mul(factor(0)).div(spread)), first, second];
    }
    default:
      return optimizer satisfies never;
  }
}

function upload(jax: Jax, weights: readonly Weight[][]): Parameters2D {
  return weights.map((layer) => layer.map(({ shape, values }) => jax.numpy.array(values).reshape(shape)));
}

function engine(jax: Jax, syncEvery: number, about: Record<string, string>): Engine {
  return {
    about: { ...pinned("@jax-js/jax"), ...about },

    async trainer(workload, weights) {
      const { optimizer } = workload;
      const lossOf = jax.valueAndGrad((parameters: Parameters2D, x: NdArray, y: NdArray, w: NdArray) => {
        const z = forward(jax, workload, parameters, x);
        return jax.nn.softplus(z.ref).sub(z.mul(y)).mul(w).sum();
      });
      const step = jax.jit((state: State, x: NdArray, y: NdArray, w: NdArray, scale: NdArray) => {
        const keep = state.parameters.map((layer) => layer.map((p) => p.ref));
        const [loss, gradients] = lossOf(keep, x, y, w);
        const next: State = { parameters: [], slots: state.slots.map(() => []) };
        state.parameters.forEach((layer, i) => {
          const updated = layer.map((p, j) => {
            const slots = state.slots.map((slot) => slot[i][j]);
            return update(jax, optimizer, p, gradients[i][j], slots, scale);
          });
          next.parameters.push(updated.map(([p]) => p));
          next.slots.forEach((slot, k) => {
            slot.push(updated.map((values) => values[k + 1]));
          });
        });
        scale.dispose();
        return { state: next, loss };
      });
      let state: State = {
        parameters: upload(jax, weights),
        slots: Array.from({ length: SLOTS[optimizer.type] }, () =>
          weights.map((layer) => layer.map(({ shape }) => jax.numpy.zeros(shape))),
        ),
      };
      const [weight0, weight1] = workload.classWeight ?? [1, 1];
      return async (batches) => {
        let last: NdArray | undefined;
        for (const [i, batch] of batches.entries()) {
          const x = jax.numpy.array(batch.x).reshape([batch.size, ...workload.input]);
          const y = jax.numpy.array(batch.y).reshape([batch.size, 1]);
          const w = jax.numpy.array(batch.y.map((label) => (label === 1 ? weight1 : weight0) / batch.size));
          const corrections = optimizer.type === "adam" ? [optimizer.beta1, optimizer.beta2] : [];
          const scale = Float32Array.of(batch.rate, ...corrections.map((beta) => 1 - beta ** (batch.step + 1)));
          last?.dispose();
          const result = step(state, x, y, w.reshape([batch.size, 1]), jax.numpy.array(scale));
          state = result.state;
          last = result.loss;
          if ((i + 1) % syncEvery === 0) await jax.blockUntilReady(result);
        }
        await jax.blockUntilReady(state);
        const [loss] = last === undefined ? [Number.NaN] : await last.data();
        return { value: loss };
      };
    },

    async matmul({ n }, a, b) {
      const [left, right] = [a, b].map((values) => jax.numpy.array(values).reshape([n, n]));
      const multiply = jax.jit((x: NdArray, y: NdArray) => jax.numpy.matmul(x, y));
      return async () => {
        const c = await jax.blockUntilReady(multiply(left.ref, right.ref));
        const [value] = await c.slice(0, [0, 1]).data();
        return { value };
      };
    },

    async predictor(workload, weights) {
      const parameters = upload(jax, weights);
      const model = jax.jit((p: Parameters2D, x: NdArray) => jax.nn.sigmoid(forward(jax, workload, p, x)));
      const width = workload.input.reduce((size, n) => size * n, 1);
      return async (x) => {
        const kept = parameters.map((layer) => layer.map((p) => p.ref));
        return { value: await model(kept, jax.numpy.array(x).reshape([x.length / width, ...workload.input])).data() };
      };
    },
  };
}

async function start(device: "wasm" | "webgpu", about: Record<string, string>): Promise<Engine> {
  const jax = await importPeer<Jax>("@jax-js/jax");
  const devices = await jax.init(device);
  if (!devices.includes(device)) throw new Unavailable(`jax-js has no ${device} device here`);
  jax.defaultDevice(device);
  return engine(jax, device === "wasm" ? 1 : 8, about);
}

export const jaxWasm: Peer = { name: "jax-js-wasm", open: () => start("wasm", {}) };
export const jaxWebgpu: Peer = {
  name: "jax-js-webgpu",
  open: async (host) => start("webgpu", await host.installGpu()),
};
