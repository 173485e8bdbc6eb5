import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeIdx } from "../../src/io/idx.ts";
import { encodeNpy } from "../../src/io/npy.ts";
import { draws } from "../../src/random.ts";
import { zip } from "../io/zip.ts";
import { jsonOf, useCli } from "./support.ts";

const cli = useCli();
const QUICK = ["--epochs", "10", "--learning-rate", "0.01", "--refit", "never", "--device", "cpu"];

/** An image with one bright half: left for a third of them, else right. */
function halves(i: number): { readonly data: Uint8Array; readonly left: boolean } {
  const draw = draws(3, 0);
  const left = i % 3 === 0;
  const data = Uint8Array.from({ length: 64 }, (_, at) => {
    const bright = at % 8 < 4 === left;
    return (bright ? 180 : 60) + draw.integer(64 * i + at, 40);
  });
  return { data, left };
}

beforeAll(() => {
  const all = Array.from({ length: 120 }, (_, i) => halves(i));
  for (const [i, { data, left }] of all.entries()) {
    const file = encodePng({ width: 8, height: 8, channels: 1, data });
    cli.write(`photos/${left ? "left" : "right"}/${String(i).padStart(3, "0")}.png`, file);
    if (i < 6) cli.write(`new/${i}.png`, file);
  }
  const images = { shape: [120, 8, 8], data: Uint8Array.from(all.flatMap(({ data }) => [...data])) };
  cli.write("train-images-idx3-ubyte.gz", gzipSync(encodeIdx(images)));
  const labels = { shape: [120], data: Uint8Array.from(all, ({ left }) => (left ? 1 : 0)) };
  cli.write("train-labels-idx1-ubyte.gz", gzipSync(encodeIdx(labels)));
  const x = { dtype: "f4", shape: [120, 8, 8], data: Float32Array.from(images.data) } as const;
  const y = { dtype: "i8", shape: [120], data: BigInt64Array.from([...labels.data].map(BigInt)) } as const;
  cli.write(
    "digits.npz",
    zip([
      { name: "x.npy", plain: encodeNpy(x), deflate: true },
      { name: "y.npy", plain: encodeNpy(y) },
    ]),
  );
  cli.write("broken/left/a.png", encodePng({ width: 8, height: 8, channels: 1, data: all[0].data }).subarray(0, 60));
  cli.write("empty/readme.txt", Buffer.from("none"));
  cli.write("photos.csv", "a,label\n1,left\n");
  cli.write("damaged.npz", Buffer.from("PK nothing"));
});

describe("a folder of images by class", () => {
  it("is learned, and predicted by name", async () => {
    const options = ["--positive", "left", "--image", "6x6", ...QUICK, "--layers", "4"];
    const trained = await cli.run("train", "photos", ...options, "--out", "model", "--json");
    expect(trained.code, trained.stderr).toBe(0);
    const { target, positive, rows, inputShape, metrics } = jsonOf(trained);
    expect([target, positive, rows.file, inputShape]).toEqual(["label", "left", 120, [6, 6, 1]]);
    expect(metrics.test.prAuc).toBeGreaterThan(0.98);
    expect(trained.stderr).toContain("image 120 of 120");
    expect(trained.stderr).toMatch(/predict model new-images --out scores.csv\n.*evaluate model labelled-images\n/);
    const predicted = await cli.run("predict", "model", "new", "--device", "cpu", "--quiet");
    const lines = predicted.stdout.trim().split("\n");
    expect(lines[0]).toBe("file,score,prediction");
    expect(lines.slice(1).map((line) => line.replace(/,.*,/, " "))).toEqual([
      "0.png yes",
      "1.png no",
      "2.png no",
      "3.png yes",
      "4.png no",
      "5.png no",
    ]);
    const evaluated = await cli.run("evaluate", "model", "photos", "--device", "cpu", "--json");
    expect(jsonOf(evaluated).rows).toBe(120);
  });

  it.each([
    ["without a size", ["photos"], /photos: cannot read it, it is a folder/, /--image 28x28/],
    ["with a damaged image", ["broken", "--image", "8x8"], /broken\/left\/a\.png: got a truncated PNG/, /take it out/],
    ["without images", ["empty", "--image", "8x8"], /empty: got no PNG or JPEG file/, /cats\/1\.png/],
    ["with two channels", ["photos", "--image", "8x8x2"], /got 2 channels; expected 1 \(grey\) or 3/, /./],
    ["that is a damaged NPZ file", ["damaged.npz"], /damaged\.npz: got no end of a ZIP archive/, /np\.savez/],
    ["that is a table without a target", ["photos.csv"], /photos\.csv: no --target was given/, /--target/],
  ])("is refused %s", async (_, args, message, hint) => {
    const ended = await cli.run("train", ...args, "--out", "bad", ...QUICK, "--json");
    expect(ended.code).toBe(2);
    const { error } = jsonOf(ended);
    expect(error.message).toMatch(message);
    expect(error.hint ?? "-").toMatch(hint);
    expect(fs.existsSync(path.join(cli.folder, "bad"))).toBe(false);
  });
});

describe("MNIST's files", () => {
  it("are learned in the size they have, with the labels of the file beside them", async () => {
    const file = "train-images-idx3-ubyte.gz";
    const trained = await cli.run(
      "train",
      file,
      "--positive",
      "1",
      ...QUICK,
      "--layers",
      "4",
      "--out",
      "idx",
      "--json",
    );
    expect(trained.code, trained.stderr).toBe(0);
    const { positive, inputShape, metrics } = jsonOf(trained);
    expect([positive, inputShape]).toEqual(["1", [8, 8, 1]]);
    expect(metrics.test.prAuc).toBeGreaterThan(0.98);
  });
});

describe("NumPy's arrays", () => {
  it("of an NPZ file are learned in the size they have, and give the scores of the same pixels in IDX", async () => {
    const options = ["--positive", "1", ...QUICK, "--layers", "4", "--json", "--quiet"];
    const [npz, idx] = await Promise.all(
      ["digits.npz", "train-images-idx3-ubyte.gz"].map(async (file) => {
        const trained = await cli.run("train", file, ...options, "--out", `same-${file}`);
        expect(trained.code, trained.stderr).toBe(0);
        return jsonOf(trained);
      }),
    );
    expect([npz.target, npz.positive, npz.rows.file, npz.inputShape]).toEqual(["label", "1", 120, [8, 8, 1]]);
    expect(npz.metrics.test.prAuc).toBeGreaterThan(0.98);
    expect(npz.history.loss).toEqual(idx.history.loss);
    const evaluated = await cli.run("evaluate", "same-digits.npz", "digits.npz", "--device", "cpu", "--json");
    expect(jsonOf(evaluated).rows).toBe(120);
  });
});
