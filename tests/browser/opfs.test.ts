import { buildSync } from "esbuild";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repository } from "../support/program.ts";
import { launchChromium } from "./chromium.ts";
import { type Server, serve } from "./serve.ts";

/** What the page gets as `globalThis.io`. */
type Io = typeof import("../../src/browser/opfs.ts") &
  typeof import("../../src/io/blobs.ts") &
  typeof import("../../src/io/model.ts");
declare const io: Io;

function bundleIo(): string {
  const contents = ["browser/opfs", "io/blobs", "io/model"]
    .map((file) => `export * from "./src/${file}.ts";`)
    .join("\n");
  const stdin = { contents, resolveDir: repository };
  const built = buildSync({ stdin, bundle: true, format: "iife", globalName: "io", write: false, logLevel: "error" });
  return built.outputFiles[0].text;
}

/** Saves ever newer models into `folder`, counting in `globalThis.rounds`, until the page is closed. */
async function saveLoop(folder: string, from: number): Promise<void> {
  for (let round = from; ; round++) {
    const data = new Float32Array(16_384).fill(round);
    const weights = { w: { dtype: "f32", shape: [data.length], data } } as const;
    await io.writeOpfs(folder, io.encodeModel({ architecture: { round }, weights }));
    (globalThis as { rounds?: number }).rounds = round;
  }
}

/** The round a folder holds, in the architecture and in every weight. */
async function load(folder: string): Promise<{ round: unknown; values: number[] }> {
  const { architecture, weights } = io.decodeModel(await io.readOpfs(folder, "model.json"), folder);
  return { round: (architecture as { round: number }).round, values: [...new Set(weights.w.data)] };
}

describe("the browser's storage", () => {
  let browser: Browser;
  let server: Server;
  beforeAll(async () => {
    const body = `<!doctype html><script>${bundleIo()}</script>`;
    server = await serve({ "/": { type: "text/html", body } });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  async function open(): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(server.url);
    return page;
  }

  it("keeps a model, the last one saved, and nothing else", async () => {
    const page = await open();
    const got = await page.evaluate(async () => {
      const save = (value: number) => {
        const weights = { w: { dtype: "f32", shape: [1], data: Float32Array.of(value) } } as const;
        const files = io.encodeModel({ architecture: { value }, weights });
        return io.writeOpfs("runs/first", files).then(() => files);
      };
      await save(1);
      const saved = await save(2);
      const read = await io.readOpfs("runs/first", "model.json");
      const model = io.decodeModel(read, "runs/first");
      const runs = await (await navigator.storage.getDirectory()).getDirectoryHandle("runs");
      const names: string[] = [];
      for await (const name of (await runs.getDirectoryHandle("first")).keys()) names.push(name);
      return { architecture: model.architecture, names: names.sort(), expected: Object.keys(saved).sort() };
    });
    expect(got.architecture).toEqual({ value: 2 });
    expect(got.names).toEqual(got.expected);
  });

  it("holds a whole model, old or new, after each of 12 tabs closed at random moments of saving", async () => {
    let last = 0;
    for (let kill = 0; kill < 12; kill++) {
      const page = await open();
      page.evaluate(saveLoop, "loop", last + 1).catch(() => undefined);
      await page.waitForFunction((from) => ((globalThis as { rounds?: number }).rounds ?? 0) > from, {}, last);
      await new Promise((wake) => setTimeout(wake, Math.random() * 30));
      await page.close();
      const next = await open();
      const { round, values } = await next.evaluate(load, "loop");
      expect(values).toEqual([round]);
      expect(round).toBeGreaterThan(last);
      last = round as number;
      await next.close();
    }
    const page = await open();
    const names = await page.evaluate(async () => {
      await io.writeOpfs("loop", io.encodeModel({ architecture: null, weights: {} }));
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("loop");
      const found: string[] = [];
      for await (const name of folder.keys()) found.push(name);
      return found;
    });
    // What the closed tabs left is gone.
    expect(names).toHaveLength(2);
  });

  it("says what is missing", async () => {
    const page = await open();
    const messages = await page.evaluate(async () => {
      const message = (promise: Promise<unknown>) =>
        promise.then(
          () => "",
          (error: Error & { code: string }) => `${error.code} ${error.message}`,
        );
      await io.writeOpfs("a", { "b.json": new Uint8Array(1) });
      await io.writeOpfs("other", { "model.json": new TextEncoder().encode('{"format":"layers-model"}') });
      return [
        await message(io.readOpfs("none", "model.json")),
        await message(io.writeOpfs("a/b.json", {})),
        await message(io.writeOpfs("other", io.encodeModel({ architecture: null, weights: {} }))),
      ];
    });
    expect(messages[0]).toBe("E_FILE none: cannot read it in the browser's storage (NotFoundError).");
    expect(messages[1]).toBe("E_FILE a/b.json: cannot write it in the browser's storage (TypeMismatchError).");
    expect(messages[2]).toContain('E_FILE other/model.json: format: got "layers-model"; expected "tilegrad-model"');
  });

  it("gives Blobs to download", async () => {
    const page = await open();
    const blobs = await page.evaluate(async () => {
      const made = io.toBlobs({ "w.safetensors": Uint8Array.of(1, 2), "model.json": Uint8Array.of(123) });
      const list = Object.entries(made).map(async ([name, blob]) => [name, blob.type, blob.size, await blob.text()]);
      return Promise.all(list);
    });
    expect(blobs).toEqual([
      ["w.safetensors", "application/octet-stream", 2, "\u0001\u0002"],
      ["model.json", "application/json", 1, "{"],
    ]);
  });
});
