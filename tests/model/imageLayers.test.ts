import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Layer } from "../../src/model/layer.ts";
import {
  conv1d,
  conv1dTranspose,
  conv2d,
  conv2dTranspose,
  depthwiseConv1d,
  depthwiseConv2d,
} from "../../src/model/layers/convolution.ts";
import {
  cropping1d,
  cropping2d,
  permute,
  upSampling1d,
  upSampling2d,
  zeroPadding1d,
  zeroPadding2d,
} from "../../src/model/layers/image.ts";
import { alphaDropout, gaussianNoise, spatialDropout } from "../../src/model/layers/noise.ts";
import { batchNormalization, groupNormalization, layerNormalization } from "../../src/model/layers/normalization.ts";
import {
  averagePooling1d,
  averagePooling2d,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  maxPooling1d,
  maxPooling2d,
} from "../../src/model/layers/pooling.ts";
import { sequential } from "../../src/model/model.ts";
import { modelFromJson } from "../../src/model/registry.ts";
import { counting, run, shapeThrough } from "./run.ts";

const device = openCpu();

function expectClose(got: readonly number[], want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(value, 5);
}

describe("shapes", () => {
  const image = [7, 6, 4];
  const cases: [string, Layer, readonly number[], readonly number[]][] = [
    ["conv2d valid", conv2d(5, 3), image, [5, 4, 5]],
    ["conv2d same, strides 2", conv2d(5, 3, { padding: "same", strides: 2 }), image, [4, 3, 5]],
    [
      "conv2d explicit padding",
      conv2d(5, [1, 3], {
        padding: [
          [0, 0],
          [2, 0],
        ],
      }),
      image,
      [7, 6, 5],
    ],
    ["conv2d dilated", conv2d({ filters: 2, kernelSize: 3, dilationRate: 2 }), image, [3, 2, 2]],
    ["conv2d grouped", conv2d(6, 1, { groups: 2 }), image, [7, 6, 6]],
    ["depthwiseConv2d", depthwiseConv2d(3, { depthMultiplier: 2 }), image, [5, 4, 8]],
    ["conv2dTranspose same", conv2dTranspose(3, 3, { strides: 2, padding: "same" }), image, [14, 12, 3]],
    ["conv2dTranspose valid", conv2dTranspose(3, 3, { strides: 2 }), image, [15, 13, 3]],
    ["conv2dTranspose valid, kernel below stride", conv2dTranspose(3, 1, { strides: 2 }), image, [14, 12, 3]],
    ["conv1d causal", conv1d(5, 3, { padding: "causal" }), [9, 2], [9, 5]],
    ["conv1d strides", conv1d(5, 3, { strides: 2 }), [9, 2], [4, 5]],
    ["depthwiseConv1d causal", depthwiseConv1d(3, { depthMultiplier: 2, padding: "causal" }), [9, 2], [9, 4]],
    ["conv1dTranspose same", conv1dTranspose(5, 3, { strides: 2, padding: "same" }), [9, 2], [18, 5]],
    ["conv1dTranspose valid", conv1dTranspose(5, 3, { strides: 2 }), [9, 2], [19, 5]],
    ["maxPooling2d", maxPooling2d(2), image, [3, 3, 4]],
    ["averagePooling2d same", averagePooling2d({ poolSize: 3, strides: 2, padding: "same" }), image, [4, 3, 4]],
    ["maxPooling1d", maxPooling1d(), [9, 2], [4, 2]],
    ["averagePooling1d same", averagePooling1d({ poolSize: 2, padding: "same" }), [9, 2], [5, 2]],
    ["globalMaxPooling2d", globalMaxPooling2d(), image, [4]],
    ["globalAveragePooling2d", globalAveragePooling2d(), image, [4]],
    ["globalMaxPooling1d", globalMaxPooling1d(), [9, 2], [2]],
    ["globalAveragePooling1d", globalAveragePooling1d(), [9, 2], [2]],
    ["upSampling2d", upSampling2d({ size: [2, 3] }), image, [14, 18, 4]],
    ["upSampling2d bilinear", upSampling2d({ interpolation: "bilinear" }), image, [14, 12, 4]],
    [
      "zeroPadding2d",
      zeroPadding2d([
        [1, 2],
        [0, 3],
      ]),
      image,
      [10, 9, 4],
    ],
    ["cropping2d", cropping2d([2, 1]), image, [3, 4, 4]],
    ["upSampling1d", upSampling1d(3), [5, 2], [15, 2]],
    ["zeroPadding1d", zeroPadding1d([1, 2]), [5, 2], [8, 2]],
    ["cropping1d", cropping1d(2), [5, 2], [1, 2]],
    ["permute", permute([3, 1, 2]), image, [4, 7, 6]],
    ["batchNormalization", batchNormalization(), image, image],
    ["layerNormalization", layerNormalization({ axis: [-2, -1] }), image, image],
    ["groupNormalization", groupNormalization(2), image, image],
    ["spatialDropout", spatialDropout(0.5), image, image],
    ["alphaDropout", alphaDropout(0.5), image, image],
    ["gaussianNoise", gaussianNoise(1), image, image],
  ];

  it.each(cases)("%s", (_, layer, shape, expected) => {
    expect(shapeThrough(layer, shape)).toEqual(expected);
  });

  it("are the same for a model made again from its JSON", () => {
    for (const [name, layer, shape] of cases) {
      const model = sequential({ input: shape }, [layer]);
      const again = modelFromJson(JSON.parse(JSON.stringify(model.architecture)));
      expect([again.outputShape, again.parameters], name).toEqual([model.outputShape, model.parameters]);
    }
  });

  it("are refused with what was got and expected", () => {
    expect(() => shapeThrough(conv2d(1, 3), [2, 2, 1])).toThrow(/conv2d.*\[1, 2, 2, 1\]/);
    expect(() => shapeThrough(conv2d(1, 3), [9])).toThrow("expected an image");
    expect(() => shapeThrough(conv2d(3, 3, { groups: 2 }), [5, 5, 4])).toThrow("2 groups must divide both");
    expect(() => conv2d(0, 3)).toThrow("positive integer");
    expect(() => conv2d(1, 0)).toThrow("kernelSize");
    expect(() => shapeThrough(conv2d(1, 3, { padding: "SAME" as "same" }), [5, 5, 1])).toThrow("padding");
    expect(() =>
      shapeThrough(
        maxPooling2d({
          poolSize: 2,
          padding: [
            [2, 0],
            [0, 0],
          ],
        }),
        [5, 5, 1],
      ),
    ).toThrow("for a window of 2 x 2");
    expect(() => shapeThrough(cropping2d(2), [4, 5, 1])).toThrow("leaves nothing");
    expect(() => shapeThrough(cropping1d([2, 1]), [3, 1])).toThrow("leaves nothing");
    expect(() => shapeThrough(upSampling1d(2), [4, 5, 1])).toThrow("expected a sequence");
    expect(() => zeroPadding1d(-1)).toThrow("got padding -1; expected integers >= 0");
    expect(() => permute([1, 1])).toThrow("once");
    expect(() => shapeThrough(layerNormalization({ axis: 1 }), [3, 4])).toThrow("trailing");
    expect(() => shapeThrough(groupNormalization(3), [4])).toThrow("divisor");
    expect(() => batchNormalization({ momentum: 2 })).toThrow("momentum");
    expect(() => spatialDropout(1)).toThrow("[0, 1)");
    expect(() => gaussianNoise(-1)).toThrow("stddev");
  });
});

