/** `chromium.js PEER WORKLOAD GPU BUDGET_MS`: one measurement in a page of a Chromium of its own. run.ts forks it. */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserGpu, launchChromium } from "../tests/browser/chromium.ts";
import { type Page, serve } from "../tests/browser/serve.ts";
import type { Answer } from "./measure.ts";
import manifest from "./package.json" with { type: "json" };

/** page.js, the peers' packages as modules, and the wasm files they ask for; `npm run bench` bundles them. */
const FOLDER = fileURLToPath(new URL("page/", import.meta.url));
const TYPES: Record<string, string> = { ".js": "text/javascript; charset=utf-8", ".wasm": "application/wasm" };

/** Not cross-origin isolated: with the threads that isolation brings, the peers on wasm take longer for such small steps. */
function pages(): Record<string, Page> {
  const imports = Object.fromEntries(Object.keys(manifest.dependencies).map((name) => [name, `/packages/${name}.js`]));
  const body = `<!doctype html><meta charset="utf-8"><script type="importmap">${JSON.stringify({ imports })}</script>
    <script type="module" src="/page.js"></script>`;
  const files = fs.readdirSync(FOLDER, { recursive: true, encoding: "utf8" });
  const assets = files
    .filter((file) => path.extname(file) in TYPES)
    .map((file) => {
      const asset = { type: TYPES[path.extname(file)], body: fs.readFileSync(path.join(FOLDER, file)) };
      return [`/${file.replaceAll(path.sep, "/")}`, asset];
    });
  return { "/": { type: "text/html", body }, ...Object.fromEntries(assets) };
}

async function measureInPage(peer: string, workload: string, gpu: BrowserGpu, budgetMs: number): Promise<Answer> {
  const server = await serve(pages());
  // run.ts has its own limit, and ends this process, which ends the browser.
  const browser = await launchChromium({ gpu, protocolTimeout: 0 });
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    return await page.evaluate((...given) => measurePeer(...given), peer, workload, budgetMs);
  } catch (error) {
    return { unavailable: `failed: ${(error as Error).message.split("\n")[0]}` };
  } finally {
    await browser.close();
    await server.close();
  }
}

// Whoever ends the runner ends this, and with it the browser.
process.on("disconnect", () => process.exit(1));
const [peer, workload, gpu, budgetMs] = process.argv.slice(2);
const answer = await measureInPage(peer, workload, gpu as BrowserGpu, Number(budgetMs));
process.send?.(answer, () => process.exit(0));
