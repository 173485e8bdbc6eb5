/** When files were changed. Node only, no packages. */
import { readdirSync, statSync } from "node:fs";
import path from "node:path";

/** The latest modification time of a file, or in a folder (which changes when files are removed from it), in whole milliseconds. */
export function newestChange(file) {
  const stat = statSync(file);
  const own = Math.floor(stat.mtimeMs);
  if (!stat.isDirectory()) return own;
  return Math.max(own, ...readdirSync(file).map((name) => newestChange(path.join(file, name))));
}
