/** The notices of packages whose code is bundled into dist/, as their licences ask. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const PACKAGE = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//;
const NOTICE = /^(licen[cs]e|notice|copying)/i;

/** Names of the packages among bundled files (esbuild's metafile inputs), sorted. */
export const packagesOf = (inputs) =>
  [...new Set(inputs.flatMap((file) => PACKAGE.exec(file.replaceAll("\\", "/"))?.[1] ?? []))].sort();

/** One text of all notices. @throws Error for a package that names no licence, or brings no notice where its code is used */
export function noticesOf(root, packages) {
  const parts = packages.map((name) => {
    const folder = path.join(root, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
    if (typeof license !== "string") throw new Error(`${name} ${version} names no licence.`);
    const files = existsSync(folder) ? readdirSync(folder).filter((file) => NOTICE.test(file)) : [];
    if (files.length === 0) throw new Error(`${name} ${version} (${license}) brings no notice to go with its code.`);
    const texts = files.sort().map((file) => readFileSync(path.join(folder, file), "utf8").trim());
    return `${name} ${version} (${license})\n\n${texts.join("\n\n")}`;
  });
  const head = "tilegrad's command line and image readers contain code of these packages, under the licences below.";
  return `${[head, ...parts].join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}
