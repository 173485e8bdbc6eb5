/** Files of reference numbers: those in the folder `fixtures`, compressed, or others of the same kind. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";

/** The project's own, from the project's folder, where npm runs its scripts and Vitest its tests. */
export const FIXTURES = "tests/oracles/fixtures";

/** What `dir` has of a family, from `FAMILY.json` or `FAMILY.json.gz`; `undefined` where there is neither. */
export function readOracle<T>(family: string, dir = FIXTURES): T | undefined {
  const plain = path.join(dir, `${family}.json`);
  if (existsSync(plain)) return JSON.parse(readFileSync(plain, "utf8"));
  const compressed = `${plain}.gz`;
  return existsSync(compressed) ? JSON.parse(gunzipSync(readFileSync(compressed)).toString()) : undefined;
}
