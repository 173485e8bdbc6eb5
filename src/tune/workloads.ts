/** Typical training steps: what a device is tuned for unless it is given a model. */
import type { Graph } from "../graph/types.ts";
import { conv2d } from "../model/layers/convolution.ts";
import { dense } from "../model/layers/dense.ts";
import { maxPooling2d } from "../model/layers/pooling.ts";
import { lstm } from "../model/layers/recurrent.ts";
import { flatten } from "../model/layers/shape.ts";
import { binaryCrossentropy } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import { sequential } from "../model/model.ts";
import { sgd } from "../model/optimizers.ts";
import { stepGraph } from "../train/stepGraph.ts";

/** A network for tables, one for small images and one for sequences, as the command line's presets are. */
export function typicalSteps(maxQueue: number): Graph[] {
  const step = (model: Model, batch: number): Graph =>
    stepGraph({ model, loss: binaryCrossentropy(), optimizer: sgd() }, batch, maxQueue);
  const relu = { activation: "relu" } as const;
  const table = sequential({ input: [30] }, [dense(128, relu), dense(64, relu), dense(1)]);
  const image = sequential({ input: [28, 28, 1] }, [
    conv2d(16, 3, relu),
    maxPooling2d(2),
    conv2d(32, 3, relu),
    maxPooling2d(2),
    flatten(),
    dense(64, relu),
    dense(1),
  ]);
  const series = sequential({ input: [32, 8] }, [lstm(32), dense(1)]);
  return [step(table, 32), step(table, 256), step(series, 64), step(image, 64)];
}
