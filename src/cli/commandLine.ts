/** The command line: one file per command, exit status 0 (done), 1 (the work failed), 2 (command line or input wrong). */
import { Command, CommanderError, Help, type Option } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { nearest } from "../nearest.ts";
import { addCompare } from "./commands/compare.ts";
import { addCv } from "./commands/cv.ts";
import { addDescribe } from "./commands/describe.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addEvaluate } from "./commands/evaluate.ts";
import { addInspect } from "./commands/inspect.ts";
import { addPredict } from "./commands/predict.ts";
import { addTrain } from "./commands/train.ts";
import { addTune } from "./commands/tune.ts";
import { Failed, reportError } from "./terminal/errors.ts";
import type { Terminal } from "./terminal/terminal.ts";
import { helpOutput, printingTo, ReaderGone } from "./terminal/terminal.ts";

const COMMANDS = [addTrain, addEvaluate, addPredict, addCv, addCompare, addTune, addInspect, addDoctor, addDescribe];

/** As commander describes it, but for the default of a flag, which tells nothing. */
const optionDescription = (option: Option): string =>
  Help.prototype.optionDescription(option).replace(" (default: false)", "");

function commands(): Command {
  const root = new Command("tilegrad")
    .description("Train neural networks on the GPU from a table: rare yes/no questions above all.")
    .version(packageJson.version)
    .helpCommand(false)
    .showHelpAfterError(false);
  for (const add of COMMANDS) add(root);
  // Errors are thrown, to be shown in one way; set on every command, since commander copies settings when they are made.
  for (const command of [root, ...root.commands]) {
    command
      .exitOverride()
      .configureOutput({ ...helpOutput(), outputError: () => {} })
      .configureHelp({ optionDescription })
      .allowExcessArguments(false);
  }
  return root;
}

/** Commander looks for options that are missing before it looks for unknown ones, of which one may be the missing, misspelt. */
function misspelt(error: unknown, root: Command, [name, ...args]: readonly string[]): unknown {
  const command = root.commands.find((each) => each.name() === name);
  if (!command || !(error instanceof CommanderError) || error.code !== "commander.missingMandatoryOptionValue")
    return error;
  const unknown = command.parseOptions(args).unknown.find((arg) => arg.startsWith("--"));
  if (unknown === undefined) return error;
  const flags = command.options.flatMap(({ long }) => long ?? []);
  const near = nearest(
    unknown.replace(/^--|=.*/g, ""),
    flags.map((flag) => flag.slice(2)),
  );
  const meant = near ? `\n(Did you mean --${near}?)` : "";
  return new CommanderError(1, "commander.unknownOption", `error: unknown option '${unknown}'${meant}`);
}

/**
 * Runs one command, as a process would that is given these words; one at a time, and nothing is left behind.
 * @param io where it writes (default: the streams of this process), and which file Node was given
 * @returns the exit status: 0 (done), 1 (the work failed), 2 (command line or input wrong), 130 and 143 (a signal)
 */
export function runCommandLine(args: readonly string[], io: Partial<Omit<Terminal, "args">> = {}): Promise<number> {
  const { stdout = process.stdout, stderr = process.stderr, program = process.argv[1] } = io;
  return printingTo({ stdout, stderr, program, args }, () => statusOf(args));
}

async function statusOf(args: readonly string[]): Promise<number> {
  const root = commands();
  try {
    await root.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof Failed) return 1;
    if (error instanceof ReaderGone) return 0;
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === "commander.help") return 2; // no command: help was shown
    return reportError(misspelt(error, root, args), args.includes("--json"));
  }
}
