/** The `--report` option: a page, or its plots or its numbers alone, by the ending of the file's name. */
import path from "node:path";
import type { Command } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import { TilegradError } from "../../errors.ts";
import { publishFile } from "../../node/files.ts";
import { svgToPng } from "../../node/png.ts";
import { plotSheet } from "../../report/plotsOf.ts";
import { currentTerminal, print } from "../terminal/terminal.ts";
import type { Taken } from "./output.ts";
import { assertOutput } from "./output.ts";

const ENDINGS = [".html", ".json", ".svg", ".png"] as const;
type Ending = (typeof ENDINGS)[number];

export const addReportOption = (command: Command): Command =>
  command.option(
    "--report <file>",
    "a report to read, print or send: .html; .svg or .png has the plots, .json the numbers",
  );

/** Before any work is done for it. @throws E_ARGUMENT, E_FILE */
export async function checkReport(file: string | undefined, taken: Taken): Promise<void> {
  if (file === undefined) return;
  endingOf(file);
  await assertOutput("--report", file, taken);
}

function endingOf(file: string): Ending {
  const ending = path.extname(file).toLowerCase();
  const known = ENDINGS.find((candidate) => candidate === ending);
  if (known !== undefined) return known;
  throw new TilegradError(
    "E_ARGUMENT",
    `--report: got ${JSON.stringify(file)}; expected a name ending in ${ENDINGS.join(", ")}.`,
    {
      hint: "Try --report report.html.",
    },
  );
}

/** What a report can be made of: its page, its plots by name, and its numbers. */
export interface ReportParts {
  readonly html: () => string;
  readonly plots: () => Readonly<Record<string, string | null>>;
  readonly json: unknown;
}

/** @throws E_FILE, E_PEER for a PNG without the package that draws it */
export async function writeReport(file: string, parts: ReportParts, quiet: boolean): Promise<void> {
  await publishFile(file, await contentOf(endingOf(file), parts));
  if (!quiet) print(`Report: ${file}`);
}

async function contentOf(ending: Ending, { html, plots, json }: ReportParts): Promise<string | Uint8Array> {
  switch (ending) {
    case ".html":
      return html();
    case ".json":
      return `${JSON.stringify(json, null, 2)}\n`;
    case ".svg":
      return plotSheet(plots());
    case ".png":
      return svgToPng(plotSheet(plots()));
    default:
      return ending satisfies never;
  }
}

/** What every result begins with. */
export const resultOrigin = () => ({ version: packageJson.version, command: commandLine() });

/** How this program is called, so that what to type next can be typed. */
export function commandName(): string {
  const { program } = currentTerminal();
  return path.extname(program) === "" ? "npx tilegrad" : `node ${path.relative(process.cwd(), program)}`;
}

/** The whole command as it was typed, for a shell. */
function commandLine(): string {
  const quoted = currentTerminal().args.map((word) =>
    /^[\w@%+=:,./#-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  return [commandName(), ...quoted].join(" ");
}
