import { describe, it } from "vitest";
import { allOps } from "../../src/ops/all.ts";
import { checkGradient } from "../support/gradcheck.ts";

describe.each(allOps.filter((op) => op.grad && op.samples).map((op) => [op.name, op] as const))("%s", (_, op) => {
  it("has the gradient that central differences in f64 give, along a random direction", () => checkGradient(op));
});
