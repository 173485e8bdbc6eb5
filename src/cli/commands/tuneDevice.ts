/** `tilegrad doctor --tune`: which kernels are the fastest on this device, and what running costs on it. */
import type { Device } from "../../device.ts";
import type { Costs } from "../../policy/costs.ts";
import { timeText } from "../../policy/costs.ts";
import { loadModel } from "../../train/loading.ts";
import type { MeasuredKernel, TuneResult } from "../../tune/tune.ts";
import { tuneDevice } from "../../tune/tune.ts";
import { bold, count, digits, duration, pairs, plural, Status, table, writeJson } from "../terminal/terminal.ts";

export interface TuneDeviceOptions {
  /** Folder of a saved model whose training step is measured. */
  readonly model?: string;
  readonly batch?: number;
  readonly seconds?: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** @param say writes a line for people */
export async function tune(
  device: Device,
  { model, batch, seconds, json, quiet }: TuneDeviceOptions,
  say: (line: string) => void,
): Promise<void> {
  const began = performance.now();
  const status = new Status({ quiet });
  const loaded = model === undefined ? null : await loadModel(model, { device });
  const result = await tuneDevice(device, {
    ...(loaded ? { trainer: loaded.trainer } : {}),
    ...(batch === undefined ? {} : { batchSize: batch }),
    ...(seconds === undefined ? {} : { seconds }),
    progress: (done, total, bucket) => status.show(done / total, `measured ${done} of ${total}  ${bucket}`),
  });
  status.end();
  loaded?.trainer.dispose();
  const ms = performance.now() - began;
  if (json) writeJson({ device: device.info, ...result, ms });
  if (!quiet) for (const line of show(result)) say(line);
  const changed = result.kernels.filter(({ before, now }) => now !== before).length;
  if (!json || !quiet) {
    const all = result.kernels.length + result.left.length;
    say(
      bold(
        `Measured ${count(result.kernels.length)} of ${plural(all, "kernel")} in ${duration(ms)}, ${changed} chosen anew.`,
      ),
    );
    say("It is kept for this device and used from now on; TILEGRAD_TUNING=off leaves it aside.");
  }
}

/** The costs that plans are chosen by. */
export const costLines = ({ dispatch, stage, rate, residentRate }: Costs): (readonly [string, string])[] => [
  ["Dispatch", timeText(dispatch)],
  ["Resident stage", timeText(stage)],
  ["Rate", `${digits(rate / 1000)} GFLOP/s, ${digits(residentRate / 1000)} resident`],
];

function show({ tuning, kernels, left }: TuneResult): string[] {
  const times = ({ kernels: all }: MeasuredKernel): string =>
    all.map(({ name, us, equal }) => `${name} ${timeText(us)}${equal ? "" : " (other bits)"}`).join(", ");
  const rows = kernels.map((kernel) => [kernel.bucket, kernel.before, kernel.now, times(kernel)]);
  const header = ["op and sizes", "before", "now", "time of each"];
  return [
    ...pairs(costLines(tuning.costs)),
    "",
    ...table([header, ...rows], [...header.keys()]),
    ...(left.length > 0
      ? [`${plural(left.length, "kernel")} not measured: out of time (raise --seconds), or too long for this device.`]
      : []),
    "",
  ];
}
