/**
 * SMOTE of 100,000 rows of 30 columns with 5 % positives on a device, checked against brute force on a sample of the
 * rows: `npm run bench -- smote --device NAME [--rows N] [--columns N] [--positives SHARE] [--method NAME] [--repeat N] [--write FILE]`.
 * `--write` keeps the rows as float32 for `bench/peers/smote.py`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openDevice } from "../src/openDevice.ts";
import { draws } from "../src/random.ts";
import type { ResamplerName } from "../src/resample/methods.ts";
import { resample } from "../src/resample/methods.ts";
import { nearestNeighbors } from "../src/resample/neighbors.ts";
import { classesOf, take } from "../src/resample/types.ts";

const K = 5;
const CHECKED = 200;

const { values } = parseArgs({
  options: {
    device: { type: "string", default: "webgpu" },
    rows: { type: "string", default: "100000" },
    columns: { type: "string", default: "30" },
    positives: { type: "string", default: "0.05" },
    method: { type: "string", default: "smote" },
    repeat: { type: "string", default: "3" },
    write: { type: "string" },
  },
});

/** Positives are every so many rows, shifted by half a deviation. */
function makeRows(rows: number, columns: number, share: number) {
  const draw = draws(1, 1);
  const y = Float32Array.from({ length: rows }, (_, row) => (row % Math.round(1 / share) === 0 ? 1 : 0));
  const x = Float32Array.from({ length: rows * columns }, (_, i) => draw.normal(i) + 0.5 * y[Math.floor(i / columns)]);
  return { x, y };
}

/** The most memory this process ever held, in MB. */
const peakMemory = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;

const data = makeRows(Number(values.rows), Number(values.columns), Number(values.positives));
if (values.write) writeFileSync(values.write, new Uint8Array(data.x.buffer));
const device = await openDevice({ backend: values.device as "webgpu" });
const before = peakMemory();
const method = values.method as ResamplerName;
const times: number[] = [];
let made = 0;
for (let i = 0; i < Number(values.repeat); i++) {
  const began = performance.now();
  made = (await resample(method, data, { device, categoricalFeatures: [0] })).y.length;
  times.push(performance.now() - began);
}

// Correct? Every neighbour of a sample of rows, by plain loops.
const classes = classesOf("bench", data);
const rows = take(classes, classes.minority);
const began = performance.now();
const { indices } = await nearestNeighbors(device, rows, rows, K, { excludeSelf: true });
const searched = performance.now() - began;
let wrong = 0;
for (let s = 0; s < CHECKED; s++) {
  const i = Math.floor((s * rows.rows) / CHECKED);
  const distance = (j: number): number => {
    let sum = 0;
    for (let c = 0; c < rows.columns; c++) {
      const difference = rows.data[i * rows.columns + c] - rows.data[j * rows.columns + c];
      sum = Math.fround(sum + difference * difference);
    }
    return sum;
  };
  const all = Array.from({ length: rows.rows }, (_, j) => ({ j, d: distance(j) })).filter(({ j }) => j !== i);
  all.sort((a, b) => a.d - b.d || a.j - b.j);
  for (let k = 0; k < K; k++) {
    const got = indices[i * K + k];
    // Distances that agree within 1e-5 may come in either order.
    if (got !== all[k].j && Math.abs(distance(got) - all[k].d) > 1e-5 * all[k].d) wrong++;
  }
}
const seconds = times.map((ms) => (ms / 1000).toFixed(2)).join(", ");
console.log(
  `${values.method} on ${device.info.adapter}: ${values.rows} x ${values.columns} -> ${made} rows; ` +
    `${seconds} s, the last search alone ${(searched / 1000).toFixed(2)} s; peak ${peakMemory().toFixed(0)} MB (${before.toFixed(0)} before); ` +
    `${wrong} of ${CHECKED * K} neighbours differ from brute force`,
);
device.dispose();
