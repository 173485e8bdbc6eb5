/** Random data behind the inputs and states of a graph. */
import { sampleValues } from "../check/samples.ts";
import type { Device, DeviceTensor } from "../device.ts";
import { results, topological } from "../graph/traverse.ts";
import type { Graph } from "../graph/types.ts";

/** @throws E_MEMORY */
export function bindSamples(
  device: Device,
  graph: Graph,
): { readonly bindings: Readonly<Record<string, DeviceTensor>>; readonly dispose: () => void } {
  const bindings: Record<string, DeviceTensor> = {};
  const dispose = (): void => {
    for (const tensor of Object.values(bindings)) tensor.dispose();
  };
  try {
    for (const { op, attrs, outputs } of topological(results(graph))) {
      if (op.name !== "input" && op.name !== "state") continue;
      const values = sampleValues({ ...outputs[0], range: [-1, 1] }, Object.keys(bindings).length);
      bindings[attrs.name] = device.tensor(outputs[0], attrs.name, values);
    }
    return { bindings, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
