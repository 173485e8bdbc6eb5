/**
 * Writes a dense network as an ONNX model (opset 17, IR version 8), for any ONNX runtime. Field numbers are those of
 * onnx.proto3. Input "input" [N, ...shape] f32, output "output" f32, with a free batch size N.
 */

import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import { concatBytes } from "./bytes.ts";
import { bytesField, floatField, intField, type Message, messageField, textField } from "./protobuf.ts";

/** What follows one after another between input and output. */
export type OnnxLayer =
  /** (x - mean) / scale on the last axis of f features; mean and scale are [f]. */
  | { readonly type: "standardize"; readonly mean: Float32Array; readonly scale: Float32Array }
  /** [N, ...] -> [N, product]. */
  | { readonly type: "flatten" }
  /** x [N,K] · kernel [K,units] + bias [units], row-major. */
  | { readonly type: "dense"; readonly units: number; readonly kernel: Float32Array; readonly bias?: Float32Array }
  /** `alpha`: slope of leakyRelu (default 0.01), scale of elu (default 1). */
  | { readonly type: "activation"; readonly activation: OnnxActivation; readonly alpha?: number };

export type OnnxActivation =
  | "linear"
  | "relu"
  | "leakyRelu"
  | "elu"
  | "gelu"
  | "geluTanh"
  | "silu"
  | "softplus"
  | "sigmoid"
  | "tanh"
  | "softmax"
  | "logSoftmax";

const FLOAT = 1;
const OPSET = 17;
const IR_VERSION = 8;
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;

/**
 * The bytes of an .onnx file. `shape` is one sample's; a last `sigmoid` activation makes the output a probability.
 * @throws E_SHAPE naming the layer whose arrays do not fit what comes in.
 */
export function encodeOnnx(shape: readonly number[], layers: readonly OnnxLayer[]): Uint8Array {
  const graph = new GraphWriter();
  let current = "input";
  let incoming = [...shape];
  layers.forEach((layer, i) => {
    incoming = outgoingShape(layer, incoming, `layer ${i} (${layer.type})`);
    current = writeLayer(graph, layer, current);
  });
  graph.rename(current);
  const model: Message = [
    ...intField(1, IR_VERSION),
    ...textField(2, "tilegrad"),
    ...messageField(7, graph.message(shape, incoming)),
    ...messageField(8, [...textField(1, ""), ...intField(2, OPSET)]),
  ];
  return concatBytes(model);
}

function outgoingShape(layer: OnnxLayer, incoming: readonly number[], where: string): number[] {
  const last = incoming.at(-1) ?? 1;
  const check = (name: string, got: number, expected: number) => {
    if (got === expected) return;
    throw new TilegradError("E_SHAPE", `${where}: got ${got} ${name}; expected ${expected} for input [${incoming}].`);
  };
  switch (layer.type) {
    case "standardize":
      check("means", layer.mean.length, last);
      check("scales", layer.scale.length, last);
      return [...incoming];
    case "flatten":
      return [sizeOf(incoming)];
    case "dense":
      check("dimensions", incoming.length, 1);
      check("units", layer.units, Math.max(1, Math.floor(layer.units)));
      check("kernel values", layer.kernel.length, last * layer.units);
      if (layer.bias !== undefined) check("biases", layer.bias.length, layer.units);
      return [layer.units];
    case "activation":
      return [...incoming];
    default:
      throw layer satisfies never;
  }
}

/** Adds the nodes of a layer that reads the value `x`; gives the name of its result. */
function writeLayer(graph: GraphWriter, layer: OnnxLayer, x: string): string {
  switch (layer.type) {
    case "standardize": {
      const mean = graph.constant([layer.mean.length], layer.mean);
      const scale = graph.constant([layer.scale.length], layer.scale);
      return graph.node("Div", [graph.node("Sub", [x, mean]), scale]);
    }
    case "flatten":
      return graph.node("Flatten", [x], [intAttribute("axis", 1)]);
    case "dense": {
      const inputs = [x, graph.constant([layer.kernel.length / layer.units, layer.units], layer.kernel)];
      if (layer.bias !== undefined) inputs.push(graph.constant([layer.units], layer.bias));
      return graph.node("Gemm", inputs);
    }
    case "activation":
      return writeActivation(graph, layer.activation, layer.alpha, x);
    default:
      throw layer satisfies never;
  }
}

