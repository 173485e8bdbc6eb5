/** Which shader computes a kernel, and the WGSL of its hooks. */

import mapShader from "../../shaders/core/map.wgsl";
import { invariant } from "../errors.ts";
import type { DType, InlineCode, KernelChoice, Node } from "../graph/types.ts";
import type { Kernel } from "../passes/kernels.ts";
import type { KernelLimits } from "../policy/limits.ts";
import { limitsFor } from "../policy/tuning.ts";
import type { HookContext } from "./hooks.ts";
import { HookWriter } from "./hooks.ts";

/** From here on a map kernel has enough threads with four elements each. */
const WIDE_MAP = 1024;
/** In a resident plan, where four elements are four times the code to compile, from here on. */
const WIDE_STAGE = 8192;

export function chooseKernel(kernel: Kernel, limits: KernelLimits): KernelChoice {
  const { anchor, nodes, clusters } = kernel;
  const own = anchor?.op.kernel?.(anchor, limitsFor(anchor, limits));
  if (own) return own;
  const [{ size }] = clusters;
  const can = nodes.every(({ op }) => op.inline4 || op.pointwise);
  // By fours, what takes its elements one by one is four times the code: only where something else gains by it.
  const wide = size % 4 === 0 && size >= (limits.resident ? WIDE_STAGE : WIDE_MAP) && can && nodes.some(gainsByFours);
  const width = wide ? 4 : 1;
  const constants = { WIDTH: width };
  return {
    shader: mapShader,
    constants,
    params: { count: size },
    grid: { threads: size / width },
    loads: [],
    stores: [],
  };
}

const NOWHERE: InlineCode = {
  at: () => "",
  at4: () => "",
  let: (expression) => expression,
  dim: String,
  step: () => "",
  use: () => {},
};

const gainsByFours = (node: Node): boolean =>
  node.op.pointwise === true || typeof node.op.inline4?.(NOWHERE, node, "i") === "string";

/** Hook functions by name: what the kernel's fused nodes compute where it loads and stores. */
export function writeHooks(context: HookContext, choice: KernelChoice): Record<string, string> {
  const { anchor } = context.kernel;
  return anchor ? anchorHooks(context, anchor, choice) : mapHooks(context, choice);
}

function mapHooks(context: HookContext, { constants }: KernelChoice): Record<string, string> {
  const body = new HookWriter(context, { cluster: context.kernel.clusters[0], width: constants?.WIDTH === 4 ? 4 : 1 });
  body.storeAll();
  return { compute: `fn compute(i: u32) {\n${body.text()}}` };
}

function anchorHooks(context: HookContext, anchor: Node, choice: KernelChoice): Record<string, string> {
  const { kernel, plan, bindings } = context;
  const hooks: Record<string, string> = {};
  const typeOf = (dtype: DType, width: 1 | 4): string => (width === 4 ? `vec4<${dtype}>` : dtype);
  for (const { hook, input, width = 1 } of choice.loads) {
    const cluster = kernel.clusters.find((c) => "load" in c.role && c.role.load === input);
    const body = new HookWriter(context, { cluster, width });
    const t = anchor.inputs[input];
    const value = width === 4 ? body.at4(t, "i") : body.at(t, "i");
    body.storeAll();
    hooks[hook] = `fn ${hook}(i: u32) -> ${typeOf(t.dtype, width)} {\n${body.text()}return ${value};\n}`;
  }
  for (const { hook, output, width = 1 } of choice.stores) {
    const cluster = kernel.clusters.find((c) => "store" in c.role && c.role.store === output);
    const type = anchor.outputs[output];
    const body = new HookWriter(context, { cluster, width, anchored: { node: anchor, index: output, ...type } });
    body.storeAll();
    hooks[hook] = `fn ${hook}(i: u32, v: ${typeOf(type.dtype, width)}) {\n${body.text()}}`;
  }
  for (const { hook, output } of choice.peeks ?? []) {
    const type = anchor.outputs[output];
    const place = plan.placeOf({ node: anchor, index: output, ...type });
    invariant(place, `${hook}: the output it reads back has no memory.`);
    const index = place.offset === 0 ? "i" : `${context.dim(place.offset)} + i`;
    hooks[hook] = `fn ${hook}(i: u32) -> ${type.dtype} {\nreturn ${bindings.read(place.buffer, index, 1)};\n}`;
  }
  return hooks;
}
