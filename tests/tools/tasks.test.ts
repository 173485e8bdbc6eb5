import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backportsSource } from "../../tools/drivers.mjs";
import { whyStale } from "../../tools/install.mjs";
import { countTests } from "../../tools/vitest.mjs";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-tools-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function write(file: string, content: unknown) {
  fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  fs.writeFileSync(path.join(folder, file), typeof content === "string" ? content : JSON.stringify(content));
}

describe("whyStale", () => {
  const lock = {
    "": { version: "0.1.0" },
    "node_modules/a": { version: "1.0.0" },
    "node_modules/a-win32": { version: "1.0.0", optional: true },
  };
  beforeEach(() => write("package-lock.json", { packages: lock }));
  const installed = (packages: object) => write("node_modules/.package-lock.json", { packages });

  it("is content when all packages are those of the lockfile, other platforms' aside", () => {
    installed({ "node_modules/a": { version: "1.0.0" } });
    expect(whyStale(folder)).toBeUndefined();
  });

  it("says what is absent or of another version", () => {
    expect(whyStale(folder)).toBe("node_modules is absent");
    installed({});
    expect(whyStale(folder)).toBe("node_modules/a is absent, package-lock.json says 1.0.0");
    installed({ "node_modules/a": { version: "0.9.0" } });
    expect(whyStale(folder)).toBe("node_modules/a is 0.9.0, package-lock.json says 1.0.0");
  });
});

describe("countTests", () => {
  it("counts a test file that could not be loaded as a failure", () => {
    const report = {
      numPassedTests: 3,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 1,
      testResults: [
        { status: "passed", assertionResults: [{}, {}, {}] },
        { status: "failed", assertionResults: [{}] },
        { status: "failed", assertionResults: [] },
      ],
    };
    expect(countTests(report)).toEqual({ passed: 3, failed: 2, skipped: 3 });
  });
});

describe("backportsSource", () => {
  const want = "Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm-backports\nComponents: main\n";

  it("takes address and key from the release's own source, in the deb822 format", () => {
    const other = "Types: deb\nURIs: http://mirror.test/other\nSuites: stable\nComponents: main\n";
    const own =
      "Types: deb\n# a note\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\nSigned-By: /k.gpg\n";
    write("sources.list.d/debian.sources", `${other}\n${own}\n${other}`);
    expect(backportsSource("bookworm-backports", folder)).toBe(`${want}Signed-By: /k.gpg\n`);
  });

  it("reads one-line sources, and not those commented out", () => {
    write(
      "sources.list",
      "# deb http://no.test/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main\n",
    );
    expect(backportsSource("bookworm-backports", folder)).toBe(`${want}Signed-By: /k.gpg\n`);
  });

  it("gives nothing when no source leads to the release", () => {
    expect(backportsSource("bookworm-backports", folder)).toBeUndefined();
  });
});