describe("config", () => {
  it("holds what was said, so that the layer can be made again", () => {
    expect(conv2d(8, 3, { activation: "relu" }).config).toEqual({ filters: 8, kernelSize: 3, activation: "relu" });
    expect(maxPooling2d(2).config).toEqual({ poolSize: 2 });
    expect(maxPooling2d(2, { strides: 1 }).config).toEqual({ poolSize: 2, strides: 1 });
    expect(spatialDropout(0.5, { name: "drop" }).name).toBe("drop");
    expect(depthwiseConv2d([3, 1]).config).toEqual({ kernelSize: [3, 1] });
    expect(zeroPadding2d(1).config).toEqual({ padding: 1 });
    expect(permute([2, 1]).config).toEqual({ dims: [2, 1] });
  });
});

describe("parameters", () => {
  it("have Keras's shapes", () => {
    const { parameters } = sequential({ input: [8, 8, 4] }, [
      conv2d(6, [3, 2], { groups: 2 }),
      depthwiseConv2d(3, { depthMultiplier: 2, useBias: false }),
      batchNormalization(),
      conv2dTranspose(5, 2),
    ]);
    expect(parameters.map(({ name, shape, trainable }) => [name, shape, trainable])).toEqual([
      ["conv2d/kernel", [3, 2, 2, 6], true],
      ["conv2d/bias", [6], true],
      ["depthwiseConv2d/kernel", [3, 3, 6, 2], true],
      ["batchNormalization/gamma", [12], true],
      ["batchNormalization/beta", [12], true],
      ["batchNormalization/movingMean", [12], false],
      ["batchNormalization/movingVariance", [12], false],
      ["conv2dTranspose/kernel", [2, 2, 5, 12], true],
      ["conv2dTranspose/bias", [5], true],
    ]);
  });
});

