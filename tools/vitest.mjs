/** Runs the tests and counts from the runner's own report. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { root, runNode } from "./process.mjs";

const REPORT = ".cache/vitest.json";

/** The counts of Vitest's JSON report. A file that could not be loaded has no tests in it: it counts as one failure. */
export function countTests(report) {
  const unloaded = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export const countLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** Runs Vitest; gives its exit status and the counts. A run without a report counts as one failure. */
export async function runVitest(args, env = {}) {
  const file = path.join(root, REPORT);
  rmSync(file, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  const status = await runNode("node_modules/vitest/vitest.mjs", ["run", ...reporters, ...args], {
    env: { ...process.env, ...env },
  });
  if (!existsSync(file)) return { status: status || 1, counts: { passed: 0, failed: 1, skipped: 0 } };
  const counts = countTests(JSON.parse(readFileSync(file, "utf8")));
  return { status: counts.failed > 0 ? status || 1 : status, counts };
}
