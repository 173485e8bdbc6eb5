import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TilegradError } from "../../src/errors.ts";
import { encodeIdx, readIdx } from "../../src/io/idx.ts";
import { crc32, inflate } from "../../src/io/inflate.ts";
import { encodeNpy } from "../../src/io/npy.ts";
import { decodeNpz } from "../../src/io/npz.ts";
import { openBytes } from "../../src/node/byteStream.ts";
import { refusal } from "../support/refusal.ts";
import { type Packed, zip } from "./zip.ts";

const images = { shape: [3, 2, 2], data: Uint8Array.from({ length: 12 }, (_, i) => 20 * i) };
const labels = { dtype: "i8", shape: [3], data: BigInt64Array.from([0n, 1n, 0n]) } as const;
const pixels = { dtype: "f4", shape: [3, 2], data: Float32Array.from([1, 2, 3, 4, 5, 6]) } as const;

const npz = (deflate: boolean, told: Partial<Packed> = {}): Uint8Array =>
  zip([
    { name: "x.npy", plain: encodeNpy(pixels), deflate, ...told },
    { name: "y.npy", plain: encodeNpy(labels), deflate },
  ]);

describe("an archive that makes much of few bytes", () => {
  it("is refused before anything is unpacked: entries within others, and sizes beyond what deflate can do", async () => {
    const archive = Buffer.from(npz(true));
    const second = archive.lastIndexOf("PK\x01\x02");
    archive.writeUInt32LE(0, second + 42); // the first entry's bytes, too
    expect(await refusal(decodeNpz(archive, "t.npz"))).toMatch(/t\.npz: got "[xy]\.npy" within another entry/);
    const size = 10_000_000;
    expect(await refusal(decodeNpz(npz(true, { size }), "t.npz"))).toMatch(
      /x\.npy: got 10000000 bytes packed into \d+;/,
    );
  });

  it("is not read into memory beyond a limit where it is a table", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "tilegrad-gz-"));
    const file = path.join(folder, "t.csv.gz");
    writeFileSync(file, gzipSync("a,b\n".padEnd(100_000, "1,2\n")));
    const read = async (most?: number): Promise<string> => {
      let bytes = 0;
      for await (const part of openBytes(file, most).bytes) bytes += part.length;
      return String(bytes);
    };
    expect(await read()).toBe("100000");
    expect(await refusal(read(50_000))).toMatch(/t\.csv\.gz: got more than 50000 bytes when unpacked/);
    rmSync(folder, { recursive: true });
  });
});

describe("gzipped IDX", () => {
  it("is read like plain IDX", async () => {
    const bytes = encodeIdx(images);
    expect(await readIdx(gzipSync(bytes), "t.gz")).toEqual(await readIdx(bytes, "t"));
    expect((await readIdx(gzipSync(bytes), "t.gz")).shape).toEqual([3, 2, 2]);
  });

  it("is refused when truncated, damaged, or of a false length", async () => {
    const packed = gzipSync(encodeIdx(images));
    expect(await refusal(readIdx(packed.subarray(0, packed.length - 9), "t.gz"))).toMatch(
      /t\.gz: .*damaged or truncated/,
    );
    const flipped = Buffer.from(packed);
    flipped[flipped.length - 8] ^= 1; // the checksum
    expect(await refusal(readIdx(flipped, "t.gz"))).toMatch(/damaged or truncated/);
    const more = Buffer.concat([encodeIdx(images), Buffer.alloc(5)]);
    expect(await refusal(readIdx(gzipSync(more), "t.gz"))).toMatch(/more than 28 bytes when unpacked/);
    expect(await refusal(readIdx(gzipSync("hello world, no IDX"), "t.gz"))).toMatch(/first bytes \[104,101,108,108\]/);
  });

  it("is not unpacked beyond what its header says: a bomb fills no memory", async () => {
    const bomb = gzipSync(Buffer.concat([encodeIdx(images), Buffer.alloc(1 << 28)]));
    const before = process.memoryUsage().arrayBuffers;
    expect(await refusal(readIdx(bomb, "bomb.gz"))).toMatch(/more than 28 bytes/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 26);
  });
});

describe("NPZ", () => {
  it.each([false, true])("holds NumPy's arrays by name (deflated: %s)", async (deflate) => {
    expect({ ...(await decodeNpz(npz(deflate), "a.npz")) }).toEqual({ x: pixels, y: labels });
  });

  const cases: [string, Uint8Array, RegExp][] = [
    ["no archive", new Uint8Array(100), /no end of a ZIP archive/],
    ["a truncated archive", npz(true).subarray(0, 150), /no end of a ZIP archive/],
    ["a cut in the middle", Uint8Array.from([...npz(true).subarray(0, 40), ...npz(true).subarray(90)]), /expected/],
    ["another CRC-32", npz(false, { crc: 1 }), /a\.npz: x\.npy: got bytes that do not have the CRC-32/],
    ["more bytes than told", npz(true, { size: 64 }), /more than 64 bytes when unpacked/],
    ["fewer bytes than told", npz(true, { size: 1 << 20 }), /got 1048576 bytes packed into \d+; expected at most/],
    ["4 GiB told", zip([{ name: "x.npy", plain: encodeNpy(pixels), size: 0xffffffff }]), /ZIP64/],
    ["too much in all", npz(true, { size: 0xfffffffe }), /when unpacked; expected at most/],
    ["an encrypted entry", npz(true, { flags: 1 }), /encrypted/],
    ["an unknown method", npz(false, { method: 12 }), /compression method 12/],
    ["another file inside", zip([{ name: "notes.txt", plain: new Uint8Array(3) }]), /entry "notes\.txt"/],
    ["an array twice", zip([1, 2].map(() => ({ name: "x.npy", plain: encodeNpy(pixels) }))), /"x" twice/],
  ];
  it.each(cases)("is refused with %s", async (_, bytes, message) => {
    expect(await refusal(decodeNpz(bytes, "a.npz"))).toMatch(message);
  });

  it("is read right or refused with a typed error, whatever byte is changed", async () => {
    const whole = npz(true);
    const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, to }) => {
        const changed = whole.slice();
        changed[at] ^= to;
        const read = await decodeNpz(changed, "a.npz").catch((error: unknown) => error);
        if (read instanceof TilegradError) expect(read.code).toBe("E_FILE");
        else for (const { data } of Object.values(read as object)) expect(["1", "0"]).toContain(String(data[0]));
      }),
    );
  });
});

describe("inflate", () => {
  it("reads zlib's streams, and stops at the limit", async () => {
    const plain = new Uint8Array(1000).fill(7);
    expect(await inflate(deflateSync(plain), "deflate", { where: "t", limit: 1000 })).toEqual(plain);
    expect(await refusal(inflate(deflateSync(plain), "deflate", { where: "t", limit: 999 }))).toMatch(/more than 999/);
  });

  it("has the check value of CRC-32", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });
});
