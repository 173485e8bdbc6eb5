/** What runs away is harmless here: a decoder that sleeps, one that computes, and one that allocates. */
import { afterEach, expect, it } from "vitest";
import { Guarded } from "../../src/node/guarded.ts";
import { refusal } from "../support/refusal.ts";

const guarded = new Guarded(`
  const { parentPort } = require("node:worker_threads");
  const calls = {
    double: (x) => 2 * x,
    fail: () => { throw new Error("not mine"); },
    sleep: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000),
    compute: () => { for (const end = Date.now() + 60_000; Date.now() < end; ); },
    allocate: () => { const all = []; for (let i = 0; i < 512; i++) all.push(new Uint8Array(2 ** 20).fill(1)); calls.sleep(); },
    exit: () => process.exit(),
  };
  parentPort.on("message", ({ name, args }) => {
    try { parentPort.postMessage({ value: calls[name](...args) }); } catch (error) { parentPort.postMessage({ error }); }
  });
`);
afterEach(() => guarded.end());

const limits = { where: "a.file", seconds: 0.3, bytes: 2 ** 30 };
const call = (name: string, given = {}) => guarded.call(name, [21], { ...limits, ...given });

it("gives what a decoder gives, also to many at once, and throws what it throws", async () => {
  expect(await Promise.all([call("double"), call("double")])).toEqual([42, 42]);
  await expect(call("fail")).rejects.toThrow("not mine");
  expect(await call("double")).toBe(42);
});

it("ends a decoder that computes, waits or allocates beyond its limits, by name, and goes on with the next file", async () => {
  expect(await refusal(call("compute"))).toBe("a.file: decoding it took longer; expected at most 0.3 s.");
  expect(await refusal(call("sleep", { seconds: 0.03 }))).toBe(
    "a.file: decoding it took longer; expected at most 0.03 s.",
  );
  const small = { seconds: 20, bytes: 2 ** 27 };
  expect(await refusal(call("allocate", small))).toBe("a.file: decoding it took more memory; expected at most 135 MB.");
  await expect(call("exit")).rejects.toThrow("the decoder has ended");
  expect(await call("double")).toBe(42);
});

it("lets the caller stop it while it computes", async () => {
  const controller = new AbortController();
  const called = call("compute", { seconds: 60, signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await expect(called).rejects.toMatchObject({ code: "E_ABORTED" });
  await expect(call("double", { signal: controller.signal })).rejects.toMatchObject({ code: "E_ABORTED" });
});
