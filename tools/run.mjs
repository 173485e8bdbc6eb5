/** The entry of every npm script: checks Node, installs and builds what is missing, then does the task. */
import { ensureInstalled } from "./install.mjs";

const REQUIRED = [20, 19];
const TASKS = ["start", "test", "test:drivers", "check", "build", "oracles", "bench", "demo", "wgsl", "drills", "soak"];

async function main([task, ...args]) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1])) {
    throw new Error(`Node ${REQUIRED.join(".")} or later is needed; this is ${process.versions.node}.`);
  }
  if (!TASKS.includes(task)) throw new Error(`Unknown task "${task}"; there are ${TASKS.join(", ")}.`);
  await ensureInstalled();
  const { tasks } = await import("./tasks.mjs");
  return tasks[task](args);
}

const stop = () => process.exit(143);
process.on("SIGTERM", stop);
// npm ends its shell only, which tells nobody.
const shell = process.ppid;
if (process.env.npm_lifecycle_event) setInterval(() => process.ppid === shell || stop(), 500).unref();

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
