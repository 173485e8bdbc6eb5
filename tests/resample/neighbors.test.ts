import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { nearestNeighbors } from "../../src/resample/neighbors.ts";
import { openTestGpu } from "../devices.ts";
import { bruteForce, normalMatrix } from "./support.ts";

describe.each(["cpu", "webgpu"])("nearestNeighbors on %s", (backend) => {
  let device: Device;
  beforeAll(async () => {
    device = backend === "cpu" ? openCpu() : await openTestGpu();
  });
  afterAll(() => device.dispose());

  it("finds what brute force finds, nearest first", async () => {
    const [queries, candidates] = [normalMatrix(97, 7, 1), normalMatrix(1031, 7, 2)];
    const { indices, distances } = await nearestNeighbors(device, queries, candidates, 6);
    const want = bruteForce(queries, candidates, 6);
    expect(Array.from(indices)).toEqual(want.indices);
    want.distances.forEach((d, i) => void expect(Math.abs(distances[i] - d)).toBeLessThanOrEqual(1e-5 * d));
  });

  it("finds the same at any scale, however small the squares are", async () => {
    const rows = normalMatrix(203, 5, 4);
    const want = await nearestNeighbors(device, rows, rows, 5, { excludeSelf: true });
    for (const exponent of [-40, -66, -80, -120]) {
      const small = { ...rows, data: rows.data.map((v) => v * 2 ** exponent) };
      const { indices } = await nearestNeighbors(device, small, small, 5, { excludeSelf: true });
      expect(indices).toEqual(want.indices);
    }
  });

  it("gives the lower row among equal distances, whatever the tiles", async () => {
    const grid = normalMatrix(150, 2, 3);
    const rows = { ...grid, data: grid.data.map((v) => Math.round(v)) };
    const want = bruteForce(rows, rows, 9, { self: true });
    for (const tile of [undefined, { queries: 64, candidates: 32 }, { queries: 4, candidates: 150 }]) {
      const { indices, distances } = await nearestNeighbors(device, rows, rows, 9, { excludeSelf: true, tile });
      expect(Array.from(indices)).toEqual(want.indices);
      expect(Array.from(distances)).toEqual(want.distances);
    }
  });

  it("refuses a search that makes no sense, and answers one for nothing", async () => {
    const [few, many] = [normalMatrix(3, 2, 6), normalMatrix(5, 2, 7)];
    const options = [{ excludeSelf: true }, { excludeSelf: true, farthest: true }];
    await expect(nearestNeighbors(device, few, many, 1, options[0])).rejects.toThrow(
      /3 queries and 5 candidates; expected/,
    );
    await expect(nearestNeighbors(device, many, many, 1, options[1])).rejects.toThrow(/excludeSelf and farthest/);
    const none = { data: new Float32Array(0), rows: 0, columns: 2 };
    expect((await nearestNeighbors(device, none, many, 2)).indices).toHaveLength(0);
  });

  it("finds the farthest, farthest first", async () => {
    const [queries, candidates] = [normalMatrix(13, 3, 4), normalMatrix(201, 3, 5)];
    const { indices } = await nearestNeighbors(device, queries, candidates, 3, {
      farthest: true,
      tile: { queries: 8, candidates: 64 },
    });
    const all = bruteForce(queries, candidates, 201).indices;
    const want = Array.from({ length: 13 }, (_, i) => all.slice(i * 201 + 198, (i + 1) * 201).reverse()).flat();
    expect(Array.from(indices)).toEqual(want);
  });

  it("frees all it took", async () => {
    const before = device.memory().bytes;
    await nearestNeighbors(device, normalMatrix(5, 2, 6), normalMatrix(5, 2, 7), 2);
    expect(device.memory().bytes).toBe(before);
  });

  it("says what is wrong with k, columns and values", async () => {
    const rows = normalMatrix(5, 2, 8);
    await expect(nearestNeighbors(device, rows, rows, 5, { excludeSelf: true })).rejects.toThrow(
      "nearestNeighbors: got k 5; expected a whole number from 1 to 4.",
    );
    await expect(nearestNeighbors(device, rows, normalMatrix(5, 3, 8), 1)).rejects.toThrow(
      /2 columns, the candidates 3/,
    );
    const huge = { ...rows, data: rows.data.map((v) => v * 1e20) };
    await expect(nearestNeighbors(device, huge, huge, 2, { excludeSelf: true })).rejects.toThrow(/beyond float32/);
  });
});
