import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resizeImage } from "../../src/data/images.ts";
import { TilegradError } from "../../src/errors.ts";
import { crc32 } from "../../src/io/inflate.ts";
import { decodeImage, readImageFolder } from "../../src/node/images.ts";
import { refusal } from "../support/refusal.ts";

/** A PNG of chunks as they are. */
function png(...chunks: readonly (readonly [type: string, body: Uint8Array])[]): Uint8Array {
  const parts = chunks.map(([type, body]) => {
    const named = Buffer.concat([Buffer.from(type), body]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    crc.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, crc]);
  });
  return new Uint8Array(Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), ...parts]));
}

function header(width: number, height: number, depth: number, colour: number, interlace = 0): [string, Uint8Array] {
  const body = Buffer.alloc(13);
  body.writeUInt32BE(width, 0);
  body.writeUInt32BE(height, 4);
  body.set([depth, colour, 0, 0, interlace], 8);
  return ["IHDR", body];
}

const data = (...bytes: number[]): [string, Uint8Array] => ["IDAT", deflateSync(Uint8Array.from(bytes))];
const END: [string, Uint8Array] = ["IEND", new Uint8Array(0)];
const grey = async (bytes: Uint8Array, height: number, width: number): Promise<number[]> =>
  [...resizeImage(await decodeImage(bytes, "t"), [height, width, 1])].map((v) => Math.round(v));

describe("PNG", () => {
  it("is read in every colour type and depth", async () => {
    const rgb = encodePng({ width: 2, height: 1, channels: 3, data: Uint8Array.from([255, 0, 0, 0, 0, 255]) });
    expect([...resizeImage(await decodeImage(rgb, "t"), [1, 2, 3])]).toEqual([255, 0, 0, 0, 0, 255]);
    expect(await grey(rgb, 1, 2)).toEqual([76, 29]); // 0.299 and 0.114 of 255
    expect(await grey(png(header(3, 2, 8, 0), data(0, 1, 2, 3, 0, 4, 5, 6), END), 2, 3)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await grey(png(header(2, 1, 16, 0), data(0, 255, 255, 128, 0), END), 1, 2)).toEqual([255, 128]);
    expect(await grey(png(header(9, 1, 1, 0), data(0, 0b10110000, 0b10000000), END), 1, 9)).toEqual(
      [1, 0, 1, 1, 0, 0, 0, 0, 1].map((bit) => 255 * bit),
    );
    expect(await grey(png(header(3, 1, 2, 0), data(0, 0b00011100), END), 1, 3)).toEqual([0, 85, 255]);
    const palette: [string, Uint8Array] = ["PLTE", Uint8Array.from([0, 0, 0, 90, 90, 90, 200, 200, 200])];
    expect(await grey(png(header(3, 1, 2, 3), palette, data(0, 0b10010000), END), 1, 3)).toEqual([200, 90, 0]);
  });

  it("stands on white where it is transparent", async () => {
    expect(await grey(png(header(2, 1, 8, 4), data(0, 10, 255, 10, 0), END), 1, 2)).toEqual([10, 255]);
  });

  it("is refused when it lies, is damaged or truncated", async () => {
    const small = data(0, 1, 2, 3, 0, 4, 5, 6);
    const whole = png(header(3, 2, 8, 0), small, END);
    const flipped = whole.slice();
    flipped[45] ^= 4;
    expect(await refusal(decodeImage(flipped, "a.png"))).toMatch(/^a\.png: got /);
    expect(await refusal(decodeImage(whole.subarray(0, 50), "a.png"))).toMatch(/truncated PNG/);
    expect(await refusal(decodeImage(png(header(1e9, 1e9, 8, 0), small, END), "a.png"))).toMatch(
      /1000000000 x 1000000000/,
    );
    expect(await refusal(decodeImage(png(header(0, 2, 8, 0), small, END), "a.png"))).toMatch(/0 x 2 pixels/);
    expect(await refusal(decodeImage(png(header(300, 200, 8, 0), small, END), "a.png"))).toMatch(/damaged image/);
    expect(await refusal(decodeImage(Buffer.from("GIF89a"), "a.png"))).toMatch(/neither PNG nor JPEG/);
  });

  it("is not unpacked beyond its size: a bomb fills no memory", async () => {
    const bomb = png(header(3, 2, 8, 0), ["IDAT", deflateSync(Buffer.alloc(1 << 28))], END);
    const before = process.memoryUsage().arrayBuffers;
    expect(await refusal(decodeImage(bomb, "bomb.png"))).toMatch(/more than \d+ bytes when unpacked/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 26);
    const profile: [string, Uint8Array] = [
      "iCCP",
      Buffer.concat([Buffer.from("a\0\0"), deflateSync(Buffer.alloc(1 << 24))]),
    ];
    expect(await grey(png(header(1, 1, 8, 0), profile, data(0, 9), END), 1, 1)).toEqual([9]);
  });
});

