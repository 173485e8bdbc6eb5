import { describe, expect, it } from "vitest";
import { encodeOnnx, type OnnxActivation, type OnnxLayer } from "../../src/io/onnx.ts";
import { varint } from "../../src/io/protobuf.ts";

/** A protobuf message as lists of values by field number: bigint for varints, number for floats, bytes for the rest. */
function readMessage(bytes: Uint8Array): Map<number, (bigint | number | Uint8Array)[]> {
  const fields = new Map<number, (bigint | number | Uint8Array)[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  };
  while (at < bytes.length) {
    const key = Number(readVarint());
    let value: bigint | number | Uint8Array;
    if ((key & 7) === 0) value = readVarint();
    else if ((key & 7) === 5) {
      value = view.getFloat32(at, true);
      at += 4;
    } else {
      expect(key & 7).toBe(2);
      const length = Number(readVarint());
      expect(at + length).toBeLessThanOrEqual(bytes.length);
      value = bytes.subarray(at, at + length);
      at += length;
    }
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value]);
  }
  return fields;
}

const messages = (fields: ReturnType<typeof readMessage>, tag: number) =>
  (fields.get(tag) ?? []).map((bytes) => readMessage(bytes as Uint8Array));
const texts = (fields: ReturnType<typeof readMessage>, tag: number) =>
  (fields.get(tag) ?? []).map((bytes) => new TextDecoder().decode(bytes as Uint8Array));
const ints = (fields: ReturnType<typeof readMessage>, tag: number) => (fields.get(tag) ?? []).map(Number);

interface Constant {
  readonly dims: number[];
  readonly data: number[];
}

function readModel(bytes: Uint8Array) {
  const model = readMessage(bytes);
  const [graph] = messages(model, 7);
  const constants = new Map<string, Constant>();
  for (const tensor of messages(graph, 5)) {
    expect(ints(tensor, 2)).toEqual([1]);
    const raw = (tensor.get(9) as Uint8Array[])[0];
    constants.set(texts(tensor, 8)[0], { dims: ints(tensor, 1), data: [...new Float32Array(raw.slice().buffer)] });
  }
  const nodes = messages(graph, 1).map((node) => ({
    op: texts(node, 4)[0],
    inputs: texts(node, 1),
    output: texts(node, 2)[0],
    attributes: Object.fromEntries(
      messages(node, 5).map((item) => [texts(item, 1)[0], item.get(2)?.[0] ?? ints(item, 3)[0]]),
    ),
  }));
  const dims = (tag: number) => {
    const [info] = messages(graph, tag);
    const [tensor] = messages(messages(info, 2)[0], 1);
    return messages(messages(tensor, 2)[0], 1).map((dim) => texts(dim, 2)[0] ?? ints(dim, 1)[0]);
  };
  return { model, nodes, constants, input: dims(11), output: dims(12) };
}

const erf = (x: number) => {
  // Maclaurin series; ample for |x| < 3.
  let term = x;
  let sum = x;
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
};
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softmax = (row: number[]) => row.map((x) => Math.exp(x) / row.reduce((sum, y) => sum + Math.exp(y), 0));

/** Runs the nodes as the ONNX operator specification defines them, on one sample. */
function evaluate(bytes: Uint8Array, sample: readonly number[]): number[] {
  const { nodes, constants } = readModel(bytes);
  const values = new Map<string, number[]>([["input", [...sample]]]);
  for (const [name, { data }] of constants) values.set(name, data);
  for (const { op, inputs, output, attributes } of nodes) {
    const [x, b, c] = inputs.map((name) => values.get(name) as number[]);
    const zip = (f: (x: number, y: number) => number) => x.map((value, i) => f(value, b[i % b.length]));
    const alpha = attributes.alpha as number;
    const ops: Record<string, () => number[]> = {
      Identity: () => x,
      Flatten: () => x,
      Add: () => zip((p, q) => p + q),
      Sub: () => zip((p, q) => p - q),
      Mul: () => zip((p, q) => p * q),
      Div: () => zip((p, q) => p / q),
      Relu: () => x.map((p) => Math.max(p, 0)),
      LeakyRelu: () => x.map((p) => (p >= 0 ? p : alpha * p)),
      Elu: () => x.map((p) => (p >= 0 ? p : alpha * Math.expm1(p))),
      Softplus: () => x.map((p) => Math.log1p(Math.exp(p))),
      Sigmoid: () => x.map(sigmoid),
      Tanh: () => x.map(Math.tanh),
      Erf: () => x.map(erf),
      Softmax: () => softmax(x),
      LogSoftmax: () => softmax(x).map(Math.log),
      Gemm: () => {
        const [rows, columns] = constants.get(inputs[1])?.dims ?? [];
        return Array.from({ length: columns }, (_, j) => {
          let sum = c?.[j] ?? 0;
          for (let k = 0; k < rows; k++) sum += x[k] * b[k * columns + j];
          return sum;
        });
      },
    };
    values.set(output, ops[op]());
  }
  return values.get("output") as number[];
}

