/** The checkpoints of a run, in a folder of the model's folder. */
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { TilegradError } from "../errors.ts";
import type { Checkpoints } from "../experiment/observer.ts";
import { fileError, fileExists, publishFile } from "./files.ts";

/** Files of a folder of checkpoints, what a broken-off save may leave, and the mark of a run that has ended. */
export const CHECKPOINT_FILE =
  /^\.tilegrad-|^\.?(state-[0-9a-f]{16}\.safetensors|checkpoint\.json|ended)(\.[0-9a-f-]+\.tmp)?$/;
const CHECKPOINTS = "checkpoint";

/** Where a run's checkpoints go, and those of its second half, in which the validation rows are trained on too. */
export const checkpointFolder = (out: string): string => path.join(out, CHECKPOINTS);
export const refitFolder = (out: string): string => path.join(out, CHECKPOINTS, "refit");

export class CheckpointFolder implements Checkpoints {
  readonly every: number;
  readonly resume: boolean;
  /** Whether the run has got to where it keeps checkpoints. */
  begun: boolean;
  private readonly out: string;

  /** @param out the model's folder @param every epochs from one to the next; 0: none are kept */
  constructor(out: string, every: number, resume: boolean) {
    this.out = out;
    this.every = every;
    this.resume = resume;
    this.begun = resume;
  }

  folder(stage: "fit" | "refit"): string {
    return stage === "fit" ? checkpointFolder(this.out) : refitFolder(this.out);
  }

  has(stage: "fit" | "refit"): Promise<boolean> {
    return hasCheckpoint(this.folder(stage));
  }

  async clear(): Promise<void> {
    this.begun = true;
    const { own } = await checkpointFiles(this.out);
    for (const file of own) await rm(file, { force: true });
  }

  opening(): Promise<void> {
    return rm(endMark(this.out), { force: true });
  }

  /** The run's model is saved: what it left may be gone on with, and written over. */
  async markEnded(): Promise<void> {
    if (await this.has("fit")) await publishFile(endMark(this.out), "");
  }

  /**
   * A run that was broken off is gone on with, or its checkpoint removed by who made it: a new run would write over it.
   * @throws E_FILE when there is nothing to resume, a checkpoint of a run that has not ended, or other files where checkpoints go
   */
  async check(): Promise<void> {
    const folder = this.folder("fit");
    if (this.resume) {
      if (await this.has("fit")) return;
      throw new TilegradError("E_FILE", `\`resume\`: there is nothing to resume, no checkpoint in ${folder}.`, {
        hint: "Leave `resume` out to begin; with `checkpoint: N`, a run that is cut short can be resumed.",
      });
    }
    if (this.every === 0) return;
    const { foreign } = await checkpointFiles(this.out);
    if (foreign.length > 0) {
      throw new TilegradError("E_FILE", `\`checkpoint\`: ${folder} is for checkpoints; got ${foreign[0]}.`, {
        hint: "Choose another `out`, or move what is not tilegrad's out of there.",
      });
    }
    if (!(await this.has("fit")) || (await fileExists(endMark(this.out)))) return;
    const got = `${folder} holds a run that has not ended; a new one would write over it.`;
    throw new TilegradError("E_FILE", `\`checkpoint\`: ${got}`, {
      hint: `Go on with \`resume\`, choose another \`out\`, or remove ${folder}.`,
    });
  }
}

/** Beside checkpoints whose run has ended, its model being saved: gone again with the next checkpoint. */
const endMark = (out: string): string => path.join(checkpointFolder(out), "ended");

export const hasCheckpoint = (folder: string): Promise<boolean> => fileExists(path.join(folder, "checkpoint.json"));

/** What lies where checkpoints go: files of ours, and others. @throws E_FILE when a file stands where a folder should */
async function checkpointFiles(out: string): Promise<{ readonly own: string[]; readonly foreign: string[] }> {
  const [own, foreign]: [string[], string[]] = [[], []];
  const refit = refitFolder(out);
  for (const folder of [refit, checkpointFolder(out)]) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw fileError(error, "write", folder);
    });
    for (const entry of entries) {
      const file = path.join(folder, entry.name);
      if (file === refit) continue;
      (entry.isFile() && CHECKPOINT_FILE.test(entry.name) ? own : foreign).push(file);
    }
  }
  return { own, foreign };
}
