import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import path from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildDemo } from "../../esbuild.config.mjs";
import { repository } from "../support/program.ts";
import { launchChromium } from "./chromium.ts";
import { crashGpu, openPage } from "./page.ts";

/** Starts the demo's own server on a free port; gives what it printed and how to end it. */
async function startServer(): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [path.join(repository, "demo", "serve.mjs"), "--port", "0"]);
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (data) => resolve(String(data)));
    child.stderr?.once("data", (data) => reject(new Error(String(data))));
  });
  return { url: /http:\/\/localhost:\d+/.exec(line)![0], child };
}

const text = (page: Page, id: string): Promise<string> => page.$eval(`#${id}`, (element) => element.textContent ?? "");
const ready = (page: Page) => page.waitForSelector("#train:not(:disabled)");
const untilText = (page: Page, id: string, pattern: string) =>
  page.waitForFunction(
    (id: string, pattern: string) => new RegExp(pattern).test(document.getElementById(id)!.textContent ?? ""),
    {},
    id,
    pattern,
  );

/** How many different colours a canvas shows. */
const colors = (page: Page, id: string): Promise<number> =>
  page.$eval(`#${id}`, (element) => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });

describe("the demo", () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    await buildDemo();
    server = await startServer();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.child.kill();
  });

  it("is served on after requests for what is no URL", async () => {
    const { port, origin } = new URL(server.url);
    for (const target of ["//", "http://[", "/%", "/%00.html", "/..%2fserve.mjs", "*"]) {
      const socket = connect(Number(port), "localhost");
      socket.end(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 40[04]/);
      socket.destroy();
    }
    expect((await fetch(`${origin}/`)).status).toBe(200);
  });

  it("says which device it has, trains XOR to a falling loss and shows it", async () => {
    const page = await openPage(browser, server.url);
    await ready(page);
    expect(await text(page, "device-text")).toMatch(/^Software GPU: .*swiftshader/i);
    const [blankCurve, blankSurface] = [await colors(page, "curve"), await colors(page, "surface")];
    await page.click("#train");
    await untilText(page, "train", "Train on");
    expect(await text(page, "epoch")).toBe("5,000");
    expect(await text(page, "right")).toBe("4 of 4");
    expect(Number(await text(page, "loss"))).toBeLessThan(0.02); // ln 2 = 0.69 before training
    expect(await colors(page, "curve")).toBeGreaterThan(blankCurve);
    expect(await colors(page, "surface")).toBeGreaterThan(blankSurface);
    const screenshot = await page.screenshot();
    expect(screenshot.length).toBeGreaterThan(20_000);
    await page.close();
  });

  it("pauses, goes on, starts over and changes the data set", async () => {
    const page = await openPage(browser, server.url);
    await ready(page);
    await page.$eval("input[value=spirals]", (input) => (input as HTMLInputElement).click());
    await untilText(page, "model", "^2-12-12-1");
    await page.click("#train");
    await untilText(page, "epoch", "[1-9]");
    await page.click("#train");
    await untilText(page, "train", "Train on");
    const paused = await text(page, "epoch");
    await new Promise((wake) => setTimeout(wake, 300));
    expect(await text(page, "epoch")).toBe(paused);
    await page.click("#train");
    await page.waitForFunction((epoch) => document.getElementById("epoch")!.textContent !== epoch, {}, paused);
    await page.click("#reset");
    await untilText(page, "epoch", "^0$");
    await page.$eval("input[value=moons]", (input) => (input as HTMLInputElement).click());
    await untilText(page, "model", "^2-8-1");
    await page.click("#train");
    await untilText(page, "right", "(25\\d|24\\d) of 256");
    expect(await page.$eval("#error", (element) => (element as HTMLElement).hidden)).toBe(true);
    await page.close();
  });

  it("says what is missing without WebGPU, and trains on the CPU when asked to", async () => {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(() => Object.defineProperty(Navigator.prototype, "gpu", { value: undefined }));
    await page.goto(server.url);
    await page.waitForSelector("#error:not([hidden])");
    expect(await text(page, "error-code")).toBe("E_DEVICE");
    expect(await text(page, "error-hint")).toMatch(/^Open this page in a browser with WebGPU/);
    expect(await text(page, "device-text")).toBe("No device");
    await page.click("#use-cpu");
    await ready(page);
    expect(await text(page, "device-text")).toMatch(/^CPU reference/);
    await page.click("#train");
    await untilText(page, "right", "4 of 4");
    await page.close();
  });

  it("shows a lost GPU and trains again on a new one", async () => {
    const page = await openPage(browser, server.url);
    await ready(page);
    await crashGpu(browser);
    await page.click("#train");
    await page.waitForSelector("#error:not([hidden])");
    expect(await text(page, "error-code")).toBe("E_LOST");
    await page.click("#retry");
    await page.waitForSelector("#error[hidden]", { hidden: true });
    await untilText(page, "epoch", "^0$");
    await ready(page);
    await page.click("#train");
    await untilText(page, "epoch", "[1-9]");
    await page.close();
  });
});
