import { describe, expect, it } from "vitest";
import { changes } from "../../bench/compare.ts";
import { combine, markdown, merge, type PeerResult, type Results, spread } from "../../bench/results.ts";
import { workloads } from "../../bench/workloads.ts";

const peer = (ms: number, proofs: number[] = [0.7, 0.5]): PeerResult =>
  combine([{ about: {}, firstMs: 10, ms: [ms], proofs }]);

const results = (peers: Record<string, PeerResult>): Results => ({
  device: "test",
  repeats: 1,
  host: { node: "20", platform: "test", cpu: "test", cores: 1 },
  workloads: [{ name: "xor", peers, unavailable: {} }],
});

describe("benchmark results", () => {
  it("give the median, the minimum and the maximum", () => {
    expect(spread([4, 1, 3])).toEqual({ median: 3, min: 1, max: 4, samples: 3 });
    expect(spread([4, 1, 3, 2]).median).toBe(2.5);
  });

  it("divide every peer's time by that of tilegrad on WebGPU", () => {
    const table = markdown(results({ "tilegrad-cpu": peer(1), "tilegrad-webgpu": peer(2), other: peer(6) }), workloads);
    expect(table).toContain("time / tilegrad-webgpu");
    expect(table).toMatch(/\| other \|.* 3\.00x /);
  });

  it("mark work that is not equal, compared where both have been", () => {
    const ours = peer(1, [0.7, 0.5, 0.3]);
    const table = (proofs: number[]) => markdown(results({ "tilegrad-cpu": ours, other: peer(1, proofs) }), workloads);
    expect(table([0.7, 0.5, 0.3001])).not.toContain("| 0.300100 ≠");
    expect(table([0.7, 0.5, 0.31])).toContain("0.310000 ≠ 0.300000");
    expect(table([0.7, 0.5])).toContain("| 0.500000 (segment 2) |");
  });
});

describe("benchmark results that are merged", () => {
  it("keep the other workloads, in order, and replace whole ones", () => {
    const of = (name: string, peers: string[]) => ({
      name,
      peers: Object.fromEntries(peers.map((made) => [made, peer(1)])),
      unavailable: {},
    });
    const merged = merge(
      [of("cnn", ["a"]), of("tabular", ["a", "b"])],
      [of("tabular", ["a"]), of("xor", ["a"])],
      workloads,
    );
    expect(merged.map(({ name, peers }) => [name, ...Object.keys(peers)])).toEqual([
      ["xor", "a"],
      ["tabular", "a"],
      ["cnn", "a"],
    ]);
  });
});

describe("comparing two benchmark runs", () => {
  it("takes the machine's own drift out, by the other peers", () => {
    const before = results({ "tilegrad-cpu": peer(1), a: peer(10), b: peer(20) });
    const after = results({ "tilegrad-cpu": peer(4), a: peer(20), b: peer(40) });
    const [change] = changes(before, after);
    expect(change).toMatchObject({ workload: "xor", peer: "tilegrad-cpu", raw: 4 });
    expect(change.change).toBeCloseTo(2, 12);
  });

  it("leaves out what only one of the runs has", () => {
    expect(changes(results({ "tilegrad-cpu": peer(1) }), results({ other: peer(1) }))).toEqual([]);
  });
});
