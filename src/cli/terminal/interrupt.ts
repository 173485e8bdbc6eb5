/** Ctrl-C: the first asks the work to stop, the second ends the process. */
import { TilegradError } from "../../errors.ts";
import { Interrupted } from "./errors.ts";
import { print } from "./terminal.ts";

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs `work`, which SIGINT and SIGTERM ask to stop; when one has ended it, so does an `Interrupted` error.
 * @param outcome what became of the work then
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  outcome = (): string => "Nothing was saved.",
): Promise<T> {
  const controller = new AbortController();
  let status = 0;
  const stop = (name: NodeJS.Signals): void => {
    if (status) process.exit(status);
    status = SIGNALS[name as keyof typeof SIGNALS];
    print("\nStopping; once more to end at once.");
    controller.abort();
  };
  for (const name of Object.keys(SIGNALS)) process.on(name, stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!status || !(error instanceof TilegradError) || error.code !== "E_ABORTED") throw error;
    throw new Interrupted(`stopped. ${outcome()}`, status);
  } finally {
    for (const name of Object.keys(SIGNALS)) process.off(name, stop);
  }
}
