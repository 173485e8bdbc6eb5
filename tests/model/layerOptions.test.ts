import { describe, expect, it } from "vitest";
import { TilegradError } from "../../src/errors.ts";
import { layer } from "../../src/model/layer.ts";
import { conv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { gru } from "../../src/model/layers/recurrent.ts";
import * as wrappers from "../../src/model/layers/wrappers.ts";
import * as losses from "../../src/model/losses.ts";
import { multiLoss } from "../../src/model/multiLoss.ts";
import * as optimizers from "../../src/model/optimizers.ts";
import { layerMakers } from "../../src/model/registry.ts";
import * as schedules from "../../src/model/schedules.ts";
import * as callbacks from "../../src/train/callbacks.ts";

/** As plain JavaScript passes them, where no compiler looks. */
// biome-ignore lint/suspicious/noExplicitAny: the point of the test
const untyped = (options: Record<string, unknown>): any => options;

describe("a misspelt option", () => {
  it.each<[string, () => unknown, RegExp, RegExp]>([
    [
      "of a dense layer",
      () => dense(2, untyped({ usebias: false })),
      /^dense: there is no option "usebias"/,
      /useBias/,
    ],
    [
      "of a convolution",
      () => conv2d(untyped({ filters: 2, kernelSize: 3, stride: 2 })),
      /^conv2d: there is no option "stride"/,
      /strides/,
    ],
    [
      "of a layer inside another",
      () => wrappers.bidirectional(gru(2, untyped({ returnSequence: true }))),
      /^gru: there is no option "returnSequence"/,
      /returnSequences/,
    ],
  ])("%s is refused when the layer is made, so that what is saved can be loaded", (_, make, message, hint) => {
    const error = (() => {
      try {
        make();
      } catch (thrown) {
        return thrown as TilegradError;
      }
      return expect.fail("nothing was thrown");
    })();
    expect(error).toBeInstanceOf(TilegradError);
    expect([error.code, error.message, error.hint]).toEqual([
      "E_ARGUMENT",
      expect.stringMatching(message),
      expect.stringMatching(hint),
    ]);
  });

  it("is nothing that a custom layer can have; an option that is undefined is none", () => {
    expect(layer("mine", untyped({ anything: 1 }), (x) => x).config).toEqual({ anything: 1 });
    expect(dense(2, untyped({ usebias: undefined })).config).toEqual({ units: 2 });
  });
});

describe("nonsense", () => {
  const { reduceLoss: _, trainingLoss: _______, ...lossMakers } = losses;
  const { clipGradients: __, gradientLimitOf: ________, ...optimizerMakers } = optimizers;
  const { toSchedule: ____, learningRateKind: ______, ...scheduleMakers } = schedules;
  const { checkCallbacks: _____, ...callbackMakers } = callbacks;
  const makers: Readonly<Record<string, (...given: never[]) => unknown>> = {
    ...layerMakers(),
    ...wrappers,
    ...lossMakers,
    multiLoss,
    ...optimizerMakers,
    ...scheduleMakers,
    ...callbackMakers,
  };
  const values = [undefined, null, Number.NaN, Infinity, -1, 0, 1.5, "x", [], [null], {}, { nonsense: 1 }, () => 0, 1n];
  const calls = [[], ...values.map((a) => [a]), ...values.flatMap((a) => values.map((b) => [a, b]))];

  it.each(Object.entries(makers))("given to %s is a typed error, or is no nonsense there", (_, make) => {
    for (const given of calls) {
      try {
        make(...(given as never[]));
      } catch (error) {
        expect(
          error,
          JSON.stringify(given, (_, v) => (typeof v === "object" ? v : String(v))),
        ).toBeInstanceOf(TilegradError);
      }
    }
    for (const wrong of [null, "nonsense", { nonsense: 1 }])
      expect(() => make(wrong as never), String(wrong)).toThrow(expect.objectContaining({ code: "E_ARGUMENT" }));
  });

  it.each([
    ["dense()", () => dense(untyped({})), /^dense: got units undefined; expected a positive integer\.$/],
    [
      "a null of options",
      () => optimizers.adam(untyped(null as never)),
      /^adam: got null; expected an object of options/,
    ],
    [
      "options twice",
      () => dense(untyped({ units: 1 }), { useBias: false }),
      /^dense: got \{ useBias: false \} after all/,
    ],
    ["NaN", () => optimizers.adam({ epsilon: Number.NaN }), /^adam: got epsilon NaN; expected a finite number of at/],
    ["a rate below 0", () => schedules.linearDecay(1, -1), /^linearDecay: got end -1; expected a finite number of at/],
    ["a text for a rate", () => losses.focal({ alpha: "0.5" as never }), /^focal: got alpha "0.5"; expected \[0, 1\]/],
    [
      "a patience below 0",
      () => callbacks.earlyStopping({ patience: -1 }),
      /^earlyStopping: got patience -1; expected/,
    ],
    [
      "weights of no class",
      () => losses.hinge({ classWeight: { yes: 2 } as never }),
      /^hinge: got classWeight of "yes"/,
    ],
  ])("%s is told with what was expected", (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: "E_ARGUMENT", message: expect.stringMatching(message) }));
  });
});
