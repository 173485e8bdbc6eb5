/** Ctrl-C: the first asks the work to stop, the second ends the process. */
import { TilegradError } from "../../errors.ts";
import { Interrupted } from "./errors.ts";
import { print } from "./terminal.ts";

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** What work that can be stopped is given. */
export interface Interrupt {
  /** Fires on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Saves what is worth saving once the work has stopped, and says what became of it; the work may set another. */
  onStop: () => Promise<string>;
}

/** The same for work that has no say in what becomes of it, being a part of something greater. */
export const silent = ({ signal }: Interrupt): Interrupt => ({ signal, onStop: async () => "" });

/** Runs `work`; when a signal has ended it, so does an `Interrupted` error with what `onStop` says. */
export async function interruptible<T>(work: (interrupt: Interrupt) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt: Interrupt = { signal: controller.signal, onStop: async () => "Nothing was saved." };
  let status = 0;
  const stop = (name: NodeJS.Signals): void => {
    if (status) process.exit(status);
    status = SIGNALS[name as keyof typeof SIGNALS];
    print("\nStopping; once more to end at once.");
    controller.abort();
  };
  for (const name of Object.keys(SIGNALS)) process.on(name, stop);
  try {
    return await work(interrupt);
  } catch (error) {
    if (!status || !(error instanceof TilegradError) || error.code !== "E_ABORTED") throw error;
    throw new Interrupted(`stopped. ${await interrupt.onStop()}`, status);
  } finally {
    for (const name of Object.keys(SIGNALS)) process.off(name, stop);
  }
}
