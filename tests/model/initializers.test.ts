import { describe, expect, it } from "vitest";
import type { Initializer } from "../../src/model/initializers.ts";
import { checkInitializer, initialize } from "../../src/model/initializers.ts";
import { draws } from "../../src/random.ts";

const make = (initializer: Initializer, shape: readonly number[], stream = 0): Float32Array =>
  initialize(initializer, shape, draws(3, stream));

function moments(values: Float32Array): { mean: number; std: number; most: number } {
  const mean = values.reduce((t, v) => t + v, 0) / values.length;
  const std = Math.sqrt(values.reduce((t, v) => t + (v - mean) ** 2, 0) / values.length);
  return { mean, std, most: values.reduce((m, v) => Math.max(m, Math.abs(v)), 0) };
}

describe("initializers", () => {
  // A kernel [3, 3, 40, 60]: fan in 360, fan out 540; 21,600 draws.
  const shape = [3, 3, 40, 60];
  it.each<[Initializer, number, "uniform" | "normal"]>([
    ["glorotUniform", Math.sqrt(2 / 900), "uniform"],
    ["glorotNormal", Math.sqrt(2 / 900), "normal"],
    ["heUniform", Math.sqrt(2 / 360), "uniform"],
    ["heNormal", Math.sqrt(2 / 360), "normal"],
    ["lecunUniform", Math.sqrt(1 / 360), "uniform"],
    ["lecunNormal", Math.sqrt(1 / 360), "normal"],
    [{ normal: 0.3 }, 0.3, "normal"],
    [{ uniform: 0.3 }, 0.3 / Math.sqrt(3), "uniform"],
  ])("%j has mean 0 and the published standard deviation", (initializer, want, kind) => {
    const { mean, std, most } = moments(make(initializer, shape));
    // Four standard errors of 21,600 draws.
    expect(Math.abs(mean)).toBeLessThan((4 * want) / Math.sqrt(21_600));
    expect(Math.abs(std / want - 1)).toBeLessThan(4 / Math.sqrt(2 * 21_600));
    if (kind === "uniform") expect(most).toBeLessThanOrEqual(Math.fround(want * Math.sqrt(3)));
    else expect(most).toBeGreaterThan(3 * want);
  });

  it.each([
    [8, 8],
    [5, 9],
    [9, 5],
    [1, 4],
    [4, 1],
    [2, 3, 4],
  ])("orthogonal [%j ...]: rows or columns are orthonormal", (...shape) => {
    const values = make("orthogonal", shape);
    const columns = shape[shape.length - 1];
    const rows = values.length / columns;
    const wide = columns > rows;
    const at = (v: number, i: number): number => (wide ? values[v * columns + i] : values[i * columns + v]);
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        let dot = 0;
        for (let i = 0; i < length; i++) dot += at(a, i) * at(b, i);
        expect(dot).toBeCloseTo(a === b ? 1 : 0, 6);
      }
    }
  });

  it("constants and given values are exact", () => {
    expect(make("zeros", [2])).toEqual(new Float32Array(2));
    expect(make("ones", [2])).toEqual(Float32Array.of(1, 1));
    expect(make({ constant: -2.5 }, [2])).toEqual(Float32Array.of(-2.5, -2.5));
    expect(make({ values: [1, 2, 3, 4] }, [2, 2])).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it("are the same for one seed and stream, and differ between streams", () => {
    expect(make("heNormal", [9, 9])).toEqual(make("heNormal", [9, 9]));
    expect(make("heNormal", [9, 9])).not.toEqual(make("heNormal", [9, 9], 1));
  });

  it("refuse unknown names and values that do not fill the shape", () => {
    expect(() => checkInitializer("xavier" as "zeros")).toThrow(expect.objectContaining({ code: "E_ARGUMENT" }));
    expect(() => checkInitializer({ values: Float32Array.of(1) as never })).toThrow(
      expect.objectContaining({ code: "E_ARGUMENT", hint: expect.stringMatching(/Array\.from/) }),
    );
    expect(() => make({ values: [1] }, [2])).toThrow(expect.objectContaining({ code: "E_SHAPE" }));
  });
});