describe("conv1d", () => {
  it("causal: no output sees a later input", async () => {
    const layer = conv1d(1, 3, { padding: "causal", dilationRate: 2 });
    const weights = { "conv1d/kernel": [1, 10, 100] };
    const { y } = await run([layer], [1, 2, 3, 4, 5, 6], [1, 6, 1], { device, weights });
    expect(y).toEqual([100, 200, 310, 420, 531, 642]);
  });
});

describe("conv2dTranspose", () => {
  it("puts each pixel's copy of the kernel where the stride says", async () => {
    const weights = { "conv2dTranspose/kernel": [1, 2, 3, 4] };
    const { y } = await run([conv2dTranspose(1, 2, { strides: 2 })], [1, 10], [1, 1, 2, 1], { device, weights });
    expect(y).toEqual([1, 2, 10, 20, 3, 4, 30, 40]);
  });
});

describe("one dimension", () => {
  it("repeats steps, puts zeros around them and cuts them off", async () => {
    const through = async (layer: Layer) => (await run([layer], [1, 2, 3, 4, 5, 6], [1, 3, 2], { device })).y;
    expect(await through(upSampling1d(2))).toEqual([1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6]);
    expect(await through(zeroPadding1d([0, 1]))).toEqual([1, 2, 3, 4, 5, 6, 0, 0]);
    expect(await through(cropping1d([1, 0]))).toEqual([3, 4, 5, 6]);
  });
});

describe("upSampling2d", () => {
  it("nearest repeats pixels, bilinear mixes them with the border held", async () => {
    const nearest = await run([upSampling2d([1, 2])], [0, 4], [1, 1, 2, 1], { device });
    const bilinear = await run([upSampling2d({ size: [1, 2], interpolation: "bilinear" })], [0, 4], [1, 1, 2, 1], {
      device,
    });
    expect(nearest.y).toEqual([0, 0, 4, 4]);
    expect(bilinear.y).toEqual([0, 1, 3, 4]);
  });
});

describe("rearranging", () => {
  it("pads, crops and permutes elements", async () => {
    const padded = await run(
      [
        zeroPadding2d([
          [0, 1],
          [1, 0],
        ]),
      ],
      [1, 2],
      [1, 1, 2, 1],
      { device },
    );
    expect(padded.y).toEqual([0, 1, 2, 0, 0, 0]);
    const cropped = await run(
      [
        cropping2d([
          [1, 0],
          [0, 2],
        ]),
      ],
      counting([1, 2, 3, 1]),
      [1, 2, 3, 1],
      { device },
    );
    expect(cropped.y).toEqual([3]);
    const permuted = await run([permute([2, 1])], counting([1, 2, 3]), [1, 2, 3], { device });
    expect(permuted.y).toEqual([0, 3, 1, 4, 2, 5]);
  });
});

