/** Every reader on damaged files: it reads them or throws a typed error, soon and in little memory. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import { parquetWriteBuffer } from "hyparquet-writer";
import jpeg from "jpeg-js";
import { parseCsv } from "../../src/data/csv.ts";
import { fitPreprocessor } from "../../src/data/preprocess.ts";
import { parsePreprocessor } from "../../src/data/preprocessorJson.ts";
import { TilegradError } from "../../src/errors.ts";
import type { Files } from "../../src/io/bundle.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/io/checkpoint.ts";
import { decodeSafetensors } from "../../src/io/foreignSafetensors.ts";
import { encodeIdx } from "../../src/io/idx.ts";
import { parseJson } from "../../src/io/json.ts";
import { decodeNpy, encodeNpy } from "../../src/io/npy.ts";
import { encodeSafetensors } from "../../src/io/safetensors.ts";
import { parseTuning } from "../../src/io/tunings.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { decodeImage } from "../../src/node/images.ts";
import { FileJournal } from "../../src/node/journal.ts";
import { readRowLists } from "../../src/node/rowLists.ts";
import { readSource } from "../../src/node/sources.ts";
import { openDevice } from "../../src/openDevice.ts";
import { trainerFromFiles } from "../../src/train/loading.ts";
import { checkpointOf, modelFiles } from "../../src/train/saving.ts";
import { compile } from "../../src/train/trainer.ts";
import { zip } from "../io/zip.ts";
import type { Drill, Outcome } from "./drill.ts";
import { inFolder, numbers } from "./drill.ts";

const MOST_MS = 2000;
const MOST_BYTES = 500 * 2 ** 20;

interface Reader {
  readonly bytes: Uint8Array;
  readonly read: (bytes: Uint8Array) => unknown;
}

const rows = Array.from({ length: 40 }, (_, i) => i);
const table = `a,b,when,y\n${rows.map((i) => `${i / 3},${"abc"[i % 3]},2024-01-0${1 + (i % 9)},${i % 4 ? "no" : "yes"}`).join("\n")}\n`;
const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const pixels = Uint8Array.from({ length: 16 * 16 * 4 }, (_, i) => (i * 37) % 256);
const image = { width: 16, height: 16 };

/** What is read, and by whom; `folder` is for readers of files. */
export async function readers(folder: string): Promise<Record<string, Reader>> {
  const file = (name: string, bytes: Uint8Array, options = {}): Reader => ({
    bytes,
    read(damaged) {
      writeFileSync(path.join(folder, name), damaged);
      return readSource(path.join(folder, name), options);
    },
  });
  const device = await openDevice({ backend: "cpu" });
  const preprocessor = fitPreprocessor(parseCsv(table).table, rows, { target: "y", positive: "yes" });
  const model = sequential({ input: [preprocessor.featureNames.length] }, [dense(4, { activation: "relu" }), dense(1)]);
  const trainer = await compile(model, { device, loss: binaryCrossentropy(), seed: 1 });
  const saved = await modelFiles(trainer, {
    preprocessing: JSON.parse(JSON.stringify(preprocessor)),
    threshold: { value: 0.5, rule: "f1" },
  });
  const checkpoint = encodeCheckpoint(await checkpointOf(trainer, []));
  const head = (files: Files, name: string, read: (files: Files) => unknown): Reader => ({
    bytes: files[name],
    read: (damaged) => read({ ...files, [name]: damaged }),
  });
  const loaded = (files: Files): void => {
    const { trainer, preprocessing } = trainerFromFiles(files, "model", { device });
    trainer.dispose();
    parsePreprocessor(preprocessing);
  };
  const weights = Object.keys(saved)[0];
  const x = Float32Array.from(rows);
  const columnData = [
    { name: "x", data: Array.from(rows, (i) => i / 7), type: "DOUBLE" as const },
    { name: "n", data: rows, type: "INT32" as const },
    { name: "c", data: rows.map((i) => `level ${i % 3}`), type: "STRING" as const },
  ];
  const npz = [
    { name: "x.npy", plain: encodeNpy({ shape: [40, 1], data: x, dtype: "f4" }), deflate: true },
    { name: "y.npy", plain: encodeNpy({ shape: [40], data: x, dtype: "f4" }) },
  ];
  const idx = encodeIdx({ shape: [10, 2, 2], data: Uint8Array.from(rows) });
  const journal = { format: "tilegrad-journal", question: "q", entries: { a: { value: 1, std: 0, epochs: 2, ms: 3 } } };
  const costs = { dispatch: 5, rate: 1, residentRate: 2, stage: 1.5, near: 0.5 };
  const tuning = { device: "one", costs, kernels: { "matmul 64": { kernel: "tiled", share: 4 } } };
  return {
    csv: file("t.csv", new TextEncoder().encode(table)),
    "csv.gz": file("t.csv.gz", gzipSync(table)),
    parquet: file("t.parquet", new Uint8Array(parquetWriteBuffer({ columnData }))),
    npz: file("t.npz", zip(npz)),
    npy: { bytes: npz[0].plain, read: (damaged) => decodeNpy(damaged, "t.npy") },
    idx: file("t.idx", idx),
    "idx.gz": file("t.idx.gz", gzipSync(idx)),
    png: {
      bytes: encodePng({ ...image, channels: 4, data: pixels }),
      read: (damaged) => decodeImage(damaged, "t.png"),
    },
    jpeg: {
      bytes: Uint8Array.from(jpeg.encode({ ...image, data: pixels }, 80).data),
      read: (damaged) => decodeImage(damaged, "t.jpg"),
    },
    safetensors: {
      bytes: encodeSafetensors({ x: { dtype: "f32", shape: [40], data: x } }),
      read: (damaged) => decodeSafetensors(damaged, "t.safetensors"),
    },
    "model.json": head(saved, "model.json", loaded),
    weights: head(saved, weights, loaded),
    "checkpoint.json": head(checkpoint, "checkpoint.json", (files) => decodeCheckpoint(files, "run")),
    splits: {
      bytes: text({ a: { train: [0, 1, 2, 3], test: [4, 5] } }),
      read(damaged) {
        writeFileSync(path.join(folder, "splits.json"), damaged);
        return readRowLists(`${path.join(folder, "splits.json")}#a`);
      },
    },
    journal: {
      bytes: text(journal),
      read(damaged) {
        writeFileSync(path.join(folder, "journal.json"), damaged);
        return FileJournal.open(folder, "q");
      },
    },
    tuning: {
      bytes: text(tuning),
      read: (damaged) => parseTuning({ value: parseJson(damaged, "tuning.json"), file: "tuning.json", path: "" }),
    },
  };
}

