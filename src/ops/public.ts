/** The graph level: functions of symbolic tensors, for custom layers and losses. */
export type { AxesOptions } from "./broadcast.ts";
export { broadcastTo, sum } from "./broadcast.ts";
export { cast } from "./cast.ts";
export { concat } from "./concat.ts";
export { constant, input, iota, state, stepScalar } from "./constant.ts";
export * from "./elementwise.ts";
export { dynamicSlice, dynamicUpdateSlice, gather, scatterAdd } from "./gather.ts";
export { linear } from "./linear.ts";
export { matmul } from "./matmul.ts";
export { dropout, dropoutMask, randomNormal, randomPermutation, randomUniform } from "./random.ts";
export { logSoftmax, max, mean, softmax } from "./reduce.ts";
export { pad, slice } from "./slice.ts";
export { reshape, transpose } from "./view.ts";
