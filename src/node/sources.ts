/** What there is to learn from: a CSV or Parquet file, a folder of images, an NPZ file, or a pair of IDX files, each as a table. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { CsvOptions } from "../data/csv.ts";
import { readCsv } from "../data/csv.ts";
import { tableFromArray } from "../data/images.ts";
import type { ImageSize } from "../data/pixels.ts";
import type { Table } from "../data/table.ts";
import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import { readIdx } from "../io/idx.ts";
import type { NpyNumbers } from "../io/npy.ts";
import { decodeNpz } from "../io/npz.ts";
import type { Numeric } from "../values.ts";
import { numbersOf } from "../values.ts";
import { openBytes } from "./byteStream.ts";
import { fileError, fileExists, readBytes } from "./files.ts";
import { IMAGE, readImageFolder } from "./images.ts";
import { isParquet, readParquet } from "./parquet.ts";
import type { Scratch } from "./scratch.ts";
import type { Reading } from "./streaming.ts";
import { isLarge, storeTable } from "./streaming.ts";

export interface Source {
  readonly table: Table;
  /** Columns that name the rows. */
  readonly id: readonly string[];
  /** Where the file itself says that its rows are images. */
  readonly image?: ImageSize;
}

export interface SourceOptions extends CsvOptions, Reading {
  readonly image?: ImageSize | undefined;
  /** Where a CSV or Parquet file is to be kept that is too large for memory. */
  readonly scratch?: Scratch | undefined;
  /** Columns of which the name is enough. */
  readonly unused?: readonly string[];
  /** Whether images need labels. */
  readonly labelled?: boolean;
}

/** Bytes of a .gz file when unpacked; a larger one is a table of several GB in memory. */
const MOST_IN_MEMORY = 2 ** 29;

/** The target where none is named: of sources that are not tables, whose only label has this name. */
export const LABEL = "label";

const IDX = /idx\d-ubyte(\.gz)?$|\.idx(\.gz)?$/i;

/** Whether a source names its own label. */
export const hasOwnLabel = async (file: string): Promise<boolean> =>
  IDX.test(file) || /\.npz$/i.test(file) || (await isFolder(file));

/** Whether a file is streamed: where the user says so, else large tables whose rows stand alone. @throws E_ARGUMENT, E_FILE */
export async function isStreamed(
  file: string,
  { stream, window }: { readonly stream?: boolean | undefined; readonly window?: number | undefined },
): Promise<boolean> {
  const table = !(await hasOwnLabel(file));
  if (stream !== true) return stream !== false && table && window === undefined && (await isLarge(file));
  if (table && window === undefined) return true;
  throw new TilegradError("E_ARGUMENT", `\`stream\`: got ${window === undefined ? file : "`window`"} beside it.`, {
    hint: "Only CSV and Parquet files whose rows stand alone can be streamed.",
  });
}

const isFolder = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** @throws E_FILE, E_DATA, E_ABORTED */
export async function readSource(
  file: string,
  { image, scratch, unused, labelled = false, ...options }: SourceOptions,
): Promise<Source> {
  if (/\.npz$/i.test(file)) return npzSource(file);
  if (IDX.test(file)) return idxSource(file);
  if (scratch) return { table: await storeTable(file, { ...options, scratch, ...(unused ? { unused } : {}) }), id: [] };
  if (!(await isFolder(file))) return { table: await readTable(file, options, unused), id: [] };
  if (image === undefined) {
    throw new TilegradError("E_FILE", `${file}: cannot read it, it is a folder, not a file.`, {
      hint: "Name a file; for a folder of images, say what size they are to have: `image: 28x28`.",
    });
  }
  const { signal, onProgress } = options;
  const seen = (done: number, all: number): void =>
    onProgress?.(done / all, `image ${done.toLocaleString("en-US")} of ${all.toLocaleString("en-US")}`);
  try {
    const table = await readImageFolder(file, image, { ...(signal ? { signal } : {}), onProgress: seen, labelled });
    return { table, id: ["file"] };
  } finally {
    onProgress?.(null, "");
  }
}

/**
 * Reads a CSV or Parquet file into memory.
 * @param unused columns that nobody needs
 * @throws E_FILE, E_DATA, E_ABORTED
 */
