/** Ctrl-C: the first asks the work to stop, the second ends the process. */
import { TilegradError } from "../errors.ts";
import { Interrupted } from "./errors.ts";
import { print } from "./terminal.ts";

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Runs `work` with a signal that fires on SIGINT and SIGTERM; `stopped` then says what became of what was done. */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  stopped: () => Promise<string> = async () => "Nothing was saved.",
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
    throw new Interrupted(`stopped. ${await stopped()}`, status);
  } finally {
    for (const name of Object.keys(SIGNALS)) process.off(name, stop);
  }
}
