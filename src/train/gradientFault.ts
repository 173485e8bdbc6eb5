/** Which gradient it was that was not finite: found once training has stopped at it, from the weights as they were. */
import type { CompiledStep, Device, DeviceTensor } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Graph, StepValues } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { Model } from "../model/model.ts";
import { isBeyond } from "../ops/core/concat.ts";
import type { ParameterLayout } from "./parameters.ts";

/** A step of a chunk whose gradients were not finite. */
export interface GradientFault {
  readonly step: number;
  /** The first parameter with such a gradient, in the order of the model; null where it could not be found. */
  readonly parameter: { readonly name: string; readonly gradient: number } | null;
}

/**
 * The first parameter whose gradient is not below `limit`; null when there is none, or no memory to look for it: the error to
 * come must not become another one.
 * @param graph gives the packed gradients
 */
export async function findParameter(
  device: Device,
  graph: Graph,
  how: { readonly bindings: Readonly<Record<string, DeviceTensor>>; readonly fusion: boolean },
  values: StepValues,
  { layout, limit }: { readonly layout: ParameterLayout; readonly limit: number },
): Promise<GradientFault["parameter"]> {
  let step: CompiledStep | null = null;
  try {
    step = await device.compile(graph, { ...how, label: "gradients", plan: "dispatch" });
    device.enqueue(step, values);
    const gradients = await step.outputs.gradients.read();
    for (const { spec, offset } of layout.placed) {
      const own = offset === null ? [] : gradients.subarray(offset, offset + sizeOf(spec.shape));
      const gradient = own.find((v) => isBeyond(v, limit));
      if (gradient !== undefined) return { name: spec.name, gradient };
    }
    return null;
  } catch (error) {
    if (error instanceof TilegradError && error.code !== "E_LOST") return null;
    throw error;
  } finally {
    step?.dispose();
  }
}

/** The error of a step whose loss is finite and whose gradients are not. */
export function gradientError(
  parameter: GradientFault["parameter"],
  model: Model,
  { epoch, stepInEpoch }: { readonly epoch: number; readonly stepInEpoch: number },
): TilegradError {
  const layer = model.layers.filter(({ name }) => parameter?.name.startsWith(`${name}/`)).at(-1);
  const whose = parameter
    ? `of ${parameter.name}${layer ? ` (${layer.type})` : ""} became ${parameter.gradient}`
    : "was not finite";
  return new TilegradError(
    "E_NONFINITE",
    `The gradient ${whose} at step ${stepInEpoch + 1} of epoch ${epoch + 1}, under a finite loss; the weights are those before that step.`,
    {
      hint: Number.isFinite(parameter?.gradient)
        ? "Its square overflows f32: scale the inputs, or limit gradients by value first (clipValue)."
        : "Look for what has no finite slope there, such as the square root of 0 or an exponential that overflows; or scale the inputs.",
    },
  );
}
