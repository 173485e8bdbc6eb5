/** `tilegrad/graph`: the level below layers: symbolic tensors, their gradients, and what checks the ops on a device. */

export type { CheckOpsOptions, CheckResult } from "../check/check.ts";
export { checkOps } from "../check/check.ts";
export type { CompiledStep, CompileGraphOptions } from "../device.ts";
export type {} from "../globals.ts";
export { print } from "../graph/print.ts";
export type { DType, Graph, Node, OpDef, Sample, Tensor, TensorType, Update } from "../graph/types.ts";
export { verify } from "../graph/verify.ts";
export { allOps } from "../ops/all.ts";
export * as ops from "../ops/public.ts";
export { gradients } from "../passes/differentiate.ts";
