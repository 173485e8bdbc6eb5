/** The graph of one training step, whole: batch, forward, loss, backward, clipping, optimizer, and the loss's record. */
import { TilegradError } from "../errors.ts";
import type { Graph, Tensor, Update } from "../graph/types.ts";
import { sameShape, sizeOf } from "../graph/types.ts";
import type { Loss } from "../model/losses.ts";
import { trainingLoss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import { clipGradients, gradientLimitOf } from "../model/optimizers.ts";
import { unsquash } from "../model/squash.ts";
import { broadcastTo, sum } from "../ops/core/broadcast.ts";
import { pack, packWatched } from "../ops/core/concat.ts";
import { input, state, stepScalar } from "../ops/core/constant.ts";
import { abs, add, equal, finite, mul, sign, square, where } from "../ops/core/elementwise.ts";
import { dynamicSlice, dynamicUpdateSlice, takeRows } from "../ops/core/take.ts";
import { reshape } from "../ops/core/view.ts";
import { gradients } from "../passes/differentiate.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import type { Augment, AugmentBatch } from "./augment.ts";
import { AUGMENT_STREAMS } from "./augment.ts";
import { lossScaling } from "./lossScaling.ts";
import type { ParameterLayout } from "./parameters.ts";
import { parameterViews } from "./parameters.ts";

export interface StepSpec {
  readonly model: Model;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly layout: ParameterLayout;
  readonly batch: number;
  /** Rows on the device, the shape of one row's x and y, and whether rows have weights. */
  readonly data: { readonly rows: number; readonly y: readonly number[]; readonly weighted: boolean };
  /** Elements of the batch order and of the loss record on the device. */
  readonly orderSize: number;
  readonly recordSize: number;
  /** What batches become before the model sees them. */
  readonly augment?: Augment | undefined;
  /** "mixed" scales the loss that is differentiated; what is stored in f16 is the compiler's. */
  readonly precision?: TrainingPrecision;
  /** Whether any parameter has an L1 or L2 penalty. */
  readonly penalties: { readonly l1: boolean; readonly l2: boolean };
}

/** The state that tells where in the record the first step stands whose gradients were not finite: 1 + its place; 0 for none. */
export const FAULT = "fault";

/** @param probe gives the packed gradients instead of training by them */
export function trainingStep(spec: StepSpec, { probe = false } = {}): Graph {
  const { model, loss, optimizer, layout, batch, data } = spec;
  const { arena, view } = parameterViews(layout);
  const rows = dynamicSlice(input("order", [spec.orderSize], "u32"), stepScalar("orderOffset", "u32"), batch);
  const { x, y, weight } = augmented(spec.augment, {
    x: takeRows(input("x", [data.rows, ...model.inputShape]), rows),
    y: takeRows(input("y", [data.rows, ...data.y]), rows),
    weight: data.weighted ? takeRows(input("weight", [data.rows]), rows) : null,
  });

  const updates: Update[] = [];
  const statistics: [Tensor, Tensor][] = [];
  const output = model.trace(x, {
    training: true,
    parameter: ({ name }) => view(name),
    update: (target, value) => statistics.push([target, value]),
  });
  const { value: dataLoss, counts } = trainingLoss(loss, output, y, weight);
  const { penalty, gradient } = penalties(arena, spec.penalties);
  const total = penalty ? add(dataLoss, penalty) : dataLoss;

  // A loss that is not finite freezes all updates, until the host has looked; so do gradients, but for mixed precision.
  const alive = state("alive", []);
  const faultBefore =
    spec.precision === "mixed" || layout.placed.every((p) => p.offset === null) ? null : state(FAULT, []);
  // Statistics do not look at gradients, so they must be told of earlier steps' here; what is trained sees the fault itself.
  const before = faultBefore && statistics.length > 0 ? mul(alive, equal(faultBefore, 0)) : alive;
  const stillAlive = mul(before, finite(total));
  let fault: Tensor | null = null;
  // The fault is looked at by each element: a scalar made of it and of `go` would be one with the loss, which came before.
  const clear = (next: Tensor, go: Tensor): Tensor => (fault ? mul(go, equal(broadcastTo(fault, next.shape), 0)) : go);
  const guarded = (next: Tensor, old: Tensor, go: Tensor): Tensor =>
    where(mul(clear(next, go), finite(next)), next, old);
  // Nor does a batch without weight change anything.
  const go = counts ? mul(stillAlive, counts) : stillAlive;
  updates.push({ state: alive, value: stillAlive });
  const record = state("record", [spec.recordSize]);
  updates.push({
    state: record,
    value: dynamicUpdateSlice(record, reshape(total, [1]), stepScalar("recordOffset", "u32")),
  });

  const trained = layout.placed.flatMap(({ spec, offset }) =>
    offset === null ? [] : [{ offset, tensor: view(spec.name) }],
  );
  if (trained.length > 0) {
    const scaling = spec.precision === "mixed" ? lossScaling() : null;
    const parts = gradients(
      scaling ? scaling.scaled(dataLoss) : dataLoss,
      trained.map((p) => p.tensor),
    );
    const flat = parts.map((g) => reshape(g, [sizeOf(g.shape)]));
    const offsets = trained.map((p) => p.offset);
    if (probe) return { outputs: { gradients: pack(flat, offsets, layout.arenaSize) }, updates: [] };
    const watched =
      faultBefore &&
      packWatched(flat, offsets, layout.arenaSize, {
        fault: faultBefore,
        place: stepScalar("recordOffset", "u32"),
        limit: gradientLimitOf(optimizer, layout.arenaSize),
      });
    if (faultBefore && watched) {
      fault = watched.fault;
      updates.push({ state: faultBefore, value: fault });
    }
    const packed = watched?.packed ?? pack(flat, offsets, layout.arenaSize);
    const unscaled = scaling?.unscaled(packed);
    for (const { state, value } of unscaled?.updates ?? []) updates.push({ state, value: where(go, value, state) });
    const goes = unscaled ? mul(go, unscaled.good) : go;
    const ofData = unscaled?.g ?? packed;
    const g = clipGradients(gradient ? add(ofData, gradient) : ofData, optimizer);
    const slots = Object.fromEntries(
      Object.keys(optimizer.slots).map((name) => [name, state(`slot ${name}`, arena.shape)]),
    );
    const next = optimizer.update({ p: arena, g, slots, scalar: (name) => stepScalar(`optimizer ${name}`) });
    updates.push({ state: arena, value: guarded(next.p, arena, goes) });
    for (const [name, value] of Object.entries(next.slots))
      updates.push({ state: slots[name], value: guarded(value, slots[name], goes) });
  }
  // Statistics come from the forward pass: those of the very step whose gradients were not finite have moved, as in mixed
  // precision; to wait for its gradients would keep what they are made of, and cost kernels.
  for (const [target, value] of statistics)
    updates.push({ state: target, value: where(mul(go, finite(value)), value, target) });
  return { outputs: {}, updates };
}

function augmented(augment: Augment | undefined, batch: AugmentBatch): AugmentBatch {
  if (!augment) return batch;
  let stream = AUGMENT_STREAMS;
  const changed = augment(batch, { stream: () => stream++ });
  for (const name of ["x", "y", "weight"] as const) {
    const [before, after] = [batch[name], changed[name]];
    if (sameShape(after?.shape ?? [-1], before?.shape ?? [-1])) continue;
    throw new TilegradError(
      "E_SHAPE",
      `augment: ${name} became [${after?.shape}]; expected [${before?.shape}] as before.`,
    );
  }
  return changed;
}

/** The penalty of the regularizers, and its gradient, over the whole arena at once. */
function penalties(p: Tensor, { l1, l2 }: StepSpec["penalties"]): { penalty: Tensor | null; gradient: Tensor | null } {
  const terms: { value: Tensor; slope: Tensor }[] = [];
  if (l1) {
    const weight = input("l1", p.shape);
    terms.push({ value: mul(weight, abs(p)), slope: mul(weight, sign(p)) });
  }
  if (l2) {
    const weight = input("l2", p.shape);
    terms.push({ value: mul(weight, square(p)), slope: mul(mul(weight, 2), p) });
  }
  if (terms.length === 0) return { penalty: null, gradient: null };
  return { penalty: sum(terms.map((t) => t.value).reduce(add)), gradient: terms.map((t) => t.slope).reduce(add) };
}

/**
 * The forward pass over rows [offset, offset + batch) of x, written to the same rows of `output`; without a final sigmoid or
 * softmax, which `Scorer` puts back in double precision.
 */
export function predictionStep(model: Model, layout: ParameterLayout, batch: number, rows: number): Graph {
  const { view } = parameterViews(layout);
  const inputs = sizeOf(model.inputShape);
  const outputs = sizeOf(model.outputShape);
  const flat = dynamicSlice(input("x", [rows * inputs]), stepScalar("inputOffset", "u32"), batch * inputs);
  const traced = model.trace(reshape(flat, [batch, ...model.inputShape]), {
    training: false,
    parameter: ({ name }) => view(name),
  });
  const y = unsquash(traced)?.logits ?? traced;
  const output = state("output", [rows * outputs]);
  const value = dynamicUpdateSlice(output, reshape(y, [batch * outputs]), stepScalar("outputOffset", "u32"));
  return { outputs: {}, updates: [{ state: output, value }] };
}
