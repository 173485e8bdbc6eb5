import { describe, expect, it } from "vitest";
import type { DeviceTensor } from "../../src/device.ts";
import type { Optimizer } from "../../src/model/optimizers.ts";
import { adagrad, adam, adamW, clipGradients, rmsprop, sgd } from "../../src/model/optimizers.ts";
import { exponentialDecay } from "../../src/model/schedules.ts";
import { input, state, stepScalar } from "../../src/ops/core/constant.ts";
import { largestDifference, onDevices } from "../train/support.ts";

const STEPS = 20;
const SIZE = 7;
const start = Float64Array.from({ length: SIZE }, (_, i) => Math.sin(1 + i));
/** The gradient of step t: changes sign, is large and small, and is 0 at times. */
const gradientAt = (t: number): Float64Array =>
  Float64Array.from({ length: SIZE }, (_, i) =>
    i === 3 && t % 2 === 0 ? 0 : Math.fround(Math.cos(t * (i + 1)) * 10 ** ((i % 3) - 1)),
  );

/** One parameter's whole state, updated in place by a loop written out. */
type Loop = (p: { p: number; [slot: string]: number }, g: number, t: number, rate: number) => void;

const decays = 0.01;
const adamLoop =
  (decoupled: number, coupled: number, amsgrad: boolean): Loop =>
  (w, raw, t, rate) => {
    const g = raw + coupled * w.p;
    w.m = 0.9 * (w.m ?? 0) + 0.1 * g;
    w.v = 0.999 * (w.v ?? 0) + 0.001 * g * g;
    w.most = Math.max(w.most ?? 0, w.v);
    const v = (amsgrad ? w.most : w.v) / (1 - 0.999 ** t);
    w.p = w.p * (1 - rate * decoupled) - (rate * w.m) / (1 - 0.9 ** t) / (Math.sqrt(v) + 1e-8);
  };
const sgdLoop =
  (momentum: number, nesterov: boolean, dampening: number, decay: number): Loop =>
  (w, raw, t, rate) => {
    const g = raw + decay * w.p;
    if (momentum === 0) {
      w.p -= rate * g;
      return;
    }
    w.b = t === 1 ? g : momentum * w.b + (1 - dampening) * g;
    w.p -= rate * (nesterov ? g + momentum * w.b : w.b);
  };
const rmspropLoop =
  (momentum: number, centered: boolean, decay: number): Loop =>
  (w, raw, _, rate) => {
    const g = raw + decay * w.p;
    w.v = 0.9 * (w.v ?? 0) + 0.1 * g * g;
    w.mean = 0.9 * (w.mean ?? 0) + 0.1 * g;
    const step = g / (Math.sqrt(Math.max(0, centered ? w.v - w.mean ** 2 : w.v)) + 1e-6);
    w.b = momentum * (w.b ?? 0) + step;
    w.p -= rate * (momentum > 0 ? w.b : step);
  };
const adagradLoop =
  (first: number, decay: number, rateDecay: number): Loop =>
  (w, raw, t, rate) => {
    const g = raw + decay * w.p;
    w.s = (w.s ?? first) + g * g;
    w.p -= ((rate / (1 + (t - 1) * rateDecay)) * g) / (Math.sqrt(w.s) + 1e-10);
  };

const cases: [string, Optimizer, Loop][] = [
  ["sgd", sgd(), sgdLoop(0, false, 0, 0)],
  ["sgd with weight decay", sgd({ weightDecay: decays }), sgdLoop(0, false, 0, decays)],
  ["sgd with momentum", sgd({ momentum: 0.9 }), sgdLoop(0.9, false, 0, 0)],
  [
    "sgd with momentum and dampening",
    sgd({ momentum: 0.9, dampening: 0.5, weightDecay: decays }),
    sgdLoop(0.9, false, 0.5, decays),
  ],
  ["Nesterov", sgd({ momentum: 0.9, nesterov: true }), sgdLoop(0.9, true, 0, 0)],
  ["Adam", adam(), adamLoop(0, 0, false)],
  ["Adam with weight decay", adam({ weightDecay: decays }), adamLoop(0, decays, false)],
  ["AMSGrad", adam({ amsgrad: true }), adamLoop(0, 0, true)],
  ["AdamW", adamW(), adamLoop(0.01, 0, false)],
  ["AdamW with AMSGrad", adamW({ weightDecay: 0.1, amsgrad: true }), adamLoop(0.1, 0, true)],
  ["RMSprop", rmsprop({ alpha: 0.9, epsilon: 1e-6 }), rmspropLoop(0, false, 0)],
  [
    "RMSprop, centered",
    rmsprop({ alpha: 0.9, epsilon: 1e-6, centered: true, weightDecay: decays }),
    rmspropLoop(0, true, decays),
  ],
  ["RMSprop with momentum", rmsprop({ alpha: 0.9, epsilon: 1e-6, momentum: 0.5 }), rmspropLoop(0.5, false, 0)],
  ["Adagrad", adagrad(), adagradLoop(0, 0, 0)],
  [
    "Adagrad with all options",
    adagrad({ initialAccumulator: 0.1, weightDecay: decays, rateDecay: 0.2 }),
    adagradLoop(0.1, decays, 0.2),
  ],
];

