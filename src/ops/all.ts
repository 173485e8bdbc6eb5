/** Every op, for those who must not forget one: the tests and `doctor`. Applications never import this. */
import { broadcastOps } from "./broadcast.ts";
import { castOps } from "./cast.ts";
import { checkpointOps } from "./checkpoint.ts";
import { concatOps } from "./concat.ts";
import { conv2dOps } from "./conv2d.ts";
import { elementwiseOps } from "./elementwise.ts";
import { gatherOps } from "./gather.ts";
import { gridSampleOps } from "./gridSample.ts";
import { gruOps } from "./gru.ts";
import { linearOps } from "./linear.ts";
import { lstmOps } from "./lstm.ts";
import { matmulOps } from "./matmul.ts";
import { nearestNeighborsOps } from "./nearestNeighbors.ts";
import { normalizationOps } from "./normalization.ts";
import type { OpDef } from "./op.ts";
import { pool2dOps } from "./pool2d.ts";
import { randomOps } from "./random.ts";
import { reduceOps } from "./reduce.ts";
import { simpleRnnOps } from "./simpleRnn.ts";
import { sliceOps } from "./slice.ts";
import { upsamplingOps } from "./upsampling.ts";
import { viewOps } from "./view.ts";

export const allOps: readonly OpDef[] = [
  ...elementwiseOps,
  ...viewOps,
  ...checkpointOps,
  ...broadcastOps,
  ...reduceOps,
  ...sliceOps,
  ...concatOps,
  ...gatherOps,
  ...matmulOps,
  ...linearOps,
  ...conv2dOps,
  ...pool2dOps,
  ...normalizationOps,
  ...upsamplingOps,
  ...gridSampleOps,
  ...lstmOps,
  ...gruOps,
  ...simpleRnnOps,
  ...nearestNeighborsOps,
  ...castOps,
  ...randomOps,
];
