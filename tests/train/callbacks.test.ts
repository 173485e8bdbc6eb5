import { expect, it } from "vitest";
import { adam, sgd } from "../../src/model/optimizers.ts";
import { stepDecay } from "../../src/model/schedules.ts";
import type { Callback, EpochLogs } from "../../src/train/callbacks.ts";
import { earlyStopping, reduceOnPlateau } from "../../src/train/callbacks.ts";
import { codeOf, failure, onDevices, problem, trainerOf, withDropout } from "./support.ts";

const { x, y } = problem(70);
const data = { x, y };
const validation = problem(40, { seed: 2 });

onDevices((device) => {
  it("callbacks stop early and put the best epoch's weights back", async () => {
    const best = new Map<number, Record<string, Float32Array>>();
    const keep: Callback = {
      name: "keep",
      onEpochEnd: async (epoch, _, control) => void best.set(epoch, { ...(await control.getWeights()) }),
    };
    const stopping = earlyStopping({ patience: 3 });
    const trainer = trainerOf(device(), withDropout(), { optimizer: adam({ learningRate: 0.2 }) });
    const { valLoss } = await trainer.fit(data, {
      epochs: 60,
      batchSize: 16,
      validation,
      callbacks: [keep, stopping],
    });
    const at = valLoss.indexOf(Math.min(...valLoss));
    expect(valLoss.length).toBeLessThan(60);
    expect(valLoss.length).toBe(at + 4);
    expect(stopping.best).toEqual({ epoch: at, value: valLoss[at] });
    expect(await trainer.getWeights()).toEqual(best.get(at));
    trainer.dispose();
  });

  it("take no epoch for the best whose value is NaN", async () => {
    const values = [Number.NaN, 0.4, Number.NaN, 0.2, 0.3];
    const stopping = earlyStopping({ monitor: "loss", patience: 3 });
    const stops: number[] = [];
    const control = {
      stop: () => void stops.push(1),
      rateScale: 1,
      saveCheckpoint: async () => {},
      getWeights: async () => ({}),
      setWeights: () => {},
    };
    for (const [epoch, loss] of values.entries()) await stopping.onEpochEnd?.(epoch, { loss }, control);
    expect(stopping.best).toEqual({ epoch: 3, value: 0.2 });
    const plateau = reduceOnPlateau({ monitor: "loss", patience: 1, factor: 0.5 });
    for (const loss of [Number.NaN, 0.4, 0.3]) await plateau.onEpochEnd?.(0, { loss }, control);
    expect(control.rateScale).toBe(1);
    // Nothing but NaN is no improvement either, and gives no weights to put back.
    const never = earlyStopping({ monitor: "loss", patience: 2 });
    for (let epoch = 0; epoch < 2; epoch++) await never.onEpochEnd?.(epoch, { loss: Number.NaN }, control);
    expect(never.best).toBeNull();
    expect(stops).toHaveLength(1);
  });

  it("callbacks lower the rate on a plateau, on top of the schedule", async () => {
    const rates: number[] = [];
    const trainer = trainerOf(device(), withDropout(), {
      optimizer: sgd({ learningRate: stepDecay(1e-9, { size: 4 }) }),
    });
    await trainer.fit(data, {
      epochs: 6,
      batchSize: 16,
      validation,
      callbacks: [
        reduceOnPlateau({ patience: 1, factor: 0.5 }),
        { name: "see", onEpochEnd: (_, logs) => void rates.push(logs.learningRate) },
      ],
    });
    // Values differ by less than 1e-4: epochs 1 and 2 are bad, the next is halved, and so on; after 4 the schedule steps.
    expect(rates.map((r) => Number((r * 1e9).toPrecision(6)))).toEqual([1, 1, 1, 0.5, 0.05, 0.025]);
    trainer.dispose();
  });

  it("callbacks of one's own see every epoch's values and may set weights or stop", async () => {
    const seen: [number, EpochLogs][] = [];
    const trainer = trainerOf(device(), withDropout());
    const zeros = Object.fromEntries(
      Object.entries(await trainer.getWeights()).map(([name, w]) => [name, w.map(() => 0)]),
    );
    const mine: Callback = {
      name: "mine",
      onEpochEnd(epoch, logs, control) {
        seen.push([epoch, logs]);
        if (epoch === 1) control.setWeights(zeros);
        if (epoch === 2) control.stop();
      },
    };
    const { loss, learningRate } = await trainer.fit(data, { epochs: 9, batchSize: 70, callbacks: [mine] });
    expect(seen.map(([epoch, logs]) => [epoch, logs])).toEqual(
      loss.map((value, e) => [e, { loss: value, learningRate: learningRate[e] }]),
    );
    expect(loss).toHaveLength(3);
    expect(loss[2]).toBeCloseTo(Math.LN2, 6);
    trainer.dispose();
  });

  it("callbacks of one name, or watching what is not there, are a typed error", async () => {
    const trainer = trainerOf(device(), withDropout());
    expect(await codeOf(trainer.fit(data, { epochs: 1, callbacks: [earlyStopping(), earlyStopping()] }))).toBe(
      "E_ARGUMENT",
    );
    const error = await failure(trainer.fit(data, { epochs: 1, callbacks: [earlyStopping()] }));
    expect(error.message).toBe('monitor: got "valLoss"; this run has loss, learningRate.');
    const tie = earlyStopping({ monitor: "loss", tieBreak: "valF1" });
    const plateau = reduceOnPlateau({ monitor: "valF1" });
    for (const callback of [tie, plateau]) {
      const { message } = await failure(trainer.fit(data, { epochs: 1, validation: data, callbacks: [callback] }));
      expect(message).toBe('monitor: got "valF1"; this run has loss, learningRate, valLoss.');
    }
    // Nothing was trained before they were told.
    expect(trainer.step).toBe(0);
    trainer.dispose();
  });
});
