import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { draws } from "../../src/random.ts";
import type { Ended } from "../support/program.ts";
import { jsonOf, useCli, wave } from "./support.ts";

const cli = useCli();
const SIDE = 6;

/** Images of one bright line, upright in a quarter of them, at any place, with noise. */
function lines(rows: number, seed: number): string {
  const draw = draws(seed, 0);
  const names = Array.from({ length: SIDE * SIDE }, (_, i) => `p${i}`);
  const text = Array.from({ length: rows }, (_, row) => {
    const at = row * 64;
    const [upright, place] = [draw.integer(at, 4) === 0, draw.integer(at + 1, SIDE)];
    const pixels = names.map((_, i) => {
      const bright = place === (upright ? i % SIDE : Math.floor(i / SIDE));
      return ((bright ? 200 : 40) + 20 * draw.normal(at + 2 + i)).toFixed(0);
    });
    return [...pixels, upright ? "upright" : "flat"].join(",");
  });
  return `${[...names, "line"].join(",")}\n${text.join("\n")}\n`;
}

const LINES = ["--target", "line", "--positive", "upright", "--image", `${SIDE}x${SIDE}`];
const QUICK = ["--epochs", "12", "--learning-rate", "0.01", "--refit", "never", "--device", "cpu"];
const train = (...args: string[]): Promise<Ended> =>
  cli.run("train", "lines.csv", ...LINES, ...QUICK, ...args, "--json");

const file = {
  type: "sequential",
  input: [SIDE, SIDE, 1],
  layers: [{ type: "flatten" }, { type: "dense", config: { units: 1 } }],
};

let trained: Ended;
beforeAll(async () => {
  cli.write("lines.csv", lines(240, 1));
  cli.write("more.csv", lines(80, 2));
  cli.write("unlabelled.csv", lines(20, 3).replace(/,[a-z]+$/gm, ""));
  cli.write("file.json", JSON.stringify(file));
  trained = await train("--out", "model", "--layers", "4,8");
}, 60_000);

describe("images in a table", () => {
  it("are learned by a small convolutional network, whose layers are shown and in the JSON", () => {
    expect(trained.code, trained.stderr).toBe(0);
    const result = jsonOf(trained);
    expect(result.inputShape).toEqual([SIDE, SIDE, 1]);
    expect(result.network.model).toBe("cnn");
    const shapes = result.network.layers.map((l: { type: string; outputShape: number[] }) => [
      l.type,
      l.outputShape.join("x"),
    ]);
    expect(shapes).toEqual([
      ["conv2d", "6x6x4"],
      ["maxPooling2d", "3x3x4"],
      ["conv2d", "3x3x8"],
      ["flatten", "72"],
      ["dense", "64"],
      ["dropout", "64"],
      ["dense", "1"],
    ]);
    expect(trained.stderr).toMatch(/Inputs +images of 6 x 6 x 1 from 36 columns/);
    expect(trained.stderr).toMatch(/conv2d_1 \(conv2d\) +\[3, 3, 8\]/);
    expect(result.metrics.test.prAuc).toBeGreaterThan(0.95);
  });

  it("are scaled by one mean and deviation of all training pixels", () => {
    const { image, features } = JSON.parse(cli.read("model/model.json")).preprocessing;
    expect(image).toEqual([SIDE, SIDE, 1]);
    expect(new Set(features.map((f: { mean: number; std: number }) => `${f.mean} ${f.std}`)).size).toBe(1);
    expect(features[0].mean).toBeCloseTo(40 + 160 / SIDE, -1);
  });

  it("are evaluated and predicted from the saved folder", async () => {
    const evaluated = await cli.run("evaluate", "model", "more.csv", "--device", "cpu", "--json");
    expect(jsonOf(evaluated).metrics.test.prAuc).toBeGreaterThan(0.95);
    const predicted = await cli.run("predict", "model", "unlabelled.csv", "--device", "cpu", "--quiet");
    expect(predicted.stdout.split("\n")[0]).toBe("row,score,prediction");
    expect(predicted.stdout.trim().split("\n")).toHaveLength(21);
    const inspected = await cli.run("inspect", "model", "--device", "cpu");
    expect(inspected.stdout).toContain("conv2d");
    const planned = await cli.run("inspect", "lines.csv", ...LINES, "--device", "cpu");
    expect(planned.stdout).toContain("[6, 6, 16]");
  });

  it("can be learned without convolutions", async () => {
    const result = jsonOf(await train("--out", "mlp", "--model", "mlp", "--layers", "8"));
    expect(result.network.layers.map((l: { type: string }) => l.type)).toEqual(["flatten", "dense", "dense"]);
    expect(result.network.layers[1].parameters).toBe(SIDE * SIDE * 8 + 8);
  });
});

