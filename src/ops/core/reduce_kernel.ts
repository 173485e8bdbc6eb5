/** What the reductions share: x seen as [outer, reduced, inner], reduced to [outer, inner]. */
import reduceSerial from "../../../shaders/core/reduce_serial.wgsl";
import reduceTree from "../../../shaders/core/reduce_tree.wgsl";
import type { KernelChoice, Node, OpDef, ReferenceCall, TensorType } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import type { KernelLimits } from "../../policy/limits.ts";
import { expectDType, shapeError } from "../op.ts";

/** `begin` .. `end` are the neighbouring axes that go away. */
export function reduceShape(name: string): OpDef["shape"] {
  return ([x], { begin, end }) => {
    expectDType(name, x, "f32");
    if (!(begin >= 0 && begin < end && end <= x.shape.length)) throw shapeError(name, [x], `axes ${begin} .. ${end}`);
    return [{ dtype: x.dtype, shape: x.shape.filter((_, d) => d < begin || d >= end) }];
  };
}

function extents(x: TensorType, attrs: Node["attrs"]): { outer: number; reduced: number; inner: number } {
  return {
    outer: sizeOf(x.shape.slice(0, attrs.begin)),
    reduced: sizeOf(x.shape.slice(attrs.begin, attrs.end)),
    inner: sizeOf(x.shape.slice(attrs.end)),
  };
}

export function reduceReference(initial: number, combine: (a: number, b: number) => number) {
  return ({ inputs: [x], inputTypes, attrs, outputs: [y] }: ReferenceCall): void => {
    const { outer, reduced, inner } = extents(inputTypes[0], attrs);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let value = initial;
        for (let r = 0; r < reduced; r++) value = combine(value, x[(o * reduced + r) * inner + i]);
        y[o * inner + i] = value;
      }
    }
  };
}

/** One thread per output for short reductions, one workgroup per output for long ones: fixed by the shape alone. */
export function reduceKernel(kind: "sum" | "max") {
  return (node: Node, limits: KernelLimits): KernelChoice => {
    const { outer, reduced, inner } = extents(node.inputs[0], node.attrs);
    const outputs = outer * inner;
    const common = {
      params: { outputs, reduced, inner },
      loads: [{ hook: "load_x", input: 0 }],
      stores: [{ hook: "store_y", output: 0 }],
    };
    const constants = { MAXIMUM: kind === "max" };
    if (limits.resident || reduced <= 32 || outputs >= 4096) {
      return { ...common, shader: reduceSerial, constants, grid: { threads: outputs } };
    }
    const wg = Math.min(256, limits.maxWorkgroupSize, reduced >= 1024 ? 256 : 64);
    return {
      ...common,
      shader: reduceTree,
      constants: { ...constants, WG: wg },
      grid: { workgroups: [outputs, 1, 1] },
    };
  };
}
