/**
 * The option tables of docs/*.md: what stands between `<!-- options of A, B -->` and `<!-- end of options -->`, from the
 * declarations that check them too, and the comments above each. `node tools/optionTables.mjs` writes them anew; it and the tests refuse
 * options without a comment, makers that stand in no table, and tables that are not current.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { ENTRIES, entryFile, programOf } from "./api.mjs";
import { root } from "./process.mjs";

/** Entries whose functions all stand in a document, with their options. */
const COMPLETE = ["core", "resample"];

/** Types that docs/layers.md explains once, or that have better words. */
const EXPLAINED = {
  Initializer: "an initializer",
  Regularizer: "a regularizer",
  ActivationName: "an activation",
  Pair: "a pair",
  Padding: "padding",
  Sides: "a number, a pair or [[top, bottom], [left, right]]",
  Ends: "a number or [before, after]",
  Range: "[low, high]",
  LearningRate: "a number or a schedule",
  Layer: "a layer",
  LayerJson: "a layer",
  Loss: "a loss",
  Optimizer: "an optimizer",
  Device: "a device",
  number: "a number",
  "readonly number[]": "a list of numbers",
  "Readonly<Record<number, number>>": "a weight for each label",
  "readonly (number | readonly number[])[]": "column numbers, or lists of them",
  Augment: "a function",
  GpuName: "the name of a driver",
};

const code = (text) => `\`${text.replace(/\s+/g, " ")}\``;
const alternatives = (words) => words.join(words.every((word) => word.startsWith("`")) ? ", " : " or ");

/** What a type says to a reader. */
function wordsOfType(node) {
  if (ts.isUnionTypeNode(node)) return alternatives(node.types.map(wordsOfType));
  if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) return code(node.literal.text);
  return EXPLAINED[node.getText()] ?? code(node.getText().replaceAll("readonly ", ""));
}

/** `Kind<T>` -> T */
const typeOfKind = (node) => (node && ts.isTypeReferenceNode(node) ? node.typeArguments?.[0] : undefined);

const aimedAt = (checker, symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);

/** What an option may be, in the words of its kind: `is.positiveInteger` is "a positive integer". */
function wordsOf(checker, kind) {
  if (ts.isParenthesizedExpression(kind)) return wordsOf(checker, kind.expression);
  if (ts.isAsExpression(kind)) {
    const borrowed = ts.isPropertyAccessExpression(kind.expression);
    return (borrowed ? undefined : wordsOf(checker, kind.expression)) ?? wordsOfType(typeOfKind(kind.type));
  }
  if (ts.isObjectLiteralExpression(kind)) {
    const expected = kind.properties.find((property) => property.name?.text === "expected")?.initializer;
    return expected && ts.isStringLiteral(expected) ? expected.text : undefined;
  }
  if (ts.isCallExpression(kind)) {
    const [type] = kind.typeArguments ?? [];
    if (type) return wordsOfType(type);
    const [first] = kind.arguments;
    if (kind.expression.getText() === "is.integerFrom") return `a whole number of at least ${first.getText()}`;
    if (kind.expression.getText() === "is.required") return wordsOf(checker, first);
    if (kind.arguments.length > 0 && kind.arguments.every((word) => ts.isStringLiteral(word)))
      return alternatives(kind.arguments.map(({ text }) => code(text)));
    const given = checker.getTypeAtLocation(kind).getProperty("type");
    const words = checker.getNonNullableType(checker.getTypeOfSymbol(given));
    const parts = words.isUnion() ? words.types : [words];
    return alternatives(
      parts.map((part) => (part.isStringLiteral() ? code(part.value) : EXPLAINED[checker.typeToString(part)])),
    );
  }
  const symbol = checker.getSymbolAtLocation(ts.isPropertyAccessExpression(kind) ? kind.name : kind);
  const { initializer, type } = aimedAt(checker, symbol).valueDeclaration;
  const own = ts.isObjectLiteralExpression(initializer) ? wordsOf(checker, initializer) : undefined;
  return own ?? wordsOfType(typeOfKind(type));
}

