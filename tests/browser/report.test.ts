import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHURN, customers, jsonOf, QUICK, useCli } from "../cli/support.ts";
import { launchChromium } from "./chromium.ts";

const cli = useCli();
let browser: Browser;
let page: Page;
let result: ReturnType<typeof jsonOf>;
const requested: string[] = [];

beforeAll(async () => {
  cli.write("customers.csv", customers(600).replaceAll("basic", "<b>a & 'b'</b>"));
  const report = ["--out", "model", "--report", "report.html", "--json", "--quiet"];
  const trained = await cli.run("train", "customers.csv", ...CHURN, ...QUICK, ...report);
  expect(trained.code, trained.stderr).toBe(0);
  result = jsonOf(trained);
  browser = await launchChromium();
  page = await browser.newPage();
  page.on("request", (request) => requested.push(request.url()));
  await page.goto(pathToFileURL(path.join(cli.folder, "report.html")).href);
}, 120_000);
afterAll(() => browser?.close());

/** What is really drawn of each plot: shapes that have an extent and lie within the plot. */
const drawn = () =>
  page.$$eval("svg[data-plot]", (plots) =>
    plots.map((plot) => {
      const frame = plot.getBoundingClientRect();
      const shapes = [...plot.querySelectorAll("path, rect, circle")].slice(1).map((s) => s.getBoundingClientRect());
      const inside = shapes.every(
        (box) => box.left >= frame.left - 1 && box.right <= frame.right + 1 && box.bottom <= frame.bottom + 1,
      );
      const labels = [...plot.querySelectorAll("text")].filter((text) => text.getBoundingClientRect().width > 0);
      return {
        name: plot.getAttribute("data-plot"),
        title: plot.getAttribute("aria-label"),
        width: frame.width,
        shapes: shapes.filter((box) => box.width + box.height > 5).length,
        labels: labels.length,
        inside,
      };
    }),
  );

describe("the report of a training, in a browser", () => {
  it("draws every plot, inside its frame and with text", async () => {
    const plots = await drawn();
    expect(plots.map(({ name }) => name).sort()).toEqual(
      [
        "attribution",
        "calibration",
        "cdf",
        "confusion",
        "cost",
        "det",
        "gain",
        "importance",
        "learning",
        "learning",
        "pr",
        "roc",
        "scores",
        "thresholds",
      ].sort(),
    );
    for (const { title, width, shapes, labels, inside } of plots) {
      expect(width, `${title}`).toBeGreaterThan(300);
      expect(shapes, `${title}`).toBeGreaterThanOrEqual(1);
      expect(labels, `${title}`).toBeGreaterThanOrEqual(5);
      expect(inside, `${title} stays in its frame`).toBe(true);
    }
  });

  it("draws the curves to their ends and puts the operating point where the metrics say", async () => {
    const test = result.metrics.test;
    const at = await page.$eval('svg[data-plot="pr"]', (plot) => {
      const { x, width } = (plot.querySelector("path") as SVGPathElement).getBBox();
      const curve = { x, width };
      const points = [...plot.querySelectorAll("circle")].map((c) => ({
        x: c.cx.baseVal.value,
        y: c.cy.baseVal.value,
      }));
      return { curve, point: points[points.length - 1] };
    });
    expect((at.point.x - at.curve.x) / at.curve.width).toBeCloseTo(test.recall, 1);
    expect(at.curve.width).toBeGreaterThan(280);
  });

  it("says in words and tables what the JSON says", async () => {
    const text = await page.$eval("body", (body) => body.innerText);
    const { precision, recall, prAuc } = result.metrics.test;
    expect(text).toContain(`${(100 * precision).toFixed(1)} % are really yes`);
    expect(text).toContain(`${(100 * recall).toFixed(1)} % of all yes are found`);
    expect(text).toContain(`logistic regression ${result.baseline.metrics.test.prAuc.toFixed(3)}`);
    expect(text).toContain(prAuc.toFixed(3));
    expect(text).toContain("train customers.csv --target churned");
    expect(text).toContain("<b>a & 'b'</b>");
    const strong = await page.$$eval("tr.strong", (rows) => rows.map((row) => row.firstElementChild?.textContent));
    expect(strong).toEqual([result.threshold.toPrecision(3)]);
    const inside = await page.$eval("#result", (script) => JSON.parse(script.textContent ?? ""));
    expect(inside).toEqual(result);
  });

  it("loads nothing, runs no script, and is no wider than the window", async () => {
    expect(requested.filter((url) => !url.startsWith("file:"))).toEqual([]);
    expect(requested).toHaveLength(1);
    expect(await page.$$eval("script", (scripts) => scripts.map((script) => script.type))).toEqual([
      "application/json",
    ]);
    await page.setViewport({ width: 390, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.setViewport({ width: 1200, height: 900 });
  });

  it("follows the reader's light or dark setting, and prints light", async () => {
    const colors = () =>
      page.$$eval("body, svg .tg-card", ([body, card]) => [
        getComputedStyle(body).backgroundColor,
        getComputedStyle(card).fill,
      ]);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
    expect(await colors()).toEqual(["rgb(247, 248, 250)", "rgb(255, 255, 255)"]);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    expect(await colors()).toEqual(["rgb(12, 14, 18)", "rgb(20, 23, 29)"]);
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(20_000);
  });
});
