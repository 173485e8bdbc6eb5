/** Decoders of others, in the worker that `Guarded` runs and can stop; it knows nothing of tables and of how errors are told. */
import { parentPort } from "node:worker_threads";
import { convertIndexedToRgb, decode as decodePng } from "fast-png";
import type { AsyncBuffer, FileMetaData } from "hyparquet";
import jpegJs from "jpeg-js";

/** Files that were looked at, for as long as the worker has work. Packages are named by URL: this text lies nowhere itself. */
const opened = new Map<string, Promise<OpenParquet>>();

interface OpenParquet {
  readonly hyparquet: typeof import("hyparquet");
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
}

async function open(path: string, url: string): Promise<OpenParquet> {
  const hyparquet: typeof import("hyparquet") = await import(url);
  const file = await hyparquet.asyncBufferFromFile(path);
  return { hyparquet, file, metadata: await hyparquet.parquetMetadataAsync(file) };
}

const calls: Readonly<Record<string, (...args: never[]) => unknown>> = {
  png(bytes: Uint8Array) {
    const png = decodePng(bytes, { checkCrc: true });
    const { width, height, depth, channels, data, palette } = png;
    if (!palette) return { width, height, depth, channels, data };
    return { width, height, depth: 8, channels: palette[0].length, data: convertIndexedToRgb(png) };
  },

  jpeg(bytes: Uint8Array, limits: { maxResolutionInMP: number; maxMemoryUsageInMB: number }) {
    const options = { useTArray: true, formatAsRGBA: false, tolerantDecoding: false, ...limits } as const;
    const { width, height, data } = jpegJs.decode(bytes, options);
    return { width, height, depth: 8, channels: 3, data };
  },

  /** The footer, read anew. */
  async openParquet(path: string, url: string) {
    opened.set(path, open(path, url));
    const { hyparquet, metadata } = await opened.get(path)!;
    return { metadata, columns: hyparquet.parquetSchema(metadata).children };
  },

  /** The values of some rows of a column, as numbers where all are. */
  async readParquet(
    path: string,
    url: string,
    column: string,
    rowStart: number,
    rowEnd: number,
    packed: string | null,
  ) {
    const { hyparquet, file, metadata } = await (opened.get(path) ?? open(path, url));
    const compressors = packed === null ? {} : (await import(packed)).compressors;
    const parts: ArrayLike<unknown>[] = [];
    const onChunk = ({ columnData }: { columnData: ArrayLike<unknown> }): void => void parts.push(columnData);
    await hyparquet.parquetRead({ file, metadata, columns: [column], compressors, rowStart, rowEnd, onChunk });
    const values = new Array<unknown>(parts.reduce((sum, { length }) => sum + length, 0));
    let [at, numbers] = [0, true];
    for (const part of parts) {
      for (let i = 0; i < part.length; i++) {
        values[at++] = part[i];
        numbers &&= typeof part[i] === "number";
      }
    }
    return numbers ? Float64Array.from(values as number[]) : values;
  },
};

const port = parentPort!;
port.on("message", async ({ name, args }: { name: string; args: never[] }) => {
  try {
    const value = await calls[name](...args);
    const data = ArrayBuffer.isView(value) ? value : (value as { data?: unknown } | undefined)?.data;
    port.postMessage({ value }, ArrayBuffer.isView(data) ? [data.buffer as ArrayBuffer] : []);
  } catch (error) {
    port.postMessage({ error });
  }
});