describe("JPEG", () => {
  const pixels = Buffer.from(Array.from({ length: 64 * 64 }, (_, i) => [i % 64 < 32 ? 40 : 200, 40, 40, 255]).flat());
  const whole = jpeg.encode({ width: 64, height: 64, data: pixels }, 90).data;

  it("is read", async () => {
    const row = resizeImage(await decodeImage(whole, "t"), [1, 8, 3]);
    for (const [pixel, red] of [40, 40, 40, 40, 200, 200, 200, 200].entries()) {
      if (pixel === 3 || pixel === 4) continue; // the edge between them
      expect(Math.abs(row[3 * pixel] - red)).toBeLessThan(6);
      expect(Math.abs(row[3 * pixel + 1] - 40)).toBeLessThan(6);
    }
  });

  it("is refused when it is truncated or claims to be huge", async () => {
    expect(await refusal(decodeImage(whole.subarray(0, 300), "a.jpg"))).toMatch(/^a\.jpg: got a damaged image/);
    const huge = Buffer.from(whole);
    const frame = huge.indexOf(Buffer.from([0xff, 0xc0]));
    huge.writeUInt16BE(65_535, frame + 5);
    huge.writeUInt16BE(65_535, frame + 7);
    expect(await refusal(decodeImage(huge, "a.jpg"))).toMatch(/65535 x 65535 pixels \(at most/);
    huge.writeUInt16BE(4096, frame + 5);
    huge.writeUInt16BE(4096, frame + 7);
    expect(await refusal(decodeImage(huge, "a.jpg"))).toMatch(/damaged image \(4096 x 4096 pixels in \d+ bytes\)/);
  });

  it("is read or refused with a typed error, whatever byte is changed", async () => {
    const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, to }) => {
        const changed = Buffer.from(whole);
        changed[at] ^= to;
        const read = await decodeImage(changed, "a.jpg").catch((error: unknown) => error);
        if (read instanceof TilegradError) expect(read.code).toBe("E_FILE");
        else expect(read).toHaveProperty("width");
      }),
      { numRuns: 60 },
    );
  });
});

describe("resizing", () => {
  const image = (width: number, height: number, values: number[]) => ({
    width,
    height,
    channels: 1,
    data: values,
    max: 255,
  });

  it("averages where it shrinks and is bilinear where it grows", () => {
    expect([...resizeImage(image(4, 1, [0, 0, 200, 200]), [1, 2, 1])].map(Math.round)).toEqual([29, 171]);
    expect([...resizeImage(image(2, 1, [0, 100]), [1, 4, 1])]).toEqual([0, 25, 75, 100]);
    expect([...resizeImage(image(2, 2, [10, 20, 30, 40]), [2, 2, 1])]).toEqual([10, 20, 30, 40]);
  });

  it("keeps a plain image plain, at every size", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 12 }),
        (w, h, to) => {
          const y = resizeImage(image(w, h, new Array(w * h).fill(77)), [to, to, 1]);
          for (const value of y) expect(value).toBeCloseTo(77, 4);
        },
      ),
    );
  });
});

describe("a folder of images", () => {
  let folder: string;
  const put = (name: string, bytes: Uint8Array): void => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), bytes);
  };
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-images-"));
    const dot = (value: number) => png(header(1, 1, 8, 0), data(0, value), END);
    put("all/dogs/2.png", dot(20));
    put("all/cats/1.png", dot(10));
    put("all/cats/deeper/3.PNG", dot(30));
    put("all/cats/notes.txt", Buffer.from("no image"));
    put("flat/b.png", dot(5));
    put("flat/a.jpg", jpeg.encode({ width: 8, height: 8, data: Buffer.alloc(256, 255) }, 90).data);
    put("mixed/a.png", dot(1));
    put("mixed/cats/a.png", dot(1));
    put("empty/readme.md", Buffer.from(""));
    put("bad/cats/a.png", dot(1).subarray(0, 40));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  const read = (name: string) => readImageFolder(path.join(folder, name), [2, 1, 1]);

  it("becomes a table of pixels, files and labels, in the order of the paths", async () => {
    const { rows, columns } = await read("all");
    expect([rows, columns.map((c) => c.name)]).toEqual([3, ["p0", "p1", "file", "label"]]);
    const [p0, p1, file, label] = columns;
    expect(p0.kind === "numeric" && [...p0.values]).toEqual([10, 30, 20]);
    expect(p1.kind === "numeric" && [...p1.values]).toEqual([10, 30, 20]);
    expect(file.kind === "categorical" && file.levels).toEqual(["cats/1.png", "cats/deeper/3.PNG", "dogs/2.png"]);
    expect(label.kind === "categorical" && [...label.codes].map((c) => label.levels[c])).toEqual([
      "cats",
      "cats",
      "dogs",
    ]);
  });

  it("has no labels without subfolders, and tells how far reading is", async () => {
    const told: string[] = [];
    const onProgress = (done: number, all: number) => told.push(`${done}/${all}`);
    const { columns } = await readImageFolder(path.join(folder, "flat"), [1, 1, 3], { onProgress });
    expect(columns.map((c) => c.name)).toEqual(["p0", "p1", "p2", "file"]);
    expect(told).toEqual(["1/2", "2/2"]);
  });

  it("is refused when it is none, and stops when told to", async () => {
    expect(await refusal(read("nowhere"))).toMatch(/nowhere: cannot read it/);
    expect(await refusal(read("empty"))).toMatch(/empty: got no PNG or JPEG file/);
    expect(await refusal(read("mixed"))).toMatch(/images in subfolders and "a\.png" beside them/);
    expect(await refusal(read("bad"))).toMatch(/cats\/a\.png: got a truncated PNG/);
    const aborted = readImageFolder(path.join(folder, "all"), [1, 1, 1], { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "E_ABORTED" });
  });
});