const elementwise: Record<Exclude<OnnxActivation, "softmax" | "logSoftmax">, (x: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  leakyRelu: (x) => (x < 0 ? 0.2 * x : x),
  elu: (x) => (x < 0 ? 0.2 * Math.expm1(x) : x),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  silu: (x) => x * sigmoid(x),
  softplus: (x) => Math.log1p(Math.exp(x)),
  sigmoid,
  tanh: Math.tanh,
};
const rowwise = {
  softmax,
  logSoftmax: (row: number[]) => softmax(row).map(Math.log),
};

describe("ONNX", () => {
  it("writes a model of opset 17 with a free batch size", () => {
    const bytes = encodeOnnx([2, 3], [{ type: "flatten" }, { type: "dense", units: 4, kernel: new Float32Array(24) }]);
    const { model, nodes, input, output } = readModel(bytes);
    expect(ints(model, 1)).toEqual([8]);
    expect(ints(messages(model, 8)[0], 2)).toEqual([17]);
    expect(input).toEqual(["N", 2, 3]);
    expect(output).toEqual(["N", 4]);
    expect(nodes).toEqual([
      { op: "Flatten", inputs: ["input"], output: "flatten0", attributes: { axis: 1 } },
      { op: "Gemm", inputs: ["flatten0", "constant0"], output: "output", attributes: {} },
    ]);
  });

  it("computes what the layers compute: standardize, flatten, dense, every activation", () => {
    const x = [0.3, -1.2, 2.5, 0.9];
    const kernel = Float32Array.from({ length: 12 }, (_, i) => Math.sin(1.7 * i));
    const bias = Float32Array.of(0.1, -0.2, 0.3);
    const mean = Float32Array.of(0.5, -0.5);
    const scale = Float32Array.of(2, 4);
    const before: OnnxLayer[] = [
      { type: "standardize", mean, scale },
      { type: "flatten" },
      { type: "dense", units: 3, kernel, bias },
    ];
    const hidden = Array.from(bias, (b, j) =>
      x.reduce((sum, value, k) => sum + ((value - mean[k % 2]) / scale[k % 2]) * kernel[3 * k + j], b),
    );
    const check = (activation: OnnxActivation, want: number[]) => {
      const got = evaluate(encodeOnnx([2, 2], [...before, { type: "activation", activation, alpha: 0.2 }]), x);
      // Constants such as 0.044715 are f32 in the file.
      for (const [i, value] of want.entries()) expect(Math.abs(got[i] - value), activation).toBeLessThan(1e-7);
    };
    for (const [name, f] of Object.entries(elementwise)) check(name as OnnxActivation, hidden.map(f));
    for (const [name, f] of Object.entries(rowwise)) check(name as OnnxActivation, f(hidden));
  });

  it("copies its input when there are no layers", () => {
    expect(evaluate(encodeOnnx([2], []), [3, 4])).toEqual([3, 4]);
    expect(evaluate(encodeOnnx([2], [{ type: "activation", activation: "linear" }]), [3, 4])).toEqual([3, 4]);
  });

  it("names the layer that does not fit", () => {
    const dense: OnnxLayer = { type: "dense", units: 2, kernel: new Float32Array(6) };
    expect(() => encodeOnnx([4], [dense])).toThrow("layer 0 (dense): got 6 kernel values; expected 8 for input [4]");
    expect(() => encodeOnnx([2, 3], [dense])).toThrow("layer 0 (dense): got 2 dimensions; expected 1");
    expect(() => encodeOnnx([3], [dense, { ...dense, bias: new Float32Array(2) }])).toThrow("layer 1 (dense): got 6");
    expect(() => encodeOnnx([3], [{ ...dense, units: 1.5 }])).toThrow("got 1.5 units; expected 1");
    const standardize: OnnxLayer = { type: "standardize", mean: new Float32Array(2), scale: new Float32Array(3) };
    expect(() => encodeOnnx([3], [standardize])).toThrow("layer 0 (standardize): got 2 means; expected 3");
  });
});

describe("varint", () => {
  it("is protobuf's: seven bits a byte, least significant first, negative numbers in ten bytes", () => {
    expect([...varint(0)]).toEqual([0]);
    expect([...varint(300)]).toEqual([0xac, 0x02]);
    expect([...varint(-1)]).toEqual([255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    expect(varint(Number.MAX_SAFE_INTEGER)).toHaveLength(8);
  });
});
