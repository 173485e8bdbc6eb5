import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "./chromium.ts";
import { openPage, serveLibrary } from "./page.ts";
import type { Server } from "./serve.ts";

/** What the page gets. */
declare const tilegrad: typeof import("../../src/api/data.ts");

describe("images in a page", () => {
  let browser: Browser;
  let server: Server;
  let page: Page;
  beforeAll(async () => {
    server = await serveLibrary("tilegrad", `export * from "./src/api/data.ts";`);
    browser = await launchChromium();
    page = await openPage(browser, server.url);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it("are decoded to the pixels that were drawn, and resized", async () => {
    const got = await page.evaluate(async () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [2, 2];
      const context = canvas.getContext("2d")!;
      for (const [i, colour] of ["#ff0000", "#00ff00", "#0000ff", "#336699"].entries()) {
        context.fillStyle = colour;
        context.fillRect(i % 2, Math.floor(i / 2), 1, 1);
      }
      const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
      const image = await tilegrad.decodeImage(png!);
      const { width, height, channels, max } = image;
      const grey = tilegrad.resizeImage(image, [1, 1, 1])[0];
      return { type: png!.type, size: [width, height, channels, max], pixels: Array.from(image.data), grey };
    });
    expect(got.type).toBe("image/png");
    expect(got.size).toEqual([2, 2, 4, 255]);
    expect(got.pixels).toEqual(
      [
        [255, 0, 0, 255],
        [0, 255, 0, 255],
        [0, 0, 255, 255],
        [51, 102, 153, 255],
      ].flat(),
    );
    // The mean of red, green, blue and #336699 in grey: (255 + 0.299 * 51 + 0.587 * 102 + 0.114 * 153) / 4.
    expect(got.grey).toBeCloseTo(86.891, 3);
  });

  it("of a chosen folder are a table, by class, in the order of their paths", async () => {
    const got = await page.evaluate(async () => {
      const draw = async (path: string, colour: string): Promise<File> => {
        const canvas = new OffscreenCanvas(4, 4);
        const context = canvas.getContext("2d")!;
        context.fillStyle = colour;
        context.fillRect(0, 0, 4, 4);
        const file = new File([await canvas.convertToBlob()], path.split("/").at(-1)!, { type: "image/png" });
        return Object.defineProperty(file, "webkitRelativePath", { value: path }); // as <input webkitdirectory> does
      };
      const notes = new File(["none"], "notes.txt", { type: "text/plain" });
      const files = [await draw("pets/dogs/1.png", "#404040"), notes, await draw("pets/cats/2.png", "#c0c0c0")];
      const refused = (work: Promise<unknown>) =>
        work.then(
          () => "nothing was thrown",
          (error: Error & { code: string }) => `${error.code} ${error.message}`,
        );
      const size = [1, 2, 1] as const;
      const { rows, columns } = await tilegrad.readImageFolder(files, size);
      const named = await tilegrad.readImageFolder(files, size, { labelOf: (path) => path.split("/")[1][0] });
      const text = new File(["hello"], "a.png", { type: "image/png" });
      return {
        rows,
        names: columns.map((column) => column.name),
        cells: columns.map((c) => (c.kind === "numeric" ? [...c.values] : [...c.codes].map((code) => c.levels[code]))),
        labels: named.columns.flatMap((c) => (c.kind === "categorical" && c.name === "label" ? [...c.levels] : [])),
        refusals: await Promise.all([
          refused(tilegrad.readImageFolder([notes], size)),
          refused(tilegrad.readImageFolder([text], size, { labelled: true })),
          refused(tilegrad.readImageFolder([text], size, { labelOf: () => "x" })),
          refused(tilegrad.readImageFolder(files, [0, 2, 1])),
        ]),
      };
    });
    expect([got.rows, got.names]).toEqual([2, ["p0", "p1", "file", "label"]]);
    expect(got.cells.slice(2)).toEqual([
      ["cats/2.png", "dogs/1.png"],
      ["cats", "dogs"],
    ]);
    for (const values of got.cells.slice(0, 2)) {
      expect(values[0]).toBeCloseTo(192, 3);
      expect(values[1]).toBeCloseTo(64, 3);
    }
    expect(got.labels).toEqual(["2", "1"]);
    expect(got.refusals).toEqual([
      expect.stringMatching(/^E_FILE images: got no PNG or JPEG file/),
      expect.stringMatching(/^E_FILE images: got images without labels/),
      expect.stringMatching(/^E_FILE a\.png: got bytes that the browser cannot decode/),
      expect.stringMatching(/^E_ARGUMENT image: got 0x2x1 for 2 images/),
    ]);
  });
});
