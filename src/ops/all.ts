/** Every op, for those who must not forget one: the tests and `doctor`. Applications never import this. */

import type { OpDef } from "../graph/types.ts";
import { conv2dOps } from "./conv/conv2d.ts";
import { broadcastOps } from "./core/broadcast.ts";
import { castOps } from "./core/cast.ts";
import { concatOps } from "./core/concat.ts";
import { elementwiseOps } from "./core/elementwise.ts";
import { gatherOps } from "./core/gather.ts";
import { reduceOps } from "./core/reduce.ts";
import { rematOps } from "./core/remat.ts";
import { sliceOps } from "./core/slice.ts";
import { takeOps } from "./core/take.ts";
import { viewOps } from "./core/view.ts";
import { gridSampleOps } from "./image/gridSample.ts";
import { upsamplingOps } from "./image/upsampling.ts";
import { linearOps } from "./matmul/linear.ts";
import { matmulOps } from "./matmul/matmul.ts";
import { nearestNeighborsOps } from "./neighbors/nearestNeighbors.ts";
import { normalizationOps } from "./norm/normalization.ts";
import { pool2dOps } from "./pool/pool2d.ts";
import { randomOps } from "./random/random.ts";
import { gruCell } from "./recurrent/gru.ts";
import { lstmCell } from "./recurrent/lstm.ts";
import { simpleRnnCell } from "./recurrent/simpleRnn.ts";

/** Every op there is, for `checkOps`. */
export const allOps: readonly OpDef[] = [
  ...elementwiseOps,
  ...viewOps,
  ...rematOps,
  ...broadcastOps,
  ...reduceOps,
  ...sliceOps,
  ...concatOps,
  ...gatherOps,
  ...takeOps,
  ...matmulOps,
  ...linearOps,
  ...conv2dOps,
  ...pool2dOps,
  ...normalizationOps,
  ...upsamplingOps,
  ...gridSampleOps,
  ...lstmCell.ops,
  ...gruCell.ops,
  ...simpleRnnCell.ops,
  ...nearestNeighborsOps,
  ...castOps,
  ...randomOps,
];