export async function readTable(
  file: string,
  { onNote, onProgress: _, ...options }: CsvOptions & Reading,
  unused: readonly string[] = [],
): Promise<Table> {
  if (isParquet(file)) return readParquet(file, { ...options, unused });
  try {
    const { table, notes } = await readCsv(openBytes(file, MOST_IN_MEMORY).bytes, {
      name: path.basename(file),
      ...options,
    });
    for (const note of notes) onNote?.(note);
    return table;
  } catch (error) {
    throw fileError(error, "read", file);
  }
}

interface Numbers {
  readonly shape: readonly number[];
  readonly data: Numeric;
}

/** Numbers or texts, [rows] or [rows, 1]. */
interface Labels {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number | bigint | string>;
}

function fromArrays(file: string, x: Numbers, y: Labels | undefined): Source {
  const name = path.basename(file);
  const [rows, ...shape] = x.shape;
  if (shape.length > 3 || sizeOf(x.shape) === 0) {
    throw new TilegradError("E_FILE", `${name}: got x of shape [${x.shape}]; expected [rows, height, width].`, {
      hint: "Or [rows, features], or [rows, height, width, channels].",
    });
  }
  if (y && (y.shape[0] !== rows || sizeOf(y.shape) !== rows)) {
    throw new TilegradError("E_FILE", `${name}: got labels of shape [${y.shape}]; expected [${rows}].`);
  }
  const texts: Record<string, string[]> = y ? { [LABEL]: Array.from(y.data, String) } : {};
  const table = tableFromArray({ name, rows, width: sizeOf(shape), x: numbersOf(name, "x", x.data), texts });
  const [height, width, channels = 1] = shape;
  return { table, id: [], ...(shape.length > 1 ? { image: [height, width, channels] as const } : {}) };
}

/** Arrays x and y, or x_train and y_train. */
async function npzSource(file: string): Promise<Source> {
  const arrays = await decodeNpz(await readBytes(file), file, { only: ["x", "y", "x_train", "y_train"] });
  const x = arrays.x ?? arrays.x_train;
  if (x === undefined || x.dtype === "U" || x.dtype === "S") {
    const got = x ? "texts as x" : "no x and no x_train";
    throw new TilegradError("E_FILE", `${file}: got ${got}; expected x of numbers and y.`, {
      hint: "Such as np.savez(path, x=images, y=labels).",
    });
  }
  return fromArrays(file, x as NpyNumbers, arrays.x ? arrays.y : arrays.y_train);
}

async function idxSource(file: string): Promise<Source> {
  const x = await readIdx(await readBytes(file), file);
  const labels = await labelsBeside(file);
  return fromArrays(file, x, labels === null ? undefined : await readIdx(await readBytes(labels), labels));
}

/** MNIST's names: the labels of train-images-idx3-ubyte.gz are in train-labels-idx1-ubyte.gz, where there are any. */
async function labelsBeside(file: string): Promise<string | null> {
  const labels = path.join(
    path.dirname(file),
    path
      .basename(file)
      .replace("images", "labels")
      .replace(/idx\d-ubyte/, "idx1-ubyte"),
  );
  return labels !== file && (await fileExists(labels)) ? labels : null;
}

/** The names and the bytes of the files that a source consists of. @throws E_FILE */
export async function contentsOf(file: string): Promise<Uint8Array[]> {
  const contents: Uint8Array[] = [];
  for (const name of await filesOf(file)) contents.push(new TextEncoder().encode(name), await readBytes(name));
  return contents;
}

/** The files that a command is told to read; the names of presets among `model` do no harm. */
export async function inputFiles(
  file: string,
  {
    test,
    splits,
    model = [],
  }: {
    readonly test?: string | undefined;
    /** FILE#NAME. */
    readonly splits?: string | undefined;
    readonly model?: string | readonly string[] | undefined;
  } = {},
): Promise<string[]> {
  const files = [file, test, splits?.replace(/#[^#]*$/, ""), ...[model].flat()];
  return (await Promise.all(files.map((name) => (name === undefined ? [] : filesOf(name))))).flat();
}

async function filesOf(file: string): Promise<string[]> {
  if (await isFolder(file)) {
    const entries = await readdir(file, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
      throw fileError(error, "read", file);
    });
    const files = entries.filter((entry) => entry.isFile() && IMAGE.test(entry.name));
    return files.map((entry) => path.join(entry.parentPath, entry.name)).sort();
  }
  const labels = IDX.test(file) ? await labelsBeside(file) : null;
  return labels === null ? [file] : [file, labels];
}
