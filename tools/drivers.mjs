/** Runs the device tests on a second Vulkan driver, lavapipe (Mesa), installing it where apt and root allow. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { capture, root, run } from "./process.mjs";
import { countLine, runVitest } from "./vitest.mjs";

const PACKAGE = "mesa-vulkan-drivers";
/** Dawn finds no adapter with older ones. */
const OLDEST_MESA = "23.1";
const DEVICE_TESTS = [
  "tests/ops/ops.test.ts",
  "tests/ops/half.test.ts",
  "tests/ops/matmul.test.ts",
  "tests/ops/conv2d.test.ts",
  "tests/ops/recurrent.test.ts",
  "tests/oracles",
  "tests/train/determinism.test.ts",
  "tests/train/mixed.test.ts",
  "tests/train/resume.test.ts",
];
const ICD_FOLDER = "/usr/share/vulkan/icd.d";

export async function testDrivers(args) {
  const reason = await ensureLavapipe();
  const icd = lavapipeFile();
  if (reason || !icd) {
    console.log(`lavapipe: not tested here: ${reason ?? `${PACKAGE} brought no driver file.`}`);
    console.log(countLine({ passed: 0, failed: 0, skipped: 0 }));
    return 0;
  }
  console.log(`lavapipe ${mesaVersion()}: ${icd}`);
  const folders = DEVICE_TESTS.filter((folder) => existsSync(path.join(root, folder)));
  const { status, counts } = await runVitest(["--passWithNoTests", ...folders, ...args], { VK_DRIVER_FILES: icd });
  console.log(countLine(counts));
  return status;
}

function lavapipeFile() {
  const names = existsSync(ICD_FOLDER) ? readdirSync(ICD_FOLDER) : [];
  const name = names.find((name) => /^lvp_icd.*\.json$/.test(name));
  return name && path.join(ICD_FOLDER, name);
}

const mesaVersion = () => capture("dpkg-query", ["--show", PACKAGE])?.split("\t")[1];

const isRecent = (version) =>
  Boolean(version) && capture("dpkg", ["--compare-versions", version, "ge", OLDEST_MESA]) !== undefined;

/** Installs lavapipe unless it is there; gives why that was not possible, or `undefined`. */
async function ensureLavapipe() {
  if (lavapipeFile() && isRecent(mesaVersion())) return undefined;
  if (process.platform !== "linux" || !capture("apt-get", ["--version"])) return "this machine has no apt-get.";
  if (process.getuid() !== 0) return `installing ${PACKAGE} needs root.`;

  console.log(`Installing ${PACKAGE} with apt-get`);
  if ((await apt("update")) !== 0) return "apt-get update failed.";
  if (isRecent(candidate())) return install([]);

  const backports = `${osRelease("VERSION_CODENAME")}-backports`;
  const source = backportsSource(backports);
  if (!source)
    return `${PACKAGE} ${candidate() ?? ""} is older than ${OLDEST_MESA}, and no apt source leads to ${backports}.`;
  const file = `/etc/apt/sources.list.d/tilegrad-${backports}.sources`;
  writeFileSync(file, source);
  const failed =
    (await apt("update")) !== 0 ? "apt-get update failed with backports." : await install(["-t", backports]);
  if (failed) rmSync(file);
  return failed;
}

const apt = (...args) =>
  run("apt-get", ["-qq", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", 2, 2],
    timeout: 300_000,
  });

async function install(options) {
  const status = await apt("install", "-y", "--no-install-recommends", ...options, PACKAGE, "libvulkan1");
  return status === 0 ? undefined : `apt-get install ${PACKAGE} failed.`;
}

const candidate = () => /Candidate: (\S+)/.exec(capture("apt-cache", ["policy", PACKAGE]) ?? "")?.[1];

const osRelease = (key) => new RegExp(`^${key}="?([^"\n]*)`, "m").exec(readFileSync("/etc/os-release", "utf8"))?.[1];

/**
 * An apt source (deb822) for the suite `backports`, with the address and the key of the source from which this machine
 * gets its own release; `undefined` when there is none.
 */
export function backportsSource(backports, folder = "/etc/apt") {
  const release = backports.replace(/-backports$/, "");
  const listed = existsSync(path.join(folder, "sources.list.d"))
    ? readdirSync(path.join(folder, "sources.list.d"))
    : [];
  const files = ["sources.list", ...listed.map((name) => `sources.list.d/${name}`)].map((name) =>
    path.join(folder, name),
  );
  for (const file of files.filter((file) => existsSync(file))) {
    const text = readFileSync(file, "utf8");
    const found = file.endsWith(".sources") ? fromStanzas(text, release) : fromLines(text, release);
    if (!found) continue;
    const lines = ["Types: deb", `URIs: ${found.uris}`, `Suites: ${backports}`, "Components: main"];
    if (found.signedBy) lines.push(`Signed-By: ${found.signedBy}`);
    return `${lines.join("\n")}\n`;
  }
  return undefined;
}

/** deb822: stanzas of `Key: value`, separated by empty lines. */
function fromStanzas(text, release) {
  const uncommented = text.replace(/^#.*\n?/gm, "");
  for (const stanza of uncommented.split(/\n\s*\n/)) {
    const field = (key) => new RegExp(`^${key}:[ \\t]*(.+)$`, "mi").exec(stanza)?.[1].trim();
    const applies = field("Types")?.split(/\s+/).includes("deb") && field("Suites")?.split(/\s+/).includes(release);
    if (applies) return { uris: field("URIs"), signedBy: field("Signed-By") };
  }
  return undefined;
}

/** One line per source: `deb [options] uri suite components`. */
function fromLines(text, release) {
  for (const line of text.split("\n")) {
    const [, options = "", uris, suite] = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line) ?? [];
    if (suite === release) return { uris, signedBy: /signed-by=(\S+)/.exec(options)?.[1] };
  }
  return undefined;
}
