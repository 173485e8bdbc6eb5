import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { TilegradError } from "../../src/errors.ts";
import { decodeModel, encodeModel } from "../../src/io/model.ts";
import { assertWritable, publishFile, publishFolder, readBytes, readPublished } from "../../src/node/files.ts";
import { whileLocked } from "../../src/node/lock.ts";

const root = mkdtempSync(join(tmpdir(), "tilegrad-files-"));
afterAll(() => rmSync(root, { recursive: true }));
let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(root, "case-"));
});

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
function modelOf(value: number) {
  const weights = { w: { dtype: "f32", shape: [2], data: Float32Array.of(value, value) } } as const;
  return encodeModel({ architecture: { value }, weights });
}

/** A test's module as one file that Node runs. */
function bundle(entry: string): string {
  const outfile = join(root, `${basename(entry)}.mjs`);
  const entryPoints = [join(import.meta.dirname, `${entry}.ts`)];
  buildSync({ entryPoints, outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  return outfile;
}

async function failure(promise: Promise<unknown>): Promise<TilegradError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TilegradError);
  expect((error as TilegradError).code).toBe("E_FILE");
  return error as TilegradError;
}

describe("publishing a file", () => {
  it("creates and replaces it, and leaves nothing else behind", async () => {
    await publishFile(join(dir, "a.txt"), "one");
    await publishFile(join(dir, "a.txt"), new TextEncoder().encode("two"));
    expect(text(await readBytes(join(dir, "a.txt")))).toBe("two");
    expect(readdirSync(dir)).toEqual(["a.txt"]);
  });

  it("keeps the old file when the new one cannot be written whole", async () => {
    const folder = join(dir, "model");
    await publishFolder(folder, modelOf(1));
    const before = readdirSync(folder);
    const script = bundle("../faults/saveLoop");
    // A limit of 8 KiB per file: the weights of the loop's first save do not fit.
    const command = `ulimit -f 8; exec "${process.execPath}" "${script}" "${folder}"`;
    expect(() => execFileSync("/bin/sh", ["-c", command], { stdio: "pipe" })).toThrow(/EFBIG/);
    expect(readdirSync(folder)).toEqual(before);
    expect(await readPublished(folder, "model.json")).toEqual(modelOf(1));
  });
});

describe("publishing a folder", () => {
  it("holds the head and the file it names, old ones removed, other people's files untouched", async () => {
    const folder = join(dir, "model");
    await publishFolder(folder, modelOf(1));
    writeFileSync(join(folder, "notes.txt"), "mine");
    writeFileSync(join(folder, "weights-of-mine.safetensors"), "mine");
    await publishFolder(folder, modelOf(2));
    await publishFolder(folder, modelOf(2));
    expect(readdirSync(folder).sort()).toEqual(
      [...Object.keys(modelOf(2)), "notes.txt", "weights-of-mine.safetensors"].sort(),
    );
    expect(await readPublished(folder, "model.json")).toEqual(modelOf(2));
  });

  it("makes the folders on the way", async () => {
    const folder = join(dir, "out", "focal");
    await assertWritable(folder, "folder");
    expect(readdirSync(dir)).toEqual([]);
    await publishFolder(folder, modelOf(1));
    await publishFile(join(dir, "reports", "a", "b.txt"), "text");
    expect(await readPublished(folder, "model.json")).toEqual(modelOf(1));
    expect(readFileSync(join(dir, "reports/a/b.txt"), "utf8")).toBe("text");
  });

  it("leaves another tool's head alone, and what is no JSON", async () => {
    for (const [head, message] of [
      ['{"format":"layers-model"}', 'model.json: format: got "layers-model"; expected "tilegrad-model"'],
      ["{}", 'model.json: format: got nothing; expected "tilegrad-model"'],
      ["mine", "model.json: "],
    ]) {
      writeFileSync(join(dir, "model.json"), head);
      expect((await failure(publishFolder(dir, modelOf(1)))).message).toContain(message);
      expect(readFileSync(join(dir, "model.json"), "utf8")).toBe(head);
      expect(readdirSync(dir)).toEqual(["model.json"]);
    }
  });

  it("clears away what a killed save left", async () => {
    const [weights] = Object.keys(modelOf(1));
    writeFileSync(join(dir, `.${weights}.123.tmp`), "torn");
    writeFileSync(join(dir, ".model.json.123.tmp"), "torn");
    writeFileSync(join(dir, weights), "not published");
    await publishFolder(dir, modelOf(2));
    expect(readdirSync(dir).sort()).toEqual(Object.keys(modelOf(2)).sort());
  });

  it("can be read while it is published again and again", async () => {
    const folder = join(dir, "model");
    await publishFolder(folder, modelOf(0));
    let done = false;
    const writing = (async () => {
      for (let value = 1; value <= 30; value++) await publishFolder(folder, modelOf(value));
      done = true;
    })();
    let reads = 0;
    while (!done) {
      const { architecture, weights } = decodeModel(await readPublished(folder, "model.json"), folder);
      expect(architecture).toEqual({ value: weights.w.data[0] });
      reads++;
    }
    await writing;
    expect(reads).toBeGreaterThan(5);
  });

  it("is written by several at one moment: processes and saves of one process, all of whom come out whole", async () => {
    const folder = join(dir, "model");
    const script = bundle("../faults/saveLoop");
    const others = [1, 2].map(() => spawn(process.execPath, [script, folder, "40"], { stdio: "ignore" }));
    const ended = others.map((child) => new Promise((resolve) => child.on("close", resolve)));
    const own = Array.from({ length: 20 }, (_, i) => publishFolder(folder, modelOf(i + 1)));
    await Promise.all(own);
    expect(await Promise.all(ended)).toEqual([0, 0]);
    const files = await readPublished(folder, "model.json");
    expect(() => decodeModel(files, folder)).not.toThrow();
    expect(readdirSync(folder).sort()).toEqual(Object.keys(files).sort());
  });

  it("is not kept by a writer that is gone, nor by one that was never heard of again", async () => {
    const lock = join(dir, ".tilegrad-lock");
    const gone = spawn(process.execPath, [bundle("hold-lock"), dir], { stdio: ["ignore", "pipe", "inherit"] });
    await once(gone.stdout, "data");
    gone.kill("SIGKILL");
    await once(gone, "close");
    const killed = readFileSync(lock, "utf8");
    const reused = { ...JSON.parse(killed), pid: process.ppid };
    for (const [content, age] of [
      [killed, 0],
      [JSON.stringify(reused), 0],
      [JSON.stringify({ token: "b", host: "elsewhere", pid: 1 }), 60],
      ["", 60],
    ] as const) {
      writeFileSync(lock, content);
      const then = Date.now() / 1000 - age;
      utimesSync(lock, then, then);
      writeFileSync(join(dir, ".tilegrad-probe.0a1b-2c.tmp"), "");
      await publishFolder(dir, modelOf(1));
      expect(readdirSync(dir).sort()).toEqual(Object.keys(modelOf(1)).sort());
    }
  });

  it("is kept by a writer that lives, however long it is too busy to say so", async () => {
    const lock = join(dir, ".tilegrad-lock");
    const age = () => utimesSync(lock, 0, 0);
    const busy = spawn(process.execPath, [bundle("hold-lock"), dir], { stdio: ["ignore", "pipe", "inherit"] });
    await once(busy.stdout, "data");
    age();
    await publishFolder(dir, modelOf(1));
    expect(existsSync(join(dir, "done"))).toBe(true);
    // And by a save of this very thread.
    let own = false;
    const first = whileLocked(dir, async () => {
      age();
      await new Promise((wake) => setTimeout(wake, 200));
      own = true;
    });
    await Promise.all([first, whileLocked(dir, async () => expect(own).toBe(true))]);
  });
});

