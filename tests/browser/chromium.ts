/** A real Chromium with WebGPU, through puppeteer-core: the system's, else the one inside an npm package. */
import fs from "node:fs";
import path from "node:path";
import { brotliDecompressSync } from "node:zlib";
import puppeteer, { type Browser } from "puppeteer-core";
import { cacheFolder, chromiumArchives } from "../../src/node/peers.ts";
import { publishFolder, untar } from "../../src/node/tar.ts";

const COMMANDS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

export interface Chromium {
  readonly executablePath: string;
  /** Environment it needs beside the process's own. */
  readonly env: Readonly<Record<string, string>>;
}

/** Finds `CHROME_PATH`, else a Chromium on the `PATH`, else unpacks the one from npm (Linux x64). */
export function findChromium(): Chromium {
  const chosen = process.env["CHROME_PATH"];
  if (chosen) {
    if (!fs.existsSync(chosen)) throw new Error(`CHROME_PATH: there is no "${chosen}".`);
    return { executablePath: chosen, env: {} };
  }
  for (const folder of (process.env["PATH"] ?? "").split(path.delimiter)) {
    for (const command of COMMANDS) {
      const executablePath = path.join(folder, command);
      if (fs.existsSync(executablePath)) return { executablePath, env: {} };
    }
  }
  return unpackChromium();
}

/** The Chromium of `@sparticuz/chromium`, with the libraries and fonts that a bare machine lacks. */
export function unpackChromium(): Chromium {
  const archives = chromiumArchives();
  if (!archives) throw new Error("No Chromium: set CHROME_PATH, or install @sparticuz/chromium.");
  const read = (name: string) => brotliDecompressSync(fs.readFileSync(path.join(archives.folder, name)));
  const folder = publishFolder(path.join(cacheFolder(), `chromium-${archives.version}`), (temporary) => {
    fs.writeFileSync(path.join(temporary, "chromium"), read("chromium.br"), { mode: 0o755 });
    untar(read("swiftshader.tar.br"), temporary); // Chromium looks for its software GPU beside itself
    untar(read("al2023.tar.br"), path.join(temporary, "al2023"));
    untar(read("fonts.tar.br"), path.join(temporary, "fonts"));
    fs.writeFileSync(path.join(temporary, "fonts.conf"), FONTS_CONF);
  });
  return {
    executablePath: path.join(folder, "chromium"),
    env: {
      LD_LIBRARY_PATH: path.join(folder, "al2023", "lib"),
      FONTCONFIG_FILE: path.join(folder, "fonts.conf"),
    },
  };
}

// The folder is named relative to the file, which is written before its folder gets its final name.
const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/** `webgpu`: a hardware GPU where there is one, else the software GPU `swiftshader`. */
export type BrowserGpu = "webgpu" | "swiftshader";

export interface LaunchOptions {
  /** Default swiftshader. */
  readonly gpu?: BrowserGpu;
  /** Milliseconds that one call into a page may take, 0 for any; default 180,000. */
  readonly protocolTimeout?: number;
}

/** Starts it headless. Close the browser when done. */
export function launchChromium({ gpu = "swiftshader", ...options }: LaunchOptions = {}): Promise<Browser> {
  const chromium = findChromium();
  return puppeteer.launch({
    ...options,
    executablePath: chromium.executablePath,
    // The driver chosen for Node would hide Chromium's own.
    env: { ...process.env, VK_DRIVER_FILES: undefined, ...chromium.env },
    args: gpu === "swiftshader" ? [...FLAGS, "--use-webgpu-adapter=swiftshader"] : FLAGS,
    headless: true,
  });
}
