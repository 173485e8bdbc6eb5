/**
 * What went wrong, as a code a program can test.
 *
 * - `E_SHAPE`, `E_DTYPE`, `E_ARGUMENT`: the caller's description of a model or a call is wrong.
 * - `E_DATA`: a table, an array or a label is wrong (line, column and value are named).
 * - `E_FILE`: a file is missing, unreadable, unwritable, truncated or corrupt.
 * - `E_DEVICE`, `E_LOST`, `E_MEMORY`, `E_KERNEL`: the device is absent, was lost, is full, or refused a kernel.
 * - `E_NONFINITE`: a loss became NaN or infinite; training is frozen at the last finite weights.
 * - `E_ABORTED`: the caller's AbortSignal fired.
 * - `E_PEER`: an optional package is not installed.
 * - `E_INTERNAL`: a bug in tilegrad.
 */
export type ErrorCode =
  | "E_SHAPE"
  | "E_DTYPE"
  | "E_ARGUMENT"
  | "E_DATA"
  | "E_FILE"
  | "E_DEVICE"
  | "E_LOST"
  | "E_MEMORY"
  | "E_KERNEL"
  | "E_NONFINITE"
  | "E_ABORTED"
  | "E_PEER"
  | "E_INTERNAL";

/** Every error tilegrad throws on purpose: what was got, what was expected, where; `hint` says how to mend it. */
export class TilegradError extends Error {
  override readonly name = "TilegradError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Throws `E_INTERNAL` when a condition that the code itself guarantees does not hold. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition)
    throw new TilegradError("E_INTERNAL", message, { hint: "This is a bug in tilegrad; please report it." });
}