describe("reading", () => {
  it("says what is missing", async () => {
    expect((await failure(readBytes(join(dir, "none")))).message).toContain(
      "none: cannot read it, there is no such file",
    );
    expect((await failure(readBytes(dir))).message).toContain("it is a folder, not a file (EISDIR)");
    const folder = join(dir, "model");
    expect((await failure(readPublished(folder, "model.json"))).message).toContain("model.json: cannot read it");
    await publishFolder(folder, modelOf(1));
    const [weights] = Object.keys(modelOf(1));
    rmSync(join(folder, weights));
    expect((await failure(readPublished(folder, "model.json"))).message).toContain(`${weights}: cannot read it`);
  });

  it("says so of a file that is larger than memory can hold at once, and of a name that is none", async () => {
    const large = join(dir, "large.npz");
    writeFileSync(large, "");
    truncateSync(large, 2 ** 31 + 1); // no block of it is on the disk
    expect((await failure(readBytes(large))).message).toContain("it is larger than 2 GiB (ERR_FS_FILE_TOO_LARGE)");
    rmSync(large);
    const name = join(dir, "a\0b");
    const refused = [
      () => readBytes(name),
      () => publishFolder(name, modelOf(1)),
      () => publishFile(name, ""),
      () => assertWritable(name, "file"),
    ];
    for (const use of refused) {
      expect((await failure(use())).message).toMatch(/a\\0b: cannot \w+ it, its name holds a NUL byte/);
    }
    expect(readdirSync(dir)).toEqual([]);
  });

  it("never follows a head out of its folder", async () => {
    const head = text(modelOf(1)["model.json"]).replace(/"weights-[^"]*"/, '"../secret"');
    writeFileSync(join(dir, "model.json"), head);
    expect((await failure(readPublished(dir, "model.json"))).message).toContain('tensors.file: got "../secret"');
  });
});

describe("an output that cannot be written", () => {
  it("is known before anything is changed", async () => {
    writeFileSync(join(dir, "file"), "x");
    mkdirSync(join(dir, "folder"));
    const cases: [string, "file" | "folder", string][] = [
      [join(dir, "file", "model"), "folder", "a part of the path is a file, not a folder (ENOTDIR)"],
      [join(dir, "file"), "folder", "got a file; expected a folder or nothing"],
      [join(dir, "folder"), "file", "got a folder; expected a file or nothing"],
    ];
    for (const [path, kind, message] of cases) {
      expect((await failure(assertWritable(path, kind))).message).toContain(message);
      if (kind === "folder") expect((await failure(publishFolder(path, modelOf(1)))).message).toContain(message);
    }
    expect(readdirSync(dir).sort()).toEqual(["file", "folder"]);
    expect(readFileSync(join(dir, "file"), "utf8")).toBe("x");
    expect(readdirSync(join(dir, "folder"))).toEqual([]);
  });

  it("is a matter of permission for all but root", () => {
    const script = bundle("../faults/saveLoop");
    chmodSync(root, 0o755);
    chmodSync(dir, 0o555);
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const save = () =>
      execFileSync(process.execPath, [script, join(dir, "model")], { stdio: "pipe", cwd: "/", ...user });
    expect(save).toThrow(/permission is denied \(EACCES\)/);
    expect(readdirSync(dir)).toEqual([]);
  });

  it.runIf(existsSync("/proc/self"))("is found out on file systems that refuse even root", async () => {
    await failure(assertWritable("/proc/tilegrad", "folder"));
  });

  it("is told from one that can, of which nothing remains", async () => {
    for (const kind of ["file", "folder"] as const) await assertWritable(join(dir, "new"), kind);
    await assertWritable(dir, "folder");
    expect(readdirSync(dir)).toEqual([]);
  });
});
