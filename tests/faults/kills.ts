/** SIGKILL while a model is saved, and while a run is trained that keeps checkpoints: old or new, whole, and to the same bits. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { decodeModel } from "../../src/io/model.ts";
import { readPublished } from "../../src/node/files.ts";
import { type Drill, inFolder, noting, numbers, runProgram, sleep } from "./drill.ts";

export const killedSaves: Drill = ({ count, seed }) =>
  inFolder(async (folder) => {
    const draw = numbers(seed);
    const faults: string[] = [];
    let [last, midway] = [0, 0];
    for (let i = 0; i < count; i++) {
      const { lines } = await runProgram("saveLoop", [folder], { heard: (kill) => void sleep(draw(30)).then(kill) });
      const confirmed = Number(lines.at(-1));
      await noting(faults, `kill ${i}`, async () => {
        const files = await readPublished(folder, "model.json");
        const { training, architecture, weights } = decodeModel(files, folder);
        const round = training?.epochs ?? 0;
        const [inHead, inWeights] = [(architecture as { round: number }).round, [...new Set(weights.w.data)]];
        if (inHead !== round || inWeights.join() !== String(round)) throw new Error(`torn: ${inHead}, ${inWeights}`);
        if (round < confirmed || round <= last) throw new Error(`lost: found ${round} after ${confirmed} and ${last}`);
        last = round;
      });
      if (readdirSync(folder).length > 2) midway++;
    }
    return { tried: count, faults, note: `${midway} in the middle of a save` };
  });

const bitsOf = (lines: readonly string[]): string | undefined => /^bits (\w+)$/.exec(lines.at(-1) ?? "")?.[1];

export const killedRuns: Drill = ({ count, seed }) =>
  inFolder(async (root) => {
    const draw = numbers(seed);
    const faults: string[] = [];
    const whole = bitsOf((await runProgram("trainLoop", [path.join(root, "whole")])).lines);
    let [kills, runs] = [0, 0];
    while (kills < count) {
      const folder = path.join(root, `run${runs++}`);
      for (;;) {
        let killed = false;
        const { code, lines, errors } = await runProgram("trainLoop", [folder], {
          heard: (kill) => {
            if (kills < count) void sleep(draw(60)).then(kill);
          },
        });
        killed = code === null;
        if (killed) kills++;
        else if (code !== 0 || bitsOf(lines) !== whole) {
          faults.push(`run ${runs}: status ${code}, ${errors.slice(0, 300) || `${lines.at(-1)}; expected ${whole}`}`);
        }
        if (!killed) break;
      }
    }
    return { tried: kills, faults, note: `${runs} runs that went on to the same bits` };
  });
