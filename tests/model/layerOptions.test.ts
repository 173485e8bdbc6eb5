import { describe, expect, it } from "vitest";
import { TilegradError } from "../../src/errors.ts";
import { layer } from "../../src/model/layer.ts";
import { conv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { gru } from "../../src/model/layers/recurrent.ts";
import { bidirectional } from "../../src/model/layers/wrappers.ts";

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
      () => bidirectional(gru(2, untyped({ returnSequence: true }))),
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
