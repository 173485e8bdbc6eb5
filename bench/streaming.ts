/**
 * Training from a CSV file that is larger than memory should be: `npm run bench -- streaming [--bytes N] [--device NAME]
 * [-- OPTIONS OF train]`. Makes the file, trains on it with `dist/cli.js`, prints time and peak memory, removes the file.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { writeLargeCsv } from "./largeCsv.ts";

const { values, positionals } = parseArgs({
  options: {
    bytes: { type: "string", default: "1000000000" },
    device: { type: "string", default: "cpu" },
    file: { type: "string" },
  },
  allowPositionals: true,
});

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-bench-"));
try {
  const file = values.file ?? path.join(folder, "large.csv");
  if (values.file === undefined) console.log(`${writeLargeCsv(file, Number(values.bytes))} rows in ${file}`);
  const options = ["--target", "fraud", "--device", values.device, "--epochs", "1", "--batch", "4096"];
  const args = ["train", file, ...options, "--out", path.join(folder, "model"), ...positionals];
  const began = performance.now();
  const child = spawn(process.execPath, ["dist/cli.js", ...args], {
    stdio: "inherit",
  });
  let peak = 0;
  const watch = setInterval(() => {
    const status = fs.existsSync(`/proc/${child.pid}/status`)
      ? fs.readFileSync(`/proc/${child.pid}/status`, "utf8")
      : "";
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, 50);
  process.exitCode = await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${values.device}: ${fs.statSync(file).size} bytes, ${seconds.toFixed(1)} s, VmHWM ${(peak / 1024).toFixed(0)} MiB`,
  );
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
