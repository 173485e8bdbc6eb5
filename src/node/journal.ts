/** What a search has finished, kept in a file that is replaced whole, so that a killed search goes on where it was. */
import path from "node:path";
import { TilegradError } from "../errors.ts";
import type { Entry, Journal } from "../experiment/search.ts";
import { parsePlainJson, stringifyJson } from "../io/json.ts";
import { assertWritable, fileError, publishFile, readBytes } from "./files.ts";

const FORMAT = "tilegrad-journal";
export const JOURNAL = "journal.json";

export class FileJournal implements Journal {
  private readonly file: string;
  private readonly question: string;
  private readonly entries: Record<string, Entry>;
  /** Files are replaced one after the other. */
  private written: Promise<void> = Promise.resolve();

  private constructor(file: string, question: string, entries: Record<string, Entry>) {
    this.file = file;
    this.question = question;
    this.entries = entries;
  }

  /**
   * A new journal, or that of an earlier run of the same search.
   * @param question says on what and how is searched: only answers to the same question are taken up
   * @throws E_FILE when the folder holds the journal of another search
   */
  static async open(folder: string, question: string): Promise<FileJournal> {
    await assertWritable(folder, "folder");
    const file = path.join(folder, JOURNAL);
    const content = await readBytes(file).catch((error: unknown) => {
      if ((error as { cause?: NodeJS.ErrnoException }).cause?.code === "ENOENT") return null;
      throw fileError(error, "read", file);
    });
    if (content === null) return new FileJournal(file, question, {});
    const read = parsePlainJson(content, file) as {
      format?: string;
      question?: string;
      entries?: Record<string, Entry>;
    };
    if (read?.format !== FORMAT || read.question !== question || !read.entries) {
      throw new TilegradError("E_FILE", `${file}: the journal of another search, or of other data.`, {
        hint: "Choose a new folder with --out; a search goes on only with the same command on files that did not change.",
      });
    }
    return new FileJournal(file, question, { ...read.entries });
  }

  get finished(): number {
    return Object.keys(this.entries).length;
  }

  /** The entry of `key`; `work` is done only if an earlier run has not. */
  async once(key: string, work: () => Promise<Entry>): Promise<Entry> {
    if (Object.hasOwn(this.entries, key)) return this.entries[key];
    const entry = await work();
    this.entries[key] = entry;
    this.written = this.written.then(() => this.publish());
    await this.written;
    return entry;
  }

  /** Sorted, so that it does not matter what ended first. */
  private publish(): Promise<void> {
    const entries = Object.fromEntries(Object.entries(this.entries).sort(([a], [b]) => (a < b ? -1 : 1)));
    return publishFile(this.file, stringifyJson({ format: FORMAT, question: this.question, entries }));
  }
}
