/** What the user sees: lines and tables on stderr, results on stdout, a status line that is rewritten on a terminal. */
import type { Reading } from "../../node/streaming.ts";
import { textTable } from "../../textTable.ts";

/** What text is written to; the streams of a process are such. */
export interface Output {
  /** Calls `done` once there is room for more, or with what makes that impossible. */
  write(text: string, done?: (error?: Error | null) => void): unknown;
  /** Whether someone looks at it: colours, and a line that is rewritten. */
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where a run of the command line writes, and how it was called. */
export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** The words after the program's name. */
  readonly args: readonly string[];
  /** The file that Node was given, for hints on what to type next. */
  readonly program: string;
}

/** Of the run at hand: one at a time, so that what prints need not be handed through everything. */
let terminal: Terminal = { stdout: process.stdout, stderr: process.stderr, args: [], program: process.argv[1] };

/** Lets all that is printed during `work` go there. */
export async function printingTo<T>(there: Terminal, work: () => Promise<T>): Promise<T> {
  const before = terminal;
  terminal = there;
  try {
    return await work();
  } finally {
    terminal = before;
  }
}

export const currentTerminal = (): Terminal => terminal;

/** Where commander is told that help and version go. */
export const helpOutput = () => ({
  writeOut: write,
  writeErr: (text: string): void => void terminal.stderr.write(text),
  getOutHelpWidth: () => terminal.stdout.columns as number,
  getErrHelpWidth: () => terminal.stderr.columns as number,
});

/** A line for people, on stderr. */
export const print = (line = ""): void => void terminal.stderr.write(`${line}\n`);

/** Each different warning once. */
export function warn(warnings: Iterable<string>): void {
  for (const warning of new Set(warnings)) print(`warning: ${warning}`);
}

/** What a reader of files has to say. */
export function reading(quiet: boolean, signal?: AbortSignal): Reading {
  if (quiet) return { signal };
  const status = new Status();
  return {
    signal,
    onNote: (note) => print(`note: ${note}`),
    onProgress: (share, text) => (share === null ? status.end() : status.show(share, text)),
  };
}

/** A result, on stdout. */
export const write = (text: string): void => void terminal.stdout.write(text);

/** What a command found, for people: on stdout unless `--json` puts its object there. */
export const tell = (text: string, json: boolean): void => (json ? print(text) : write(`${text}\n`));

/** The reader of a long result has seen enough: the rest need not be made. */
export class ReaderGone extends Error {}

/** A piece of a long result, once the reader has room for it. @throws ReaderGone */
export const writePiece = (text: string): Promise<void> =>
  new Promise((resolve, reject) =>
    terminal.stdout.write(text, (error) => (error ? reject(new ReaderGone()) : resolve())),
  );

/** The one JSON object of `--json`. NaN and infinities, which JSON lacks, become null. */
export const writeJson = (value: unknown): void => write(`${JSON.stringify(value, null, 2)}\n`);

const coloured = (): boolean =>
  terminal.stdout.isTTY === true && terminal.stderr.isTTY === true && !process.env["NO_COLOR"];
const styled = (code: number, text: string): string => (coloured() ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = (text: string): string => styled(1, text);
export const dim = (text: string): string => styled(2, text);

/** Aligned columns, the first row being the header; `left` says which columns are texts (default: the first). */
export const table = (rows: readonly (readonly string[])[], left?: readonly number[]): string[] =>
  textTable(rows, left).map((line, i) => (i === 0 ? bold(line) : line));

/** Names beside values. */
export function pairs(entries: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${bold(name.padEnd(width))}  ${value}`);
}

export const count = (n: number): string => n.toLocaleString("en-US");
export const plural = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
/** The first three digits, however large it is. */
export const digits = (n: number): string => String(Number(n.toPrecision(3)));
export const percent = (share: number): string => `${(100 * share).toPrecision(3)} %`;

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 ** 2) return `${(n / 1024).toFixed(1)} KiB`;
  if (n < 1024 ** 3) return `${(n / 1024 ** 2).toFixed(1)} MiB`;
  return `${(n / 1024 ** 3).toFixed(2)} GiB`;
}

export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  // Rounded before it is parted: there is no minute of 60 seconds.
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const REWRITE_MS = 80;
const LINE_MS = 1000;
const BAR = 20;

/** Progress: one line that is rewritten on a terminal; elsewhere plain lines, at most one a second. */
export class Status {
  private readonly quiet: boolean;
  private readonly stderr = terminal.stderr;
  private shownAt = Number.NEGATIVE_INFINITY;
  private pending = "";

  constructor({ quiet = false } = {}) {
    this.quiet = quiet;
  }

  /** Shows how far work is; `share` in [0, 1] draws the bar. Lines that come too soon after another are left out. */
  show(share: number, text: string): void {
    if (this.quiet) return;
    const now = performance.now();
    this.pending = this.stderr.isTTY ? `${bar(share)} ${text}` : text;
    if (now - this.shownAt < (this.stderr.isTTY ? REWRITE_MS : LINE_MS)) return;
    this.shownAt = now;
    this.flush();
  }

  /** Shows what was left out last, and lets other lines follow. */
  end(): void {
    if (this.pending) this.flush();
    if (this.stderr.isTTY && Number.isFinite(this.shownAt)) this.stderr.write("\n");
    this.shownAt = Number.NEGATIVE_INFINITY;
  }

  private flush(): void {
    const width = (this.stderr.columns ?? 80) - 1;
    this.stderr.write(this.stderr.isTTY ? `\r\u001b[K${this.pending.slice(0, width)}` : `${this.pending}\n`);
    this.pending = "";
  }
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR);
  return `[${"#".repeat(full)}${"-".repeat(BAR - full)}]`;
}
