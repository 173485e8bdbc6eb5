/**
 * Decoders of others, which damaged files may keep busy for ever or make take all memory: in a worker, where this thread's
 * timers and signals can stop them.
 */
import { Worker } from "node:worker_threads";
import { TilegradError } from "../errors.ts";

export interface Limits {
  /** What is decoded, in errors. */
  readonly where: string;
  /** Most seconds of computing that a call may take. */
  readonly seconds: number;
  /** Most bytes that this process may grow by meanwhile. */
  readonly bytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds between two looks at what a call has taken. */
const LOOK = 50;
/** A worker that has nothing to do for so long ends; it never keeps the process. */
const IDLE = 2000;
/** What waits instead of computing may take so many times as long. */
const PATIENCE = 10;
/** Of JavaScript objects in the worker, in MB; what lies beside them is seen as the process grows. */
const MOST_OBJECTS = 4096;

type Reply = { readonly value: unknown } | { readonly error: unknown };

/** A script in a worker, made at the first call; calls run one after another. */
export class Guarded {
  private readonly script: string;
  private worker: Worker | null = null;
  private idle: NodeJS.Timeout | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(script: string) {
    this.script = script;
  }

  /**
   * What the script answers to `{ name, args }`.
   * @throws what the script threw; E_FILE beyond a limit, E_ABORTED: then the worker has ended, with all that it had
   */
  call<T>(name: string, args: readonly unknown[], limits: Limits): Promise<T> {
    const called = this.last.then(() => this.run(name, args, limits));
    this.last = called.catch(() => {});
    return called as Promise<T>;
  }

  end(): void {
    clearTimeout(this.idle);
    void this.worker?.terminate();
    this.worker = null;
  }

  private run(name: string, args: readonly unknown[], { where, seconds, bytes, signal }: Limits): Promise<unknown> {
    clearTimeout(this.idle);
    this.worker ??= new Worker(this.script, {
      eval: true,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MOST_OBJECTS },
    });
    const worker = this.worker;
    return new Promise((resolve, reject) => {
      const [began, cpu, memory] = [performance.now(), process.cpuUsage(), process.memoryUsage.rss()];
      const beyond = (took: string, most: string): void =>
        stop(
          new TilegradError("E_FILE", `${where}: decoding it took ${took}; expected at most ${most}.`, {
            hint: "The file is probably damaged: write it again. If it is sound, write it in smaller parts.",
          }),
        );
      const watch = setInterval(() => {
        if (process.memoryUsage.rss() - memory > bytes) return beyond("more memory", `${Math.ceil(bytes / 1e6)} MB`);
        // Neither a machine that is busy with others nor one that slept makes a decoder slow.
        const { user, system } = process.cpuUsage(cpu);
        const waited = (performance.now() - began) / 1000;
        if (Math.max(Math.min(waited, (user + system) / 1e6), waited / PATIENCE) > seconds)
          beyond("longer", `${Number(seconds.toPrecision(2))} s`);
      }, LOOK);
      const done = (): void => {
        clearInterval(watch);
        signal?.removeEventListener("abort", abort);
        for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
        worker.on("error", () => {}); // of one that ends while it has nothing to do
        worker.unref();
      };
      const stop = (error: unknown): void => {
        done();
        this.end();
        reject(error);
      };
      const abort = (): void => stop(new TilegradError("E_ABORTED", `${where}: reading was aborted.`));
      worker.ref();
      worker.on("message", (reply: Reply) => {
        done();
        this.idle = setTimeout(() => this.end(), IDLE).unref();
        if ("error" in reply) reject(reply.error);
        else resolve(reply.value);
      });
      worker.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ERR_WORKER_OUT_OF_MEMORY") beyond("more memory", `${MOST_OBJECTS} MB`);
        else stop(error);
      });
      worker.on("exit", () => stop(new Error("the decoder has ended")));
      signal?.addEventListener("abort", abort);
      if (signal?.aborted) abort();
      else worker.postMessage({ name, args });
    });
  }
}
