import { describe, expect, it } from "vitest";
import { compileGraph } from "../../src/compile.ts";
import type { Graph, Tensor } from "../../src/graph/types.ts";
import { verify } from "../../src/graph/verify.ts";
import { constant, input, state } from "../../src/ops/core/constant.ts";
import { add, mul } from "../../src/ops/core/elementwise.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";

const x = input("x", [3]);
const s = state("s", [3]);
const graph = (outputs: Graph["outputs"], updates: Graph["updates"] = []): Graph => ({ outputs, updates });

describe("verify", () => {
  it("gives back a graph that is well formed", () => {
    const good = graph({ y: add(x, s) }, [{ state: s, value: mul(x, 2) }]);
    expect(verify(good, "test")).toBe(good);
  });

  it.each<[string, Graph, RegExp]>([
    [
      "a shape that its rule does not give",
      graph({ y: retyped(add(x, s), [4]) }),
      /add claims f32\[4\] but its rule gives f32\[3\]/,
    ],
    ["an input whose type is not what its node makes", graph({ y: stale(add(x, s)) }), /add has a stale input/],
    ["two states of one name", graph({ y: add(s, state("s", [3])) }), /two inputs or states are called "s"/],
    ["an input called as a state", graph({ y: add(s, input("s", [3])) }), /two inputs or states are called "s"/],
    ["an update of what is no state", graph({}, [{ state: x, value: s }]), /writes to input/],
    [
      "two updates of one state",
      graph({}, [
        { state: s, value: x },
        { state: s, value: add(x, x) },
      ]),
      /"s" is updated twice/,
    ],
    [
      "an update of another shape",
      graph({}, [{ state: s, value: constant(0, [2]) }]),
      /"s" is f32\[3\] but its update f32\[2\]/,
    ],
  ])("throws E_INTERNAL for %s", (_, bad, message) => {
    expect(() => verify(bad, "here")).toThrow(
      expect.objectContaining({ code: "E_INTERNAL", message: expect.stringMatching(message) }),
    );
    expect(() => verify(bad, "here")).toThrow(/^here: /);
  });

  it("runs on what the caller gives to compile", () => {
    expect(() => compileGraph(graph({}, [{ state: x, value: s }]), LEAST_LIMITS)).toThrow(/writes to input/);
  });
});

function retyped(t: Tensor, shape: readonly number[]): Tensor {
  const node = { ...t.node, outputs: [{ dtype: t.dtype, shape }] };
  return { ...t, node, shape };
}

function stale({ node, ...t }: Tensor): Tensor {
  const inputs = node.inputs.map((i) => ({ ...i, shape: [3], dtype: "f32" as const }));
  return { ...t, node: { ...node, inputs: [{ ...inputs[0], index: 1 }, inputs[1]] } };
}