/** Bits, bytes, lengths and numbers changed, parts cut, doubled, moved and put in, up to four times. */
function mutate(bytes: Uint8Array, draw: (n: number) => number): Uint8Array {
  let all = Uint8Array.from(bytes);
  for (let left = draw(4); left >= 0 && all.length > 0; left--) {
    const at = draw(all.length);
    const size = 1 + draw(Math.min(64, all.length - at));
    const part = all.subarray(at, at + size);
    const [before, after] = [all.subarray(0, at), all.subarray(at + size)];
    const extreme = [0, 1, 0x7f, 0x80, 0xff][draw(5)];
    switch (draw(7)) {
      case 0:
        all[at] ^= 1 << draw(8);
        break;
      case 1:
        all[at] = draw(256);
        break;
      case 2:
        all.fill(extreme, at, at + [1, 2, 4, 8][draw(4)]);
        break;
      case 3:
        all = Uint8Array.from(before);
        break;
      case 4:
        all = Uint8Array.from([...before, ...after]);
        break;
      case 5:
        all = Uint8Array.from([...before, ...part, ...part, ...after]);
        break;
      default:
        all.set(
          all
            .subarray(draw(all.length))
            .subarray(0, size)
            .slice(0, all.length - at),
          at,
        );
    }
  }
  return all;
}

/** Of one reader: `count` files. */
async function ofReader(
  name: string,
  { bytes, read }: Reader,
  count: number,
  draw: (n: number) => number,
): Promise<Outcome> {
  const faults: string[] = [];
  const memory = process.resourceUsage().maxRSS * 1024;
  let [sound, longest] = [0, 0];
  for (let i = 0; i < count; i++) {
    const damaged = mutate(bytes, draw);
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    try {
      await read(damaged);
      sound++;
    } catch (error) {
      const typed = error instanceof TilegradError && error.code !== "E_INTERNAL";
      if (!typed) faults.push(`${name}, file ${i}, untyped: ${error instanceof Error ? error.stack : String(error)}`);
    }
    // A machine that is busy with others makes nobody slow.
    const { user, system } = process.cpuUsage(cpu);
    const ms = Math.min(performance.now() - began, (user + system) / 1000);
    longest = Math.max(longest, ms);
    if (ms > MOST_MS) faults.push(`${name}, file ${i}: ${Math.round(ms)} ms`);
  }
  const grown = process.resourceUsage().maxRSS * 1024 - memory;
  if (grown > MOST_BYTES) faults.push(`${name}: ${Math.round(grown / 1e6)} MB`);
  const note = `${name} ${count} (${sound} read, at most ${Math.round(longest)} ms, ${Math.round(grown / 1e6)} MB)`;
  return { tried: count, faults, note };
}

/** `count` files for each reader. */
export const mutations: Drill = ({ count, seed }) =>
  inFolder(async (folder) => {
    const outcomes: Outcome[] = [];
    for (const [i, [name, reader]] of Object.entries(await readers(folder)).entries()) {
      await reader.read(reader.bytes); // sound, it is read
      outcomes.push(await ofReader(name, reader, count, numbers(seed + i)));
    }
    return {
      tried: outcomes.reduce((sum, { tried }) => sum + tried, 0),
      faults: outcomes.flatMap(({ faults }) => faults),
      note: outcomes.map(({ note }) => note).join(", "),
    };
  });
