/** One case of ops.json as a graph: its output, its gradients and what else the case expects, on any device. */
import { F32, worstRatio } from "../../src/check/compare.ts";
import type { Device } from "../../src/device.ts";
import type { DType, Elements, Tensor } from "../../src/graph/types.ts";
import { sizeOf } from "../../src/graph/types.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { input } from "../../src/ops/core/constant.ts";
import { mul } from "../../src/ops/core/elementwise.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import type { CaseResult } from "./metrics.ts";

export interface OracleTensor {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
  readonly dtype?: DType;
}

export interface OpCase {
  readonly id: string;
  readonly op: string;
  // biome-ignore lint/suspicious/noExplicitAny: each op has its own parameters
  readonly params: Readonly<Record<string, any>>;
  readonly inputs: Readonly<Record<string, OracleTensor>>;
  readonly constants?: Readonly<Record<string, OracleTensor>>;
  readonly upstream: OracleTensor;
  readonly output: OracleTensor;
  readonly grads: Readonly<Record<string, OracleTensor>>;
  /** What else the case expects, such as `batch_norm`'s running statistics. */
  readonly after?: Readonly<Record<string, OracleTensor>>;
}

/**
 * Builds a case's graph from its inputs and constants by name. The result is the output, or a record whose `output` is
 * that and whose other tensors are compared with those of the same name in `after`.
 */
export type OpBuilder = (
  inputs: Readonly<Record<string, Tensor>>,
  one: OpCase,
) => Tensor | Readonly<Record<string, Tensor>>;

const elements = ({ data, dtype }: OracleTensor): Elements => {
  const numbers = data.map(Number);
  return dtype === "i32" ? Uint32Array.from(numbers) : Float32Array.from(numbers);
};

/** Runs a case and compares everything it expects by the family's tolerance. */
export async function checkOpCase(device: Device, build: OpBuilder, one: OpCase, scale = 1): Promise<CaseResult> {
  const given: Record<string, OracleTensor> = { ...one.constants, ...one.inputs, upstream: one.upstream };
  // Integers are indices, which this project keeps as u32.
  const tensors = Object.fromEntries(
    Object.entries(given).map(([name, t]) => [name, input(name, t.shape, t.dtype === "i32" ? "u32" : "f32")]),
  );
  const { upstream, ...inputs } = tensors;
  const built = build(inputs, one);
  const made: Readonly<Record<string, Tensor>> =
    "node" in built ? { output: built as Tensor } : (built as Record<string, Tensor>);
  const wrt = Object.keys(one.grads);
  const slopes = gradients(
    sum(mul(made.output, upstream)),
    wrt.map((name) => inputs[name]),
  );
  const outputs = { ...made, ...Object.fromEntries(wrt.map((name, k) => [`grad ${name}`, slopes[k]])) };
  const want: Record<string, OracleTensor> = { output: one.output, ...one.after };
  for (const name of wrt) want[`grad ${name}`] = one.grads[name];

  const bindings = Object.fromEntries(
    Object.entries(tensors).map(([name, t]) => [name, device.tensor(t, name, elements(given[name]))]),
  );
  const step = await device.compile({ outputs, updates: [] }, { bindings, label: one.id });
  try {
    device.enqueue(step, {});
    await device.flush();
    let worst: CaseResult = { id: one.id, ratio: 0 };
    for (const [name, wanted] of Object.entries(want)) {
      const result = step.outputs[name];
      const shaped = result !== undefined && sizeOf(result.shape) === sizeOf(wanted.shape);
      const tolerance = { rtol: F32.rtol, atol: F32.atol * scale };
      const ratio = shaped ? worstRatio(await result.read(), elements(wanted), tolerance) : Number.POSITIVE_INFINITY;
      if (ratio > worst.ratio) worst = { id: one.id, ratio, ...(ratio > 1 ? { error: `${name} is off` } : {}) };
    }
    return worst;
  } finally {
    step.dispose();
    for (const t of Object.values(bindings)) t.dispose();
  }
}
