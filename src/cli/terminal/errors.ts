/** Errors as a command line shows them, and the status a process ends with. */
import { CommanderError } from "commander";
import type { ErrorCode } from "../../errors.ts";
import { TilegradError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { errorInFlags } from "../options/words.ts";
import { print, write } from "./terminal.ts";

/** 2: the command line or the input is wrong. 1: the work failed. Interrupts have a status of their own. */
const STATUS: Readonly<Record<ErrorCode, 1 | 2>> = {
  E_ARGUMENT: 2,
  E_SHAPE: 2,
  E_DTYPE: 2,
  E_DATA: 2,
  E_FILE: 2,
  E_DEVICE: 1,
  E_LOST: 1,
  E_MEMORY: 1,
  E_KERNEL: 1,
  E_NONFINITE: 1,
  E_ABORTED: 1,
  E_PEER: 1,
  E_INTERNAL: 1,
};

/** A signal ended the work: the shell's status is 128 + its number. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** What a command was asked to find out is bad, and it has said so: status 1. */
export class Failed extends Error {}

interface Shown {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly status: number;
}

/** Says what went wrong on stderr (with `json` as an object on stdout too); gives the exit status. */
export function reportError(error: unknown, json: boolean): number {
  const { status, ...shown } = describe(error);
  try {
    print(`error: ${shown.message}`);
    if (shown.hint) print(`hint: ${shown.hint}`);
    if (json) write(`${JSON.stringify({ error: shown }, null, 2)}\n`);
  } catch {
    // The status tells what a full disk has no room for.
  }
  return status;
}

/** The disk has failed the work: nothing is wrong with the command line. */
const isFull = ({ cause }: TilegradError): boolean =>
  ["ENOSPC", "EDQUOT", "EFBIG", "EIO"].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? "");

/** The library's hint names what a program would change. */
const NONFINITE_HINT =
  "Lower --learning-rate, limit gradients (--clip-norm 1), or scale the inputs (--scaling standard). " +
  "--precision mixed overflows at 65504, f32 does not.";

function describe(error: unknown): Shown {
  if (error instanceof TilegradError) {
    const { code, message, hint: said } = errorInFlags(error);
    const hint = code === "E_NONFINITE" ? NONFINITE_HINT : said;
    return { code, message, status: isFull(error) ? 1 : STATUS[code], ...(hint === undefined ? {} : { hint }) };
  }
  if (error instanceof Interrupted) return { code: "E_ABORTED", message: error.message, status: error.status };
  if (error instanceof CommanderError) return describeUsage(error);
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "E_INTERNAL", message, status: 1, hint: "This is a bug in tilegrad; please report it." };
}

/** Commander puts its "did you mean" into the message, on a line of its own; for the choices of an option it has none. */
function describeUsage({ message }: CommanderError): Shown {
  const [first, ...rest] = message.replace(/^error: /, "").split("\n");
  const choice = /argument '(.*)' is invalid\. Allowed choices are (.*)\.$/.exec(first);
  const near = choice && nearest(choice[1], choice[2].split(", "));
  const meant = rest.join(" ").replace(/[()]/g, "").trim() || (near && `Did you mean ${near}?`);
  const hint = meant || "Add --help for the options and an example.";
  return { code: "E_ARGUMENT", message: first, hint, status: 2 };
}
