/** Flags that several commands have, each declared here once. */
import type { Command } from "commander";
import { Option } from "commander";
import { TASK } from "../../experiment/options.ts";
import * as is from "../../kinds.ts";
import { measureLabels } from "../../metrics/formatReport.ts";
import type { DeviceName } from "./device.ts";
import { deviceOption } from "./device.ts";
import { addFlags } from "./flags.ts";
import { ofKind } from "./values.ts";

/** Where and how a command runs, and how much it says. */
export interface RunFlags {
  readonly device: DeviceName;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** @param quiet what is left out then */
export const addRunOptions = (command: Command, quiet: string): Command =>
  addJsonOption(command.addOption(deviceOption())).option("--quiet", quiet, false);

export const addJsonOption = (command: Command): Command =>
  command.option("--json", "print one JSON object on stdout", false);

/** @param what what the target is for, where it need not be given */
export const addTargetOptions = (command: Command, what = "the column to predict; with --window also up(column)") =>
  addFlags(command, TASK, {
    target: ["column", what],
    positive: ["label", "the label that means yes (default: the rarer one)"],
  });

/** @param what what is drawn by it */
export const addSeedOption = (command: Command, what: string): Command =>
  command.option("--seed <n>", `of ${what}, weights, order and dropout`, ofKind(is.integerFrom(0)), 0);

const STREAMED = "(default: CSV and Parquet files of 64 MiB or more)";

/** @param then what happens with the flag, and without it */
export const addStreamOptions = (
  command: Command,
  [then, otherwise] = ["keep rows on disk, not in memory", "keep them in memory"],
): Command => command.option("--stream", `${then} ${STREAMED}`).option("--no-stream", otherwise);

/** @param what what it decides */
export const addMeasureOption = (command: Command, what: string): Command =>
  command.addOption(
    new Option("--measure <name>", what).choices(measureLabels.map(([, name]) => name)).default("prAuc"),
  );

/** Another threshold for a saved model. */
export const addThresholdOption = (command: Command): Command =>
  command.option(
    "--threshold <n>",
    "yes from this score on, instead of the threshold saved with the model",
    ofKind(is.share),
  );
