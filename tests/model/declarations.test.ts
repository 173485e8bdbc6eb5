import { describe, expect, it } from "vitest";
import * as core from "../../src/api/core.ts";
import * as resample from "../../src/api/resample.ts";
import { openCpu } from "../../src/cpu/device.ts";
import { TilegradError } from "../../src/errors.ts";
import type { Kind } from "../../src/kinds.ts";
import { applyAll, functional, input } from "../../src/model/functional.ts";
import type { Layer } from "../../src/model/layer.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { lstm } from "../../src/model/layers/recurrent.ts";
import { hinge } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import * as optimizers from "../../src/model/optimizers.ts";
import { layerMakers, lossFromJson, lossMakers, modelFromJson } from "../../src/model/registry.ts";
import * as schedules from "../../src/model/schedules.ts";
import type { Schema } from "../../src/options.ts";
import { resamplers } from "../../src/resample/methods.ts";

/** What is declared by `options`, of whatever kind. */
interface Declared {
  readonly options: () => Schema;
  (options: object): unknown;
}

const declaredOf = (all: object): [string, Declared][] =>
  Object.entries(all).filter((entry): entry is [string, Declared] => typeof entry[1].options === "function");

const data = { x: Float32Array.from({ length: 40 }, (_, i) => (i * 7) % 11), y: [0, 0, 0, 0, 0, 0, 0, 1, 1, 1] };
const ofResamplers = declaredOf(resamplers).map(([name, method]): [string, Declared] => {
  const given = (options: object) => Reflect.apply(method, undefined, [data, options]);
  return [name, Object.assign(given, { options: method.options })];
});

const layers = declaredOf(layerMakers());
const losses = declaredOf(lossMakers());
const ofOptimizers = declaredOf(optimizers);
const ofSchedules = declaredOf(schedules);
const all = [...layers, ...losses, ...ofOptimizers, ...ofSchedules, ...ofResamplers];

/** Where a value that its kind lets pass does not do: of `maker.option`, or of this option wherever it is. */
const VALUES: Readonly<Record<string, unknown>> = {
  "remat.layers": [dense(2)],
  "bidirectional.layer": lstm(2),
  "timeDistributed.layer": dense(2),
  "multiLoss.losses": [{ loss: hinge({ classWeight: { 0: 1, 1: 2 } }), weight: 2 }],
  "permute.dims": [1],
  "reshape.shape": [-1],
  "concatenate.axis": 1,
  "layerNormalization.axis": -1,
  "groupNormalization.groups": 2,
  "focal.alpha": null,
  "zeroPadding2d.padding": [1, 2],
  "zeroPadding1d.padding": [1, 2],
  cropping: [1, 0],
  padding: "same",
  classWeight: { 0: 1, 1: 2 },
  learningRate: 0.5,
  device: openCpu(),
  categoricalFeatures: [0],
  valueRange: [0, 2],
  scale: [0.1, 0.2],
  ratio: [0.5, 2],
};

const sample = (type: string, option: string, kind: Kind): unknown => {
  const known = [`${type}.${option}`, option].find((name) => Object.hasOwn(VALUES, name) && kind.holds(VALUES[name]));
  if (known) return VALUES[known];
  if (/factor$/i.test(option)) return 0.25;
  if (/Initializer$/.test(option)) return { constant: 0.5 };
  if (/Regularizer$/.test(option)) return { l2: 0.5 };
  return [...(kind.words ?? []).slice(-1), 2, 0.25, true, "word", [1]].find(kind.holds);
};

const needed = (type: string, schema: Schema): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(schema)
      // Its default is for more channels than here.
      .filter(([option, kind]) => kind.required || (type === "groupNormalization" && option === "groups"))
      .map(([option, kind]) => [option, sample(type, option, kind)]),
  );

async function thrown(work: () => unknown): Promise<TilegradError> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => expect.fail("nothing was thrown"),
      (caught: unknown) => caught,
    );
  expect(error).toBeInstanceOf(TilegradError);
  return error as TilegradError;
}

const SHAPES = [[6, 4], [4, 4, 4], [4, 4, 3], [8]];

