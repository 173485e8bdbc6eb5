/** `train --profile`: where the time of a training step goes, as a table and as a trace that browsers open. */
import path from "node:path";
import type { Command } from "commander";
import { TilegradError } from "../../errors.ts";
import type { Examples } from "../../experiment/rows.ts";
import { publishFile } from "../../node/files.ts";
import type { Profile } from "../../train/profile.ts";
import type { Trainer } from "../../train/trainer.ts";
import { digits, dim, percent, print, table } from "../terminal/terminal.ts";
import type { DeviceName } from "./device.ts";
import type { Taken } from "./output.ts";
import { assertOutput } from "./output.ts";

export interface ProfileChoice {
  readonly profile?: string;
  readonly device: DeviceName;
  readonly quiet: boolean;
}

export const addProfileOption = (command: Command): Command =>
  command.option("--profile <trace.json>", "time each kernel of a step; the file opens in ui.perfetto.dev");

/** @throws E_ARGUMENT, E_FILE */
export async function checkProfile({ profile, device }: ProfileChoice, taken: Taken): Promise<void> {
  if (profile === undefined) return;
  if (device === "cpu") {
    throw new TilegradError("E_ARGUMENT", "--profile: got --device cpu; expected a GPU.", {
      hint: "The CPU reference has no kernels to time; leave --device out.",
    });
  }
  if (path.extname(profile).toLowerCase() !== ".json") {
    throw new TilegradError(
      "E_ARGUMENT",
      `--profile: got ${JSON.stringify(profile)}; expected a name ending in .json.`,
      {
        hint: "Try --profile trace.json.",
      },
    );
  }
  await assertOutput("--profile", profile, taken);
}

/** Profiles some steps over the training rows and writes the trace; null when that was not asked for. */
export async function profileStep(
  trainer: Trainer,
  rows: Examples,
  batchSize: number,
  { profile: file, quiet }: ProfileChoice,
): Promise<Omit<Profile, "traceEvents"> | null> {
  if (file === undefined) return null;
  const { traceEvents, ...profile } = await trainer.profile(rows, { batchSize });
  await publishFile(file, `${JSON.stringify({ traceEvents, displayTimeUnit: "ns" })}\n`);
  if (!quiet) for (const line of profileTable(profile)) print(line);
  if (!quiet) print(dim(`Trace: ${file}`));
  return profile;
}

function profileTable({ kernels, us, ceilings }: Omit<Profile, "traceEvents">): string[] {
  const of = (value: number, ceiling: number): string => `${digits(value)} (${percent(value / ceiling)})`;
  const rows = kernels.map((k) => [
    k.kernel.length > 60 ? `${k.kernel.slice(0, 57)}...` : k.kernel,
    k.us.toFixed(1),
    percent(k.share),
    of(k.gflopsPerSecond, ceilings.gflopsPerSecond),
    of(k.gigabytesPerSecond, ceilings.gigabytesPerSecond),
  ]);
  const best = `best seen in a large product, a large copy or these kernels: ${digits(ceilings.gflopsPerSecond)} GFLOP/s, ${digits(ceilings.gigabytesPerSecond)} GB/s`;
  return [
    "",
    ...table([["kernel", "us", "share", "GFLOP/s (of best)", "GB/s (of best)"], ...rows], [0]),
    `${us.toFixed(1)} us a step in kernels; ${best}`,
  ];
}
