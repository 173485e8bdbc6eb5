/**
 * What the preset `cnn` reaches on digits, seeds 1 to 3, by the command line: `node bench/images.mjs DATA [option of train ...]`
 * after `npm run build`. The folder DATA holds digits.csv, scikit-learn's 1,797 digits of 8 x 8 pixels with a column `digit`, and
 * splits.json with its row lists. Prints one row of a Markdown table a task.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const [data, ...given] = process.argv.slice(2);
if (!data) throw new Error("Usage: node bench/images.mjs DATA [option of train ...]");
const TASKS = [
  { digit: 1, split: "digits_1_vs_rest" },
  { digit: 8, split: "digits_8_vs_rest_imbalanced" },
];

const out = mkdtempSync(path.join(tmpdir(), "tilegrad-images-"));
console.log("| digit | test PR-AUC of seeds 1, 2, 3 | median | epochs |\n|---|---|---|---|");
for (const { digit, split } of TASKS) {
  const runs = [1, 2, 3].map((seed) => {
    const task = ["--target", "digit", "--positive", digit, "--splits", `${data}/splits.json#${split}`, "--seed", seed];
    const options = ["--image", "8x8", ...given, "--out", out, "--json", "--quiet"];
    const args = ["dist/cli.js", "train", `${data}/digits.csv`, ...task, ...options].map(String);
    const stdio = ["ignore", "pipe", "ignore"];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8", stdio, maxBuffer: 2 ** 26 }));
  });
  const scores = runs.map((run) => run.metrics.test.prAuc);
  const median = [...scores].sort((a, b) => a - b)[1];
  const cells = [
    digit,
    scores.map((s) => s.toFixed(4)).join(" "),
    median.toFixed(4),
    runs.map((r) => r.epochs).join(" "),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
rmSync(out, { recursive: true });
