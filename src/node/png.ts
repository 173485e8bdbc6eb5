/** SVG to PNG by the optional package @resvg/resvg-js, with the fonts inside @sparticuz/chromium where they are installed. */

import fs from "node:fs";
import path from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import { checkValue, show } from "../options.ts";
import { cacheFolder, chromiumArchives, importPeer } from "./peers.ts";
import { publishFolder, untar } from "./tar.ts";

/** The drawing as a PNG of twice the size, so that text stays sharp. @throws E_ARGUMENT; E_PEER in Node without `@resvg/resvg-js` */
export async function svgToPng(svg: string): Promise<Uint8Array> {
  checkValue("svgToPng", "svg", svg, is.string);
  const { Resvg } = await importPeer("@resvg/resvg-js", "A PNG report", () => import("@resvg/resvg-js"));
  const fontDirs = fontFolders();
  const font = { loadSystemFonts: true, fontDirs, defaultFontFamily: "Open Sans", sansSerifFamily: "Open Sans" };
  try {
    return new Resvg(svg, { fitTo: { mode: "zoom", value: 2 }, font }).render().asPng();
  } catch (cause) {
    throw new TilegradError("E_ARGUMENT", `svgToPng: got ${show(svg)}; expected an SVG.`, { cause });
  }
}

/** Text is not drawn without a font, and a bare machine has none. */
function fontFolders(): string[] {
  const archives = chromiumArchives();
  if (!archives) return [];
  const fonts = publishFolder(path.join(cacheFolder(), `fonts-${archives.version}`), (temporary) => {
    untar(brotliDecompressSync(fs.readFileSync(path.join(archives.folder, "fonts.tar.br"))), temporary);
  });
  return [path.join(fonts, "fonts"), fonts];
}
