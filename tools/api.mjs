/**
 * docs/api.md: every value that an entry of the package exports, with the first sentence of its docstring, and the names of its
 * types. `node tools/api.mjs` writes it anew; the tests refuse values without a docstring, and a file that is not current.
 */
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { root } from "./process.mjs";

/** As a reader meets them. */
export const ENTRIES = ["core", "data", "metrics", "resample", "report", "experiment", "io", "graph"];
export const entryFile = (entry) => path.join(root, "src", "api", `${entry}.ts`);
const nameOf = (entry) => (entry === "core" ? "tilegrad" : `tilegrad/${entry}`);

/** The first sentence, on one line; a full stop inside code or of an abbreviation ends none. */
function firstSentence(text) {
  const line = text.replace(/\s+/g, " ").trim();
  const end = /^(?:`[^`]*`|\([^)]*\)|[^`(])*?[.:](?= [A-Z`@]| null |$)/.exec(line);
  return (end ? end[0] : line).replace(/[.:]$/, "").replaceAll("|", "\\|");
}

/** The program of some source files, as the package is compiled. */
export function programOf(files) {
  const { config } = ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
  return ts.createProgram([...files, path.join(root, "src/shader/wgsl.d.ts")], options);
}

/** Per entry: its values with what is said of them, the members of its namespace `ops`, its types, and what it says of itself. */
export function readEntries(program = programOf(ENTRIES.map(entryFile))) {
  const unknown = readdirSync(path.join(root, "src", "api")).filter((file) => !ENTRIES.includes(file.slice(0, -3)));
  if (unknown.length > 0) throw new Error(`tools/api.mjs: got src/api/${unknown[0]}; expected ${ENTRIES.join(", ")}.`);
  const checker = program.getTypeChecker();
  const aimed = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  const docOf = (symbol) => firstSentence(ts.displayPartsToString(symbol.getDocumentationComment(checker)));
  const exportsOf = (module) => {
    const found = checker.getExportsOfModule(module).map((symbol) => ({ name: symbol.name, to: aimed(symbol) }));
    found.sort((a, b) => (a.name < b.name ? -1 : 1));
    const isValue = ({ to }) => (to.flags & ts.SymbolFlags.Value) !== 0;
    return { values: found.filter(isValue), types: found.filter((one) => !isValue(one)) };
  };
  return ENTRIES.map((entry) => {
    const source = program.getSourceFile(entryFile(entry));
    const about = /^\/\*\* `[^`]+`: ([\s\S]*?)\s*\*\//.exec(source.text)?.[1].replace(/\s*\n \* /g, " ") ?? "";
    const { values, types } = exportsOf(checker.getSymbolAtLocation(source));
    const namespaces = values.filter(({ to }) => to.flags & ts.SymbolFlags.ValueModule);
    return {
      name: nameOf(entry),
      about,
      values: values.filter((value) => !namespaces.includes(value)).map(({ name, to }) => ({ name, says: docOf(to) })),
      namespaces: namespaces.map(({ name, to }) => ({
        name,
        values: exportsOf(to).values.map((value) => ({ name: value.name, says: docOf(value.to) })),
      })),
      types: types.map(({ name }) => name),
    };
  });
}

const rows = (values, prefix = "") =>
  ["| | |", "|---|---|", ...values.map(({ name, says }) => `| \`${prefix}${name}\` | ${says} |`)].join("\n");

/** The text of docs/api.md. */
export function apiReference(entries = readEntries()) {
  const sections = entries.map(({ name, about, values, namespaces, types }) =>
    [
      `## ${name}`,
      about[0].toUpperCase() + about.slice(1),
      rows(values),
      ...namespaces.map((space) => `### ${space.name}\n\n${rows(space.values, `${space.name}.`)}`),
      ...(types.length > 0 ? [`Types: ${types.map((type) => `\`${type}\``).join(", ")}.`] : []),
    ].join("\n\n"),
  );
  return `${HEAD}\n\n${sections.join("\n\n")}\n`;
}

const HEAD = `# What tilegrad exports

Written by \`node tools/api.mjs\` from the docstrings, which say more: shapes, units, ranges, errors. An editor shows them.

**Names.** Layers, losses, optimizers, schedules and callbacks are called as in Keras, resamplers as in imbalanced-learn, splits and
metrics as in scikit-learn, all in camelCase; \`ops\` are called as the graph level names them (\`ops.mul\`, \`ops.concat\`, \`ops.remat\`), as
in WGSL and PyTorch. A word has one meaning: what saves is \`modelCheckpoint\`, what computes anew is \`remat\`; \`CompileOptions\` is what
\`compile\` takes, \`CompileGraphOptions\` what a device takes. What is general (\`print\`, \`verify\`, \`Node\`) stands in the entry that gives it
its meaning, never in \`tilegrad\`. Options of \`thing\` are \`ThingOptions\`. What makes something is a function, never \`new\`.`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(path.join(root, "docs", "api.md"), apiReference());
}
