import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchChromium } from "./chromium.ts";
import { openPage, serveLibrary } from "./page.ts";
import type { Server } from "./serve.ts";

/** What the page gets as `globalThis.tg`. */
declare const tg: typeof import("../../src/api/core.ts");

let browser: Browser;
let server: Server;
beforeAll(async () => {
  server = await serveLibrary("tg", `export * from "./src/api/core.ts";`);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

it("keeps what was measured of a device in IndexedDB, for every later page of the site", async () => {
  const first = await openPage(browser, server.url);
  const measured = await first.evaluate(async () => {
    const device = await tg.openDevice();
    const { tuning } = await tg.tuneDevice(device, { seconds: 0.001 });
    return { used: device.limits?.tuning?.device, tuning };
  });
  await first.close();
  const later = await openPage(browser, server.url);
  const [found, off, pinned] = await later.evaluate(async (tuning) => {
    const found = await tg.openDevice();
    const off = await tg.openDevice({ tuning: "off" });
    const pinned = await tg.openDevice({ tuning: { ...tuning, costs: { ...tuning.costs, stage: 1 } } });
    return [found, off, pinned].map(({ limits }) => ({ tuning: limits?.tuning, stage: limits?.costs.stage }));
  }, measured.tuning);
  expect(measured.used).toBe(measured.tuning.device);
  expect(found.tuning).toEqual(measured.tuning);
  expect(off.tuning ?? null).toBe(null);
  expect(pinned.stage).toBe(1);
});
