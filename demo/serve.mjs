/** Serves the demo on this machine: `node demo/serve.mjs [--port N]`. A page of localhost may use WebGPU. */
import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { parseArgs } from "node:util";

const FOLDERS = [import.meta.dirname, path.join(import.meta.dirname, "..", "dist", "demo")];
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json",
};

const { values } = parseArgs({ options: { port: { type: "string", default: "4173" } } });

/** The file that a request names in one of the folders, and only there; rejects for a URL that is none. */
async function find(url) {
  const { pathname } = new URL(url, "http://localhost");
  const name = pathname === "/" ? "index.html" : path.posix.normalize(decodeURIComponent(pathname)).slice(1);
  const type = TYPES[path.extname(name)];
  if (!type || name.includes("..") || name.includes("\\")) return undefined;
  for (const folder of FOLDERS) {
    const body = await readFile(path.join(folder, name)).catch(() => undefined);
    if (body) return { body, type };
  }
  return undefined;
}

const server = http.createServer(async (request, response) => {
  const found = await find(request.url).catch(() => undefined);
  response.writeHead(found ? 200 : 404, {
    "content-type": found?.type ?? "text/plain",
    "cache-control": "no-store",
  });
  response.end(found?.body ?? "There is no such file.\n");
});

server.on("error", (error) => {
  const hint =
    error.code === "EADDRINUSE" ? ` Choose another port: npm run demo -- --port ${Number(values.port) + 1}` : "";
  console.error(`The demo cannot be served: ${error.message}.${hint}`);
  process.exitCode = 1;
});
server.listen(Number(values.port), "127.0.0.1", () => {
  console.log(`The demo is at http://localhost:${server.address().port} (Ctrl+C ends it)`);
});
