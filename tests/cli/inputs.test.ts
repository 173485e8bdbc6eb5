/** Images and windows together with every other option: each works, or says what is wrong. */
import fs from "node:fs";
import path from "node:path";
import { encode as encodePng } from "fast-png";
import { beforeAll, describe, expect, it } from "vitest";
import { draws } from "../../src/random.ts";
import { jsonOf, useCli, wave } from "./support.ts";

const cli = useCli();
const IMAGE = ["pixels.csv", "--target", "half", "--positive", "left", "--image", "4x4"];
const WINDOW = ["wave.csv", "--target", "up(close)", "--window", "6"];
const CHEAP = ["--layers", "4", "--epochs", "2", "--refit", "never", "--device", "cpu", "--quiet", "--json"];

/** The wave with one cell replaced. */
const holed = (cell: number, by: string): string =>
  wave(120, 1)
    .split("\n")
    .map((line, i) => (i === 41 ? line.split(",").with(cell, by).join(",") : line))
    .join("\n");

const grey = (value: number): Uint8Array =>
  encodePng({ width: 4, height: 4, channels: 1, data: new Uint8Array(16).fill(value) });

beforeAll(() => {
  const draw = draws(5, 0);
  const rows = Array.from({ length: 80 }, (_, i) => {
    const left = i % 4 === 0;
    const cells = Array.from(
      { length: 16 },
      (_, at) => (at % 4 < 2 === left ? 120 : 80) + draw.integer(16 * i + at, 60),
    );
    return [...cells, left ? "left" : "right"].join(",");
  });
  cli.write(
    "pixels.csv",
    `${[...Array.from({ length: 16 }, (_, i) => `p${i}`), "half"].join(",")}\n${rows.join("\n")}\n`,
  );
  cli.write("wave.csv", wave(120, 1));
  cli.write("hole.csv", holed(2, ""));
  cli.write("unknown.csv", holed(1, ""));
  for (let i = 0; i < 12; i++) {
    cli.write(`one/left/${i}.png`, grey(i));
    cli.write(`three/${"abc"[i % 3]}/${i}.png`, grey(i));
    cli.write(`text/${i % 2}/${i}.png`, i === 6 ? "hello" : grey(i));
  }
  fs.mkdirSync(path.join(cli.folder, "nothing"));
});