describe("batchNormalization", () => {
  const x = [1, 10, 3, 30];
  const shape = [2, 2];

  it("uses the batch in training and moves the averages by Keras's momentum", async () => {
    const { y, weights } = await run([batchNormalization({ momentum: 0.9, epsilon: 0 })], x, shape, {
      device,
      training: true,
    });
    expectClose(y, [-1, -1, 1, 1]);
    expectClose(weights["batchNormalization/movingMean"], [0.2, 2]);
    expectClose(weights["batchNormalization/movingVariance"], [1, 10.9]);
  });

  it("uses the moving averages otherwise, and when frozen", async () => {
    const weights = { "batchNormalization/movingMean": [1, 10], "batchNormalization/movingVariance": [4, 100] };
    for (const [layer, training] of [
      [batchNormalization({ epsilon: 0 }), false],
      [batchNormalization({ epsilon: 0, trainable: false }), true],
    ] as const) {
      const result = await run([layer], x, shape, { device, training, weights });
      expect(result.y).toEqual([0, 0, 1, 2]);
      expect(result.weights["batchNormalization/movingMean"]).toEqual([1, 10]);
    }
  });
});

describe("groupNormalization", () => {
  it("with -1 groups normalises each channel of each image; with 1 all of it", async () => {
    const x = [0, 5, 2, 9];
    const each = await run([groupNormalization({ groups: -1, epsilon: 0 })], x, [1, 2, 1, 2], { device });
    expectClose(each.y, [-1, -1, 1, 1]);
    const all = await run([groupNormalization({ groups: 1, epsilon: 0 })], x, [1, 2, 1, 2], { device });
    expect(all.y.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 5);
  });
});

describe("noise", () => {
  const shape = [4, 10, 10, 8];
  const ones = new Float32Array(3200).fill(1);

  it.each([spatialDropout(0.3), alphaDropout(0.3), gaussianNoise(0.3)])(
    "is off outside training ($type)",
    async (layer) => {
      expect((await run([layer], ones, shape, { device })).y).toEqual(Array.from(ones));
    },
  );

  it("spatialDropout drops whole channels of an example", async () => {
    const { y } = await run([spatialDropout(0.5)], ones, shape, { device, training: true });
    const channels = Array.from(
      { length: 32 },
      (_, k) => new Set(Array.from({ length: 100 }, (_, p) => y[(Math.floor(k / 8) * 100 + p) * 8 + (k % 8)])),
    );
    expect(channels.every((values) => values.size === 1)).toBe(true);
    expect(new Set(channels.map(([...values]) => values[0]))).toEqual(new Set([0, 2]));
  });

  it("alphaDropout keeps mean 0 and variance 1, gaussianNoise adds its own", async () => {
    const normal = await run([gaussianNoise(1)], new Float32Array(3200), shape, { device, training: true });
    const dropped = await run([alphaDropout(0.2)], normal.y, shape, { device, training: true, step: 1 });
    for (const { y } of [normal, dropped]) {
      const mean = y.reduce((a, b) => a + b, 0) / y.length;
      // Four standard errors of 3200 draws.
      expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(3200));
      expect(Math.abs(y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length - 1)).toBeLessThan(0.15);
    }
  });

  it("differs from step to step and from layer to layer, and repeats by seed", async () => {
    const at = async (step: number) => (await run([gaussianNoise(1)], ones, shape, { device, training: true, step })).y;
    expect(await at(1)).toEqual(await at(1));
    expect(await at(1)).not.toEqual(await at(2));
  });
});
