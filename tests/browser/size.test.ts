import { describe, expect, it } from "vitest";
import { measureSize } from "../../esbuild.config.mjs";

describe("the smallest browser application that trains", () => {
  it("is at most 60 KB gzipped, and pulls in no list of all ops and nothing of Node", async () => {
    const { bytes, largest } = await measureSize();
    expect(bytes).toBeLessThanOrEqual(60 * 1024);
    const used = largest.filter((part) => part.bytes > 0).map((part) => part.file);
    expect(used.filter((file) => /ops\/all|check\/|\/node|wgsl_reflect|registry/.test(file))).toEqual([]);
  });
});
