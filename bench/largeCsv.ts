/** A CSV file of any size: 30 numeric and 2 categorical columns, and a label of which about 2 % are yes. */
import fs from "node:fs";
import { draws, philoxInto, seedKey } from "../src/random.ts";

const NUMERIC = 30;
/** Numbers are drawn from a pool of so many, for speed. */
const POOL = 8192;
const REGIONS = ["north", "east", "south", "west"];
const PRODUCTS = Array.from({ length: 12 }, (_, i) => `P${i + 1}`);
const CHUNK = 4 * 2 ** 20;

/** Writes the first file of at least `bytes` bytes that whole rows give; the same bytes for the same seed. Gives the rows. */
export function writeLargeCsv(file: string, bytes: number, seed = 1): number {
  const draw = draws(seed, 0);
  const pool = Array.from({ length: POOL }, (_, i) => draw.normal(i).toFixed(5));
  const values = Float64Array.from(pool, Number);
  const weights = Array.from({ length: NUMERIC }, (_, i) => (i < 12 ? draw.normal(POOL + i) / 3 : 0));
  const [low, high] = seedKey(seed);
  const words = new Uint32Array(4);
  const picked = new Uint16Array(NUMERIC + 4);
  const output = fs.openSync(file, "w");
  let text = `${[...weights.map((_, i) => `n${i + 1}`), "region", "product", "fraud"].join(",")}\n`;
  let [written, row] = [0, 0];
  for (; written + text.length < bytes; row++) {
    for (let i = 0; i < picked.length; i += 8) {
      philoxInto(words, i, 0, row, 1, low, high);
      for (let w = 0; w < 8 && i + w < picked.length; w++)
        picked[i + w] = (words[w >> 1] >>> (16 * (w & 1))) & (POOL - 1);
    }
    const region = picked[NUMERIC] % REGIONS.length;
    const product = picked[NUMERIC + 1] % PRODUCTS.length;
    let score = 0.8 * values[picked[0]] * values[picked[1]] + (region === 2 ? 0.7 : 0) + (product === 5 ? 0.9 : 0);
    for (let i = 0; i < NUMERIC; i++) {
      score += weights[i] * values[picked[i]];
      text += `${pool[picked[i]]},`;
    }
    const yes = score + 0.5 * values[picked[NUMERIC + 2]] > 3.2;
    text += `${REGIONS[region]},${PRODUCTS[product]},${yes ? 1 : 0}\n`;
    if (text.length < CHUNK) continue;
    written += fs.writeSync(output, text);
    text = "";
  }
  fs.writeSync(output, text);
  fs.closeSync(output);
  return row;
}
