/** Pages of a real Chromium that have the library of the working tree. */
import { build } from "esbuild";
import type { Browser, Page } from "puppeteer-core";
import { BROWSER } from "../../esbuild.config.mjs";
import { bundleForEsbuild } from "../../tools/bundle.mjs";
import { wgslForEsbuild } from "../../tools/wgsl.mjs";
import { repository } from "../support/program.ts";
import { type Server, serve } from "./serve.ts";

/** Serves one page with `exports` (TypeScript lines) as the global variable `name`. */
export async function serveLibrary(name: string, exports: string): Promise<Server> {
  const built = await build({
    stdin: { contents: exports, resolveDir: repository, loader: "ts" },
    bundle: true,
    format: "iife",
    globalName: name,
    write: false,
    alias: BROWSER,
    plugins: [wgslForEsbuild(), bundleForEsbuild()],
    logLevel: "error",
  });
  return serve({
    "/": { type: "text/html", body: `<!doctype html><meta charset="utf-8"><script src="library.js"></script>` },
    "/library.js": { type: "text/javascript; charset=utf-8", body: built.outputFiles[0].text },
  });
}

export async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(url);
  return page;
}

/** Ends the GPU process, as a driver fault does; every WebGPU device of the browser is lost. */
export async function crashGpu(browser: Browser): Promise<void> {
  const session = await browser.target().createCDPSession();
  await session.send("Browser.crashGpuProcess");
  await session.detach();
}