onDevices((device) => {
  it.each(cases)("%s is the loop written out in f64, for 20 steps", async (_, optimizer, loop) => {
    const p = state("p", [SIZE]);
    const slots = Object.fromEntries(Object.keys(optimizer.slots).map((name) => [name, state(name, [SIZE])]));
    const next = optimizer.update({ p, g: input("g", [SIZE]), slots, scalar: (name) => stepScalar(name) });
    const updates = [
      { state: p, value: next.p },
      ...Object.entries(next.slots).map(([name, value]) => ({ state: slots[name], value })),
    ];
    const bindings: Record<string, DeviceTensor> = Object.fromEntries([
      ["p", device().tensor(p, "p", start)],
      ["g", device().tensor(p, "g")],
      ...Object.entries(optimizer.slots).map(([name, value]) => [
        name,
        device().tensor(p, name, new Float32Array(SIZE).fill(value)),
      ]),
    ]);
    const step = await device().compile({ outputs: {}, updates }, { bindings, label: "update" });
    const want = Array.from(start, (v) => ({ p: v }));
    for (let t = 1; t <= STEPS; t++) {
      const rate = exponentialDecay(0.01, { gamma: 0.95 }).rate({ step: t, epoch: t, stepsPerEpoch: 1, epochs: STEPS });
      bindings.g.write(gradientAt(t));
      device().enqueue(step, optimizer.scalars(t, rate));
      want.forEach((w, i) => {
        loop(w, gradientAt(t)[i], t, rate);
      });
    }
    const got = await bindings.p.read();
    step.dispose();
    for (const tensor of Object.values(bindings)) tensor.dispose();
    expect(
      largestDifference(
        got,
        want.map((w) => w.p),
      ),
    ).toBeLessThan(3e-6);
  });

  it.each([
    ["by value", { clipValue: 0.5 }],
    ["by norm", { clipNorm: 0.7 }],
    ["by a norm that is not reached", { clipNorm: 1e6 }],
    ["by value, then norm", { clipValue: 0.5, clipNorm: 0.7 }],
  ])("gradients are clipped %s as in f64", async (_, options: { clipValue?: number; clipNorm?: number }) => {
    const { clipValue = Infinity, clipNorm = Infinity } = options;
    const g = input("g", [SIZE]);
    const clipped = clipGradients(g, { clipValue: options.clipValue, clipNorm: options.clipNorm });
    const bindings = { g: device().tensor(g, "g", gradientAt(1)) };
    const step = await device().compile({ outputs: { clipped }, updates: [] }, { bindings, label: "clip" });
    device().enqueue(step, {});
    const got = await step.outputs.clipped.read();
    const limited = gradientAt(1).map((v) => Math.max(-clipValue, Math.min(clipValue, v)));
    const scale = Math.min(1, clipNorm / (Math.hypot(...limited) + 1e-6));
    expect(
      largestDifference(
        got,
        limited.map((v) => v * scale),
      ),
    ).toBeLessThan(1e-6);
    step.dispose();
    bindings.g.dispose();
  });
});

describe("an optimizer described wrongly is E_ARGUMENT:", () => {
  it.each<[string, () => Optimizer]>([
    ["a negative rate", () => adam({ learningRate: -1 })],
    ["a NaN rate", () => sgd({ learningRate: Number.NaN })],
    ["a negative decay", () => adamW({ weightDecay: -0.1 })],
    ["a clip norm of 0", () => sgd({ clipNorm: 0 })],
    ["a negative clip value", () => sgd({ clipValue: -1 })],
    ["a momentum of 1", () => sgd({ momentum: 1 })],
    ["a negative momentum", () => rmsprop({ momentum: -0.5 })],
    ["Nesterov without momentum", () => sgd({ nesterov: true })],
    ["Nesterov with dampening", () => sgd({ nesterov: true, momentum: 0.9, dampening: 0.1 })],
    ["a beta of 1", () => adam({ beta1: 1 })],
    ["a negative beta", () => adamW({ beta2: -0.1 })],
    ["a negative epsilon", () => adam({ epsilon: -1e-8 })],
    ["an epsilon whose gradients have squares that GPUs read as 0", () => adam({ epsilon: 1e-25 })],
    ["an alpha of 1.5", () => rmsprop({ alpha: 1.5 })],
    ["a negative accumulator", () => adagrad({ initialAccumulator: -1 })],
    ["a negative rate decay", () => adagrad({ rateDecay: -1 })],
  ])("%s", (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: "E_ARGUMENT" }));
  });
});
