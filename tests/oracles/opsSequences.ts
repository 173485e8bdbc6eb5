/** Sequences: the ops of ops.json as graphs of this project, from PyTorch's layout of the weights or from Keras's. */
import type { Tensor } from "../../src/graph/types.ts";
import { concat } from "../../src/ops/core/concat.ts";
import { add } from "../../src/ops/core/elementwise.ts";
import { gather } from "../../src/ops/core/gather.ts";
import { slice } from "../../src/ops/core/slice.ts";
import { reshape, transpose } from "../../src/ops/core/view.ts";
import { linear } from "../../src/ops/matmul/linear.ts";
import { gru } from "../../src/ops/recurrent/gru.ts";
import { lstm } from "../../src/ops/recurrent/lstm.ts";
import { simpleRnn } from "../../src/ops/recurrent/simpleRnn.ts";
import type { OpBuilder, OpCase, OracleTensor } from "./opCase.ts";

type Inputs = Readonly<Record<string, Tensor>>;
type Cell = "lstm" | "gru" | "rnn";

interface Weights {
  readonly kernel: Tensor;
  readonly recurrent: Tensor;
  readonly bias: Tensor;
  readonly recurrentBias: Tensor;
}

/** Rows r, z, n of PyTorch's GRU in Keras's order z, r, h. */
function gruOrder(w: Tensor): Tensor {
  const units = w.shape[0] / 3;
  const part = (gate: number): Tensor =>
    slice(
      w,
      w.shape.map((_, d) => (d === 0 ? gate * units : 0)),
      [units, ...w.shape.slice(1)],
    );
  return concat([part(1), part(0), part(2)], 0);
}

/** The weights of one direction in Keras's layout; the bias of PyTorch's LSTM and RNN is the sum of its two. */
function weightsOf(cell: Cell, inputs: Inputs, suffix: string): Weights {
  const get = (name: string): Tensor => inputs[`${name}${suffix}`];
  if ("kernel" in inputs) {
    const bias = get("bias");
    const row = (k: number): Tensor => reshape(slice(bias, [k, 0], [1, bias.shape[1]]), [bias.shape[1]]);
    const [first, second] = cell === "gru" ? [row(0), row(1)] : [bias, bias];
    return { kernel: get("kernel"), recurrent: get("recurrent_kernel"), bias: first, recurrentBias: second };
  }
  const order = cell === "gru" ? gruOrder : (w: Tensor): Tensor => w;
  const bias = order(get("b_ih"));
  const recurrentBias = order(get("b_hh"));
  return {
    kernel: transpose(order(get("w_ih"))),
    recurrent: transpose(order(get("w_hh"))),
    bias: cell === "gru" ? bias : add(bias, recurrentBias),
    recurrentBias,
  };
}

/** [directions, batch, units] -> [batch, units] of one direction, if there is an initial state. */
const direction = (state: Tensor | undefined, k: number): Tensor | undefined =>
  state && reshape(slice(state, [k, 0, 0], [1, ...state.shape.slice(1)]), state.shape.slice(1));

const stack = (states: readonly Tensor[]): Tensor =>
  concat(
    states.map((s) => reshape(s, [1, ...s.shape])),
    0,
  );

interface States {
  readonly y: Tensor;
  readonly h: Tensor;
  /** An LSTM's alone. */
  readonly c?: Tensor;
}

/** One direction: 0 reads forwards, 1 backwards, with the weights named `..._reverse`. */
function read(cell: Cell, inputs: Inputs, k: 0 | 1): States {
  const w = weightsOf(cell, inputs, k === 1 ? "_reverse" : "");
  const xz = linear(inputs.x, w.kernel, w.bias);
  const options = { h0: direction(inputs.h0, k), goBackwards: k === 1 };
  if (cell === "lstm") return lstm(xz, w.recurrent, { ...options, c0: direction(inputs.c0, k) });
  return cell === "gru" ? gru(xz, w.recurrent, w.recurrentBias, options) : simpleRnn(xz, w.recurrent, options);
}

const recurrent =
  (cell: Cell): OpBuilder =>
  (inputs, { params }) => {
    const { y, h, c } = read(cell, inputs, 0);
    return { output: params.return_sequences ? y : h, h_n: h, ...(c && { c_n: c }) };
  };

const bidirectional =
  (cell: Cell): OpBuilder =>
  (inputs, { params }) => {
    const ways = [read(cell, inputs, 0), read(cell, inputs, 1)];
    const h = ways.map((way) => way.h);
    const c = ways.flatMap((way) => way.c ?? []);
    const output = concat(params.return_sequences ? ways.map((way) => way.y) : h);
    return { output, h_n: stack(h), ...(c.length > 0 && { c_n: stack(c) }) };
  };

export const sequenceOps: Readonly<Record<string, OpBuilder>> = {
  lstm: recurrent("lstm"),
  gru: recurrent("gru"),
  simple_rnn: recurrent("rnn"),
  bidirectional_lstm: bidirectional("lstm"),
  bidirectional_gru: bidirectional("gru"),
  bidirectional_simple_rnn: bidirectional("rnn"),
  embedding: ({ table, indices }) => gather(table, indices),
};

interface RecurrentCase extends OpCase {
  readonly h_n?: OracleTensor;
  readonly c_n?: OracleTensor;
  readonly keras_inputs?: OpCase["inputs"];
  readonly keras_grads?: OpCase["grads"];
}

/** The case with its final states to be compared too, once in each layout it is given in. */
export function layoutsOf(one: RecurrentCase): OpCase[] {
  const { h_n, c_n, keras_inputs, keras_grads } = one;
  const torch: OpCase = { ...one, after: { ...one.after, ...(h_n && { h_n }), ...(c_n && { c_n }) } };
  if (!keras_inputs || !keras_grads) return [torch];
  const shared = <T>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !/^[wb]_/.test(name)));
  return [
    torch,
    {
      ...torch,
      id: `${one.id} (Keras's layout)`,
      inputs: { ...shared(one.inputs), ...keras_inputs },
      grads: { ...shared(one.grads), ...keras_grads },
    },
  ];
}
