import { describe, expect, it } from "vitest";
import { measureSize, SIZE_GOAL_KB } from "../../esbuild.config.mjs";

describe("the smallest browser application that trains", () => {
  it(`is at most ${SIZE_GOAL_KB} KB gzipped, and pulls in no list of all ops and nothing of Node`, async () => {
    const { bytes, largest } = await measureSize();
    expect(bytes).toBeLessThanOrEqual(SIZE_GOAL_KB * 1024);
    const used = largest.filter((part) => part.bytes > 0).map((part) => part.file);
    expect(used.filter((file) => /ops\/all|check\/|\/node|wgsl_reflect|registry/.test(file))).toEqual([]);
  });
});
