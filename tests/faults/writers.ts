/** Two processes that save into one folder at one moment, and saves on a disk that fills. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { decodeModel } from "../../src/io/model.ts";
import { readPublished } from "../../src/node/files.ts";
import { type Drill, inFolder, noting, numbers, runProgram } from "./drill.ts";

/** What the folder holds: the round of its model, whole, with nothing beside it. */
async function roundIn(folder: string): Promise<number> {
  const files = await readPublished(folder, "model.json");
  const { training, weights } = decodeModel(files, folder);
  const round = training?.epochs ?? 0;
  if (new Set(weights.w.data).size !== 1 || weights.w.data[0] !== round) throw new Error("torn");
  const beside = readdirSync(folder).filter((name) => !(name in files));
  if (beside.length > 0) throw new Error(`left: ${beside}`);
  return round;
}

export const twoWriters: Drill = ({ count }) =>
  inFolder(async (root) => {
    const faults: string[] = [];
    const saves = 3;
    for (let i = 0; i < count; i++) {
      const folder = path.join(root, String(i));
      const ended = await Promise.all([0, 1].map(() => runProgram("saveLoop", [folder, String(saves)])));
      await noting(faults, `round ${i}`, async () => {
        const refused = ended.find(({ code }) => code !== 0);
        if (refused) throw new Error(`status ${refused.code}: ${refused.errors.slice(0, 300)}`);
        const last = ended.map(({ lines }) => Number(lines.at(-1)));
        const round = await roundIn(folder);
        if (!last.includes(round)) throw new Error(`lost: found ${round} of ${last}`);
      });
    }
    return { tried: count, faults, note: `2 processes, ${saves} saves each` };
  });

/** `ulimit -f` stands for the end of the disk: a save fits, or not, or not quite. */
export const fullDisks: Drill = ({ count, seed }) =>
  inFolder(async (folder) => {
    const draw = numbers(seed);
    const faults: string[] = [];
    await runProgram("saveLoop", [folder, "1"]);
    let [round, failed] = [1, 0];
    for (let i = 0; i < count; i++) {
      const blocks = i === 0 ? 0 : draw(160); // of 512 bytes; the weights take 129
      const { code, errors } = await runProgram("saveLoop", [folder, "1"], { shell: `ulimit -f ${blocks}` });
      if (code === 0) round++;
      else failed++;
      await noting(faults, `${blocks} blocks`, async () => {
        if (code !== 0 && !errors.includes("E_FILE")) throw new Error(`untyped: ${errors.slice(0, 300)}`);
        const found = await roundIn(folder);
        if (found !== round) throw new Error(`found ${found}; expected ${round}`);
      });
    }
    return { tried: count, faults, note: `${failed} that did not fit` };
  });
