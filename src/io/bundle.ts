/**
 * A saved folder: one JSON file, the head, and one safetensors file whose name holds its fingerprint.
 *
 *     model/model.json                           "tensors": { "file": "weights-8c1f...safetensors", ... }
 *     model/weights-8c1f0a52d6b3e794.safetensors
 *
 * A file is never overwritten by other content: a save writes its tensors under a new name and then renames the head
 * into place, which publishes both at once; only then is the old tensors file removed. Whoever reads the head finds the
 * tensors that belong to it, whenever the writer was killed. The fingerprint also shows damage to the tensors, which
 * safetensors itself does not.
 */
import { TilegradError } from "../errors.ts";
import { fingerprint } from "./fingerprint.ts";
import { parseJson, stringifyJson } from "./json.ts";
import { asCount, asObject, asString, field, misplaced, type Place } from "./place.ts";
import { decodeTensors, encodeSafetensors, type StoredTensor, type StoredTensors } from "./safetensors.ts";

/** The content of files by their names; the last one names the others and is published last. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** Where models and checkpoints are kept: folders on disk in Node, the origin private file system in a browser. */
export interface FileStore {
  /** Publishes files that belong together, all or nothing. @throws E_FILE */
  publish(folder: string, files: Files): Promise<void>;
  /** The files published last; `head` names the others. @throws E_FILE */
  read(folder: string, head: string): Promise<Files>;
}

/** What a killed writer leaves that had only looked whether it can write. */
const PROBE = /^\.tilegrad-probe\.[0-9a-f-]+\.tmp$/;
const FILE_NAME = /^[a-z]+-[0-9a-f]{16}\.safetensors$/;

/** What a head is named and says of itself: `{ file: "model.json", format: "tilegrad-model", version: 1, ... }`. */
export interface BundleKind {
  /** File name of the head. */
  readonly head: string;
  readonly format: string;
  readonly version: number;
  /** First part of the name of the tensors file. */
  readonly stem: string;
}

/** The files of a folder, the head last. `body` must not have the fields `format`, `version` and `tensors`. */
export function encodeBundle(kind: BundleKind, body: Readonly<Record<string, unknown>>, tensors: StoredTensors): Files {
  const bytes = encodeSafetensors(tensors, { format: kind.format });
  const hash = fingerprint([bytes]);
  const file = `${kind.stem}-${hash.slice(0, 16)}.safetensors`;
  const head = {
    ...body,
    format: kind.format,
    version: kind.version,
    tensors: { file, bytes: bytes.length, fingerprint: hash },
  };
  return { [file]: bytes, [kind.head]: new TextEncoder().encode(stringifyJson(head)) };
}

/**
 * The head as a place to read fields from, and the tensors.
 * @throws E_FILE when a file is missing, damaged, of another format or of a later version.
 */
export function decodeBundle(
  kind: BundleKind,
  files: Files,
  where: string,
): { head: Place; tensors: Record<string, StoredTensor> } {
  const head = decodeHead(kind, files, where);
  const tensors = field(head, "tensors");
  const file = tensorsFile(tensors);
  const bytes = Object.hasOwn(files, file) ? files[file] : undefined;
  if (bytes === undefined) {
    throw new TilegradError("E_FILE", `${where}: got no ${file}; expected it beside ${kind.head}, which names it.`, {
      hint: "Copy the folder as a whole and keep its file names.",
    });
  }
  const name = `${where}/${file}`;
  const size = asCount(field(tensors, "bytes"));
  if (bytes.length !== size) {
    throw new TilegradError("E_FILE", `${name}: got ${bytes.length} bytes; expected ${size}.`, {
      hint: "The file is truncated; copy or save it again.",
    });
  }
  const hash = fingerprint([bytes]);
  if (hash !== asString(field(tensors, "fingerprint"))) {
    throw new TilegradError("E_FILE", `${name}: got content of fingerprint ${hash}; ${kind.head} expects another.`, {
      hint: "The file is damaged or was replaced; copy or save it again.",
    });
  }
  return { head, tensors: decodeTensors(bytes, name).tensors };
}

function decodeHead(kind: BundleKind, files: Files, where: string): Place {
  const bytes = Object.hasOwn(files, kind.head) ? files[kind.head] : undefined;
  if (bytes === undefined) {
    throw new TilegradError("E_FILE", `${where}: got no ${kind.head}; expected a folder saved by tilegrad.`);
  }
  const file = `${where}/${kind.head}`;
  const head: Place = { value: parseJson(bytes, file), file, path: "" };
  const format = field(head, "format");
  if (format.value !== kind.format) throw misplaced(format, JSON.stringify(kind.format));
  const version = field(head, "version");
  if (asCount(version) !== kind.version) {
    throw misplaced(version, `${kind.version}`, "The file was written by another version of tilegrad.");
  }
  return head;
}

function tensorsFile(tensors: Place): string {
  const file = field(tensors, "file");
  const name = asString(file);
  if (!FILE_NAME.test(name)) throw misplaced(file, "a name like weights-0123456789abcdef.safetensors");
  return name;
}

/** Refuses a folder whose head another tool made: TensorFlow.js has a `model.json`, too. @throws E_FILE */
export function assertReplaceable(old: Uint8Array, head: Uint8Array, where: string): void {
  const [was, is] = [old, head].map((bytes) =>
    field({ value: parseJson(bytes, where), file: where, path: "" }, "format"),
  );
  if (was.value !== is.value) throw misplaced(was, JSON.stringify(is.value), "Save to another folder.");
}

/** The name of the tensors file that a head (the content of any `.json` head) publishes. */
export function namedFile(head: Uint8Array, where: string): string {
  return tensorsFile(field({ value: parseJson(head, where), file: where, path: "" }, "tensors"));
}

/** Whether `name` is what an earlier or broken-off save of `published` left: same kind of name, other fingerprint. */
export function isLeftover(name: string, published: readonly string[]): boolean {
  if (published.includes(name)) return false;
  if (PROBE.test(name)) return true;
  // `.NAME.ID.tmp` is what the disk's writer leaves, `NAME.crswap` and `NAME.1.crswap` what Chromium's does.
  const plain = name.replace(/^\.(.*)\.[0-9a-f-]+\.tmp$/, "$1").replace(/(\.\d+)?\.crswap$/, "");
  return published.some((keep) => {
    if (!FILE_NAME.test(keep)) return plain === keep;
    return FILE_NAME.test(plain) && plain.slice(0, plain.indexOf("-")) === keep.slice(0, keep.indexOf("-"));
  });
}

/** Refuses fields of a head other than `known`: a misspelt one is an error, not silence. */
export function onlyFields(head: Place, known: readonly string[]): void {
  for (const key of Object.keys(asObject(head))) {
    if (!known.includes(key) && !["format", "version", "tensors"].includes(key)) {
      throw misplaced(field(head, key), "no such field");
    }
  }
}