/** A model of this layer, on whatever input it takes. */
function modelOf(layer: Layer): Model {
  const errors: unknown[] = [];
  for (const shape of SHAPES)
    for (const count of layer.merges ? [1, 2] : [1]) {
      try {
        const inputs = Array.from({ length: count }, () => input(shape));
        return functional({ inputs, outputs: applyAll(layer, ...inputs) });
      } catch (error) {
        errors.push(error);
      }
    }
  throw errors.find((e) => (e as TilegradError).code !== "E_SHAPE") ?? errors[0];
}

const saved = (value: unknown): never => JSON.parse(JSON.stringify(value)) as never;

it("all makers that are exported are found: layers and losses by src/model/registry.ts, resamplers by methods.ts", () => {
  const found = all.map(([name]) => name);
  const exported = [...declaredOf(core), ...declaredOf(resample)].map(([name]) => name);
  expect(exported.filter((name) => !found.includes(name))).toEqual([]);
  expect(found.filter((name) => !exported.includes(name))).toEqual([]);
});

describe.each(all)("%s", (type, make) => {
  const schema = make.options();
  const base = needed(type, schema);

  it("refuses options that there are not, with the one that was meant", async () => {
    for (const option of Object.keys(schema)) {
      const { code, message, hint } = await thrown(() => make({ ...base, [`${option}x`]: 1 }));
      expect([code, message, hint]).toEqual([
        "E_ARGUMENT",
        expect.stringContaining(`${type}: there is no option "${option}x"`),
        `Did you mean ${option}?`,
      ]);
    }
  });

  it("refuses what is left out that it needs", async () => {
    for (const option of Object.keys(base).filter((option) => schema[option].required)) {
      const { code, message } = await thrown(() => make({ ...base, [option]: undefined }));
      expect([code, message]).toEqual(["E_ARGUMENT", expect.stringContaining(`${type}: got ${option} undefined`)]);
    }
  });

  it("refuses a value of another kind by the option's name", async () => {
    for (const [option, kind] of Object.entries(schema)) {
      const wrong = ["nonsense", () => 0].find((value) => !kind.holds(value)) ?? (() => 0);
      const { code, message } = await thrown(() => {
        const made = make({ ...base, [option]: wrong });
        return layers.some(([name]) => name === type) ? modelOf(made as Layer) : made;
      });
      // What an initializer is is looked at where the parameter is made, which has a name of its own.
      const name = /initializer/i.exec(option)
        ? /initializer: got a function/
        : new RegExp(`${option}.*(got|:)|got ${option}`);
      expect([option, code, message]).toEqual([option, "E_ARGUMENT", expect.stringMatching(name)]);
    }
  });
});

/** What it needs alone, and with each of the other options. */
function variants(type: string, schema: Schema): object[] {
  const base = needed(type, schema);
  const others = Object.entries(schema).map(([option, kind]) => ({ ...base, [option]: sample(type, option, kind) }));
  return [base, ...others];
}

describe("from JSON comes again what was saved:", () => {
  it.each(layers)("%s", (type, make) => {
    for (const options of variants(type, make.options())) {
      const { architecture } = modelOf(make(options) as Layer);
      expect(saved(architecture)).toEqual(architecture);
      expect(modelFromJson(saved(architecture)).architecture, JSON.stringify(options)).toEqual(architecture);
    }
  });

  it("a loss without options, its config being null", () => {
    const type = "binaryCrossentropy";
    expect(lossFromJson({ type, config: null }).config).toEqual(lossFromJson({ type }).config);
  });

  it.each(losses)("%s", (type, make) => {
    for (const options of variants(type, make.options())) {
      const { config } = make(options) as { config: object };
      expect(lossFromJson(saved({ type, config })).config).toEqual(config);
    }
  });

  it.each([...ofOptimizers, ...ofSchedules])("%s", (type, make) => {
    for (const options of variants(type, make.options())) {
      if ("nesterov" in options) continue; // Needs momentum, too.
      const { config } = make(options) as { config: object };
      expect(Object.keys(config)).toEqual(expect.arrayContaining(Object.keys(options)));
      expect((make(saved(config)) as { config: object }).config).toEqual(config);
    }
  });
});