function writeActivation(graph: GraphWriter, activation: OnnxActivation, alpha: number | undefined, x: string): string {
  const scalar = (value: number) => graph.constant([], Float32Array.of(value));
  switch (activation) {
    case "linear":
      return x;
    case "relu":
      return graph.node("Relu", [x]);
    case "leakyRelu":
      return graph.node("LeakyRelu", [x], [floatAttribute("alpha", alpha ?? 0.01)]);
    case "elu":
      return graph.node("Elu", [x], [floatAttribute("alpha", alpha ?? 1)]);
    case "softplus":
      return graph.node("Softplus", [x]);
    case "sigmoid":
      return graph.node("Sigmoid", [x]);
    case "tanh":
      return graph.node("Tanh", [x]);
    case "softmax":
      return graph.node("Softmax", [x], [intAttribute("axis", -1)]);
    case "logSoftmax":
      return graph.node("LogSoftmax", [x], [intAttribute("axis", -1)]);
    case "silu":
      return graph.node("Mul", [x, graph.node("Sigmoid", [x])]);
    case "gelu": {
      // x/2 (1 + erf(x / sqrt 2)); the op Gelu came with opset 20.
      const erf = graph.node("Erf", [graph.node("Mul", [x, scalar(Math.SQRT1_2)])]);
      return graph.node("Mul", [graph.node("Mul", [x, scalar(0.5)]), graph.node("Add", [erf, scalar(1)])]);
    }
    case "geluTanh": {
      // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), Hendrycks and Gimpel 2016.
      const cube = graph.node("Mul", [graph.node("Mul", [x, x]), x]);
      const inner = graph.node("Add", [x, graph.node("Mul", [cube, scalar(0.044715)])]);
      const tanh = graph.node("Tanh", [graph.node("Mul", [inner, scalar(Math.sqrt(2 / Math.PI))])]);
      return graph.node("Mul", [graph.node("Mul", [x, scalar(0.5)]), graph.node("Add", [tanh, scalar(1)])]);
    }
    default:
      throw activation satisfies never;
  }
}

/** Collects the nodes and constants of a GraphProto. */
class GraphWriter {
  private readonly nodes: { op: string; inputs: readonly string[]; output: string; attributes: readonly Message[] }[] =
    [];
  private readonly constants: Message[] = [];

  node(op: string, inputs: readonly string[], attributes: readonly Message[] = []): string {
    const output = `${op.toLowerCase()}${this.nodes.length}`;
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  /** A TensorProto: dims 1, data_type 2, name 8, raw_data 9. */
  constant(dims: readonly number[], data: Float32Array): string {
    const name = `constant${this.constants.length}`;
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const shape = dims.flatMap((size) => intField(1, size));
    this.constants.push([...shape, ...intField(2, FLOAT), ...textField(8, name), ...bytesField(9, raw)]);
    return name;
  }

  /** Calls the last result `output`; a graph without nodes gets one that copies. */
  rename(result: string): void {
    if (this.nodes.length === 0) this.node("Identity", [result]);
    this.nodes[this.nodes.length - 1].output = "output";
  }

  /** GraphProto: node 1, name 2, initializer 5, input 11, output 12. NodeProto: input 1, output 2, name 3, op_type 4. */
  message(input: readonly number[], output: readonly number[]): Message {
    const nodes = this.nodes.flatMap(({ op, inputs, output: name, attributes }) =>
      messageField(1, [
        ...inputs.flatMap((value) => textField(1, value)),
        ...textField(2, name),
        ...textField(3, name),
        ...textField(4, op),
        ...attributes.flatMap((attribute) => messageField(5, attribute)),
      ]),
    );
    return [
      ...nodes,
      ...textField(2, "tilegrad"),
      ...this.constants.flatMap((constant) => messageField(5, constant)),
      ...messageField(11, valueInfo("input", input)),
      ...messageField(12, valueInfo("output", output)),
    ];
  }
}

/** ValueInfoProto: a float tensor [N, ...shape]; a dimension is a number (1) or a name (2). */
function valueInfo(name: string, shape: readonly number[]): Message {
  const dims = [textField(2, "N"), ...shape.map((size) => intField(1, size))];
  const tensor = [
    ...intField(1, FLOAT),
    ...messageField(
      2,
      dims.flatMap((dim) => messageField(1, dim)),
    ),
  ];
  return [...textField(1, name), ...messageField(2, messageField(1, tensor))];
}

/** AttributeProto: name 1, f 2, i 3, type 20. */
function floatAttribute(name: string, value: number): Message {
  return [...textField(1, name), ...floatField(2, value), ...intField(20, ATTRIBUTE_FLOAT)];
}

function intAttribute(name: string, value: number): Message {
  return [...textField(1, name), ...intField(3, value), ...intField(20, ATTRIBUTE_INT)];
}