describe.each([
  ["images", IMAGE],
  ["windows", WINDOW],
])("%s", (name, data) => {
  const train = (out: string, ...more: string[]) => cli.run("train", ...data, ...CHEAP, "--out", out, ...more);

  it("are resampled, and have a report with importance, of the rows that have a label", async () => {
    const more = ["--resample", "smote", "--importance", "--report", `${name}.html`];
    const trained = await train(`${name}-report`, ...more);
    expect(trained.code, trained.stdout).toBe(0);
    const { importance, data: described, resampled, rows, warnings } = jsonOf(trained);
    expect(resampled.rows).toBe(2 * resampled.positives);
    expect(importance.attribution.length).toBeGreaterThan(0);
    expect(described.rows).toBe(name === "images" ? 80 : rows.file - 6); // 5 rows end no window, the last has no label
    expect(warnings).toEqual([expect.stringMatching(/^few positives \(\d in the validation rows/)]);
    expect(cli.read(`${name}.html`)).toMatch(/^<!doctype html>/i);
  });

  it("resume from a checkpoint, to the same bits", async () => {
    const weights = (out: string) =>
      Object.keys(cli.files(out)).filter((file) => file.endsWith(".safetensors") && !file.includes("checkpoint"));
    const schedule = ["--no-baseline", "--checkpoint", "1"];
    await Promise.all([train(`${name}-whole`, ...schedule, "--epochs", "4"), train(`${name}-parts`, ...schedule)]);
    const resumed = await train(`${name}-parts`, ...schedule, "--epochs", "4", "--resume");
    expect(resumed.code, resumed.stdout).toBe(0);
    expect(weights(`${name}-parts`)).toEqual(weights(`${name}-whole`)); // named by their content
    expect(weights(`${name}-parts`)).toHaveLength(1);
  });

  it("go through cv, compare and tune", async () => {
    const [cv, compared, tuned] = await Promise.all([
      cli.run("cv", ...data, ...CHEAP, "--folds", "2"),
      cli.run("compare", ...data, ...CHEAP, "--folds", "2", "--loss", "bce,focal"),
      cli.run("tune", ...data, ...CHEAP, "--try", "learning-rate=0.01,0.02", "--out", `${name}-tune`),
    ]);
    expect([cv.code, compared.code, tuned.code]).toEqual([0, 0, 0]);
    expect(jsonOf(cv).folds).toHaveLength(2);
  });
});

describe("a window with a hole", () => {
  it.concurrent.each(["hole.csv", "unknown.csv"])("%s gives finite scores", async (file) => {
    const options = ["--target", "up(close)", "--window", "6", ...CHEAP, "--no-baseline"];
    const trained = await cli.run("train", file, ...options, "--out", file.slice(0, -4));
    expect(trained.code, trained.stdout).toBe(0);
    for (const loss of jsonOf(trained).history.loss) expect(Number.isFinite(loss)).toBe(true);
  });
});

describe("the column of up()", () => {
  it("need not be an input", async () => {
    const trained = await cli.run("train", ...WINDOW, ...CHEAP, "--exclude", "close", "--out", "volume");
    expect(trained.code, trained.stdout).toBe(0);
    expect(jsonOf(trained).inputShape).toEqual([6, 1]);
    const evaluated = await cli.run("evaluate", "volume", "wave.csv", "--device", "cpu", "--json");
    expect(evaluated.code, evaluated.stdout).toBe(0);
  });
});

describe("is refused with status 2, and nothing is written:", () => {
  const up = (...more: string[]) => ["wave.csv", "--target", "up(close)", ...more];
  const half = (...more: string[]) => ["pixels.csv", "--target", "half", ...more];
  it.concurrent.each<[string, string[], RegExp]>([
    ["an image without pixels", half("--image", "0x0"), /'0x0' is invalid.*HEIGHTxWIDTH/],
    ["an image of one side", half("--image", "4"), /'4' is invalid.*HEIGHTxWIDTH/],
    ["an image of other columns", half("--image", "5x5"), /got 16 columns .* expected 25/],
    ["a window of no rows", up("--window", "0"), /'0' is invalid/],
    [
      "a window longer than the file",
      up("--window", "121"),
      /got 120 rows; expected a window with a label of 121 rows/,
    ],
    ["a window as long as half of it", up("--window", "60"), /none is left to train on/],
    ["up() of the row itself", up("--window", "6", "--horizon", "0"), /horizon: got 0; expected .* >= 1/],
    ["a horizon beyond the file", up("--window", "6", "--horizon", "200"), /expected a window with a label/],
    ["images in time", up("--window", "6", "--image", "2x2"), /--image and --window: got both/],
    ["a network for other inputs", up("--window", "6", "--model", "cnn"), /--model cnn: got inputs of shape \[6,2\]/],
    ["a folder of one class", ["one", "--image", "4x4"], /one class only \("left" in all rows\)/],
    ["a folder of three classes", ["three", "--image", "4x4"], /got 3 labels: "a", "b", "c"/],
    ["a text called .png", ["text", "--image", "4x4"], /text\/0\/6\.png: got bytes that are neither PNG nor JPEG/],
    ["a folder without labels", ["text/0", "--image", "4x4"], /text\/0: got images without labels/],
    ["an empty folder", ["nothing", "--image", "4x4"], /nothing: got no PNG or JPEG file/],
    [
      "a size beyond any memory",
      ["one", "--image", "99999x99999"],
      /got 99999x99999x1 for 12 images; expected at most/,
    ],
  ])("%s", async (_, args, message) => {
    const ended = await cli.run("train", ...args, "--out", "refused", "--device", "cpu", "--json");
    expect([ended.code, fs.existsSync(path.join(cli.folder, "refused"))]).toEqual([2, false]);
    const { error } = jsonOf(ended);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(/\w+ \w+/);
  });
});