describe("--model FILE.json", () => {
  it("takes an architecture, or the one of a saved model", async () => {
    const own = jsonOf(await train("--out", "own", "--model", "file.json"));
    expect(own.network).toMatchObject({ model: "file.json", architecture: file });
    expect(own.parameters).toBe(SIDE * SIDE + 1);
    const again = jsonOf(await train("--out", "again", "--model", "model/model.json"));
    const { history, network, settings } = jsonOf(trained);
    expect(settings.model).toBe("cnn");
    expect(again.network.architecture).toEqual(network.architecture);
    expect(again.history).toEqual(history);
  });

  const bad: [string, unknown, string, RegExp][] = [
    ["that is no JSON", "{", "E_FILE", /bad\.json: got text that is not UTF-8 JSON/],
    ["that is no architecture", { layers: [] }, "E_FILE", /bad\.json: architecture: expected/],
    [
      "with an unknown layer",
      { ...file, layers: [{ type: "dens" }] },
      "E_FILE",
      /bad\.json: architecture\.layers\[0\]: got type "dens"/,
    ],
    [
      "with a layer of wrong options",
      { ...file, layers: [{ type: "dense", config: { units: "8" } }] },
      "E_FILE",
      /bad\.json: dense: got units "8"/,
    ],
    [
      "with an unknown activation",
      { ...file, layers: [{ type: "dense", config: { units: 1, activation: "rel" } }] },
      "E_FILE",
      /bad\.json: .*rel/,
    ],
    [
      "with a misspelt option",
      { ...file, layers: [{ type: "flatten" }, { type: "dense", config: { units: 1, usebias: false } }] },
      "E_FILE",
      /bad\.json: dense: there is no option "usebias"; expected any of units, activation, useBias,/,
    ],
    [
      "with a misspelt option inside a wrapper",
      {
        ...file,
        layers: [{ type: "bidirectional", config: { layer: { type: "gru", config: { units: 1, unit: 2 } } } }],
      },
      "E_FILE",
      /bad\.json: gru: there is no option "unit"/,
    ],
    ["with a broken shape", { ...file, input: ["a"] }, "E_FILE", /bad\.json: .*got input/],
    [
      "for other inputs",
      { ...file, input: [5, 5, 1] },
      "E_SHAPE",
      /bad\.json: the model maps \[5, 5, 1\] to \[1\]; expected \[6, 6, 1\] to \[1\]/,
    ],
    [
      "with two outputs",
      { ...file, layers: [{ type: "flatten" }, { type: "dense", config: { units: 2 } }] },
      "E_SHAPE",
      /to \[2\]; expected \[6, 6, 1\] to \[1\]/,
    ],
  ];
  it.each(bad)("refuses a file %s", async (_, content, code, message) => {
    cli.write("bad.json", typeof content === "string" ? content : JSON.stringify(content));
    const ended = await train("--out", "bad", "--model", "bad.json");
    expect(ended.code).toBe(2);
    expect(jsonOf(ended).error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(fs.existsSync(path.join(cli.folder, "bad"))).toBe(false);
  });

  const wrong: [string, string[], RegExp][] = [
    ["options of presets beside a file", ["--model", "file.json", "--layers", "8"], /--layers: a model from a file/],
    ["a name that is neither", ["--model", "resnet"], /--model: got "resnet"; expected mlp, cnn, lstm or a file\.json/],
    [
      "a preset for other inputs",
      ["--model", "lstm"],
      /--model lstm: got inputs of shape \[6,6,1\]; expected sequences/,
    ],
    [
      "an image of another size",
      ["--image", "5x5"],
      /got 36 columns besides the target; expected 25 for an image of 5x5x1/,
    ],
    ["a size that is none", ["--image", "5"], /'5' is invalid.*HEIGHTxWIDTH/],
  ];
  it.each(wrong)("refuses %s", async (_, args, message) => {
    const ended = await train("--out", "bad", ...args);
    expect(ended.code).toBe(2);
    expect(jsonOf(ended).error.message).toMatch(message);
  });
});

describe("windows of a time series", () => {
  const options = ["--window", "8", "--horizon", "1", "--target", "up(close)", "--id", "day", "--device", "cpu"];
  const fit = ["--epochs", "15", "--learning-rate", "0.02", "--refit", "never", "--layers", "8"];
  let learned: Ended;
  beforeAll(async () => {
    cli.write("wave.csv", wave(400, 1));
    cli.write("later.csv", wave(60, 2));
    learned = await cli.run("train", "wave.csv", ...options, ...fit, "--out", "waves", "--json");
  }, 60_000);

  it("are learned by an LSTM, which knows up from down later", () => {
    expect(learned.code, learned.stderr).toBe(0);
    const { rows, inputShape, network, positive, metrics } = jsonOf(learned);
    expect([inputShape, network.layers.map((l: { type: string }) => l.type), positive]).toEqual([
      [8, 2],
      ["lstm", "dense"],
      "up",
    ]);
    // 392 windows with a label, of which 2 x 8 lie between the parts, and 8 rows that end none.
    expect(rows).toEqual({ file: 400, train: 237, validation: 61, test: 78, unused: 24 });
    expect(metrics.test.rocAuc).toBeGreaterThan(0.95);
    expect(learned.stderr).toMatch(
      /Inputs +8 rows of 2 from 2 columns; levels that move, .*: close; dropped: day \(id\)/,
    );
  });

  it("are evaluated where they have a label, predicted everywhere, and named by their last row", async () => {
    const evaluated = jsonOf(await cli.run("evaluate", "waves", "later.csv", "--device", "cpu", "--json"));
    expect(evaluated.rows).toBe(60 - 7 - 1);
    expect(evaluated.metrics.test.rocAuc).toBeGreaterThan(0.95);
    const predicted = await cli.run("predict", "waves", "later.csv", "--device", "cpu", "--quiet");
    const lines = predicted.stdout.trim().split("\n");
    expect([lines[0], lines[1].split(",")[0], lines.at(-1)?.split(",")[0], lines.length]).toEqual([
      "day,score,prediction",
      "day7",
      "day59",
      54,
    ]);
  });

  it("can be learned by dense layers, and looked at", async () => {
    const flat = jsonOf(
      await cli.run("train", "wave.csv", ...options, ...fit, "--model", "mlp", "--out", "flat", "--json"),
    );
    expect(flat.network.layers[1].parameters).toBe(16 * 8 + 8);
    expect(flat.metrics.test.rocAuc).toBeGreaterThan(0.9);
    const planned = await cli.run("inspect", "wave.csv", ...options.filter((o) => o !== "--id" && o !== "day"));
    expect(planned.stdout).toContain("lstm (lstm)");
  });

  const wrong: [string, string[], RegExp][] = [
    ["a horizon without a window", ["--target", "close", "--horizon", "2"], /--horizon: there is no --window/],
    ["up() without a window", ["--target", "up(close)"], /--target up\(close\): needs --window/],
    ["a series that is too short", ["--target", "up(close)", "--window", "500"], /400 rows; expected a window/],
    [
      "images of windows",
      ["--target", "up(close)", "--window", "8", "--image", "2x4"],
      /--image and --window: got both/,
    ],
    ["row lists", ["--target", "up(close)", "--window", "8", "--splits", "s#s"], /--splits and --window: got both/],
  ];
  it.each(wrong)("refuses %s", async (_, args, message) => {
    const ended = await cli.run("train", "wave.csv", ...args, "--out", "bad", "--device", "cpu", "--json");
    expect(ended.code).toBe(2);
    expect(jsonOf(ended).error.message).toMatch(message);
  });
});