/** The options that are declared of a type, each with what it may be and what is said of it: needed ones first, then its own. */
function optionsOf(checker, type, file) {
  const found = checker.getPropertiesOfType(type).flatMap((option) => {
    const declaration = option.declarations?.find((one) => ts.isPropertyAssignment(one));
    // Of every layer.
    if (!declaration || /layer\.ts$/.test(declaration.getSourceFile().fileName)) return [];
    return [{ option, declaration, needed: !(option.flags & ts.SymbolFlags.Optional) }];
  });
  const place = ({ needed, declaration }) => {
    const from = declaration.getSourceFile().fileName;
    return [needed ? 0 : 1, from === file ? 0 : 1, from, declaration.pos];
  };
  const before = (a, b) => {
    const at = a.findIndex((part, i) => part !== b[i]);
    return at < 0 ? 0 : a[at] < b[at] ? -1 : 1;
  };
  found.sort((a, b) => before(place(a), place(b)));
  return found.map(({ option, declaration, needed }) => ({
    name: option.name,
    needed,
    words: wordsOf(checker, declaration.initializer),
    says: ts.displayPartsToString(option.getDocumentationComment(checker)).replace(/\s+/g, " "),
  }));
}

/** By name: the options of each exported function, and those of each exported type of options. */
export function readOptions(program = programOf(ENTRIES.map(entryFile))) {
  const checker = program.getTypeChecker();
  const found = new Map();
  for (const entry of ENTRIES) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entryFile(entry)));
    for (const symbol of checker.getExportsOfModule(module)) {
      const to = aimedAt(checker, symbol);
      const isValue = (to.flags & ts.SymbolFlags.Value) !== 0;
      const last = isValue ? checker.getTypeOfSymbol(to).getCallSignatures().at(-1)?.parameters.at(-1) : undefined;
      const type = isValue
        ? last && checker.getNonNullableType(checker.getTypeOfSymbol(last))
        : checker.getDeclaredTypeOfSymbol(to);
      const options =
        type && (isValue || to.name.endsWith("Options"))
          ? optionsOf(checker, type, to.declarations[0].getSourceFile().fileName)
          : [];
      if (options.length > 0)
        found.set(symbol.name, { options, isFunction: isValue, expected: isValue && COMPLETE.includes(entry) });
    }
  }
  return found;
}

const escaped = (text) => text.replaceAll("|", "\\|");

/** One row an option; makers that mean the same by it share one. */
function table(names, found) {
  const rows = new Map();
  for (const name of names) {
    if (!found.has(name)) throw new Error(`tools/optionTables.mjs: got options of ${name}; expected an exported name.`);
    for (const option of found.get(name).options) {
      const key = JSON.stringify(option);
      rows.set(key, [...(rows.get(key) ?? []), name]);
    }
  }
  const alone = names.length === 1;
  const lines = [...rows].map(([key, of]) => {
    const { name, needed, words, says } = JSON.parse(key);
    const which = alone ? "" : ` ${of.length === names.length ? "all" : of.map(code).join(", ")} |`;
    return `| \`${name}\` |${which} ${escaped(words)}${needed ? "; needed" : ""} | ${escaped(says)} |`;
  });
  const head = alone ? ["| option | may be | |", "|---|---|---|"] : ["| option | of | may be | |", "|---|---|---|---|"];
  return [...head, ...lines].join("\n");
}

/** The documents with their tables, by path, and the names that should stand in one. */
export function optionTables(found = readOptions()) {
  const left = new Set([...found].flatMap(([name, { expected }]) => (expected ? [name] : [])));
  const folder = path.join(root, "docs");
  const files = readdirSync(folder).filter((file) => file.endsWith(".md"));
  const documents = files.map((file) => {
    const text = readFileSync(path.join(folder, file), "utf8");
    const written = text.replace(/<!-- options of ([\w,\s]+?) -->\n[\s\S]*?<!-- end of options -->/g, (_, list) => {
      const names = list.split(/,\s*/);
      for (const name of names) left.delete(name);
      return `<!-- options of ${list} -->\n\n${table(names, found)}\n\n<!-- end of options -->`;
    });
    return [path.join(folder, file), written];
  });
  return { documents: new Map(documents), left: [...left] };
}

/** What to do with makers that stand in no table. */
export const adviceOn = (left) =>
  left.length === 0
    ? ""
    : `In no table of docs/*.md: ${left.join(", ")}. Name it in the comment "<!-- options of ... -->" above the table where it belongs ` +
      '(a new one ends with "<!-- end of options -->"), and run node tools/optionTables.mjs again.';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { documents, left } = optionTables();
  for (const [file, text] of documents) writeFileSync(file, text);
  if (left.length > 0) {
    console.error(adviceOn(left));
    process.exitCode = 1;
  }
}
