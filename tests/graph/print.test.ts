import { expect, it } from "vitest";
import { print } from "../../src/graph/print.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { binaryCrossentropy, reduceLoss } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { input, state } from "../../src/ops/core/constant.ts";
import { mul, sub } from "../../src/ops/core/elementwise.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import { expand } from "../../src/passes/expand.ts";
import { simplify } from "../../src/passes/simplify.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";

it("gives the stable text of a small model's step, and of what simplify makes of it", () => {
  const model = sequential({ input: [3] }, [dense(2, { activation: "relu" }), dense(1)]);
  const states = new Map<string, ReturnType<typeof state>>();
  const output = model.trace(input("x", [4, 3]), {
    training: true,
    parameter: ({ name, shape }) => {
      const made = states.get(name) ?? state(name, shape);
      states.set(name, made);
      return made;
    },
  });
  const loss = reduceLoss(binaryCrossentropy(), output, input("y", [4]), null);
  const parameters = [...states.values()];
  const slopes = gradients(loss, parameters);
  const graph = {
    outputs: { loss },
    updates: parameters.map((p, i) => ({ state: p, value: sub(p, mul(slopes[i], 0.1)) })),
  };
  expect(print(graph)).toMatchSnapshot("as written");
  expect(print(simplify(expand(graph, LEAST_LIMITS)))).toMatchSnapshot("simplified");
});
