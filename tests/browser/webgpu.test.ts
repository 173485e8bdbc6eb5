import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "./chromium.ts";
import { type Server, serve } from "./serve.ts";

describe("Chromium", () => {
  let browser: Browser;
  let server: Server;
  beforeAll(async () => {
    server = await serve({ "/": { type: "text/html", body: "<!doctype html><title>t</title><p id=p>Fonts</p>" } });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it("gives a page an adapter and a device that computes", async () => {
    const page = await browser.newPage();
    await page.goto(server.url);
    const result = await page.evaluate(async () => {
      const adapter = await navigator.gpu.requestAdapter();
      const device = await adapter!.requestDevice();
      const code = `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = id.x * id.x; }`;
      const pipeline = await device.createComputePipelineAsync({
        layout: "auto",
        compute: { module: device.createShaderModule({ code }) },
      });
      const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
      const copy = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      const entries = [{ binding: 0, resource: { buffer } }];
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(1);
      pass.end();
      encoder.copyBufferToBuffer(buffer, 0, copy, 0, 16);
      device.queue.submit([encoder.finish()]);
      await copy.mapAsync(GPUMapMode.READ);
      return [...new Uint32Array(copy.getMappedRange())];
    });
    expect(result).toEqual([0, 1, 4, 9]);
  });

  it("has fonts: text takes room on the page", async () => {
    const page = await browser.newPage();
    await page.goto(server.url);
    const width = await page.evaluate(() => {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById("p")!);
      return range.getBoundingClientRect().width;
    });
    expect(width).toBeGreaterThan(10);
  });
});
