import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { bundleForVite } from "./tools/bundle.mjs";
import { wgslForVite } from "./tools/wgsl.mjs";

/**
 * Some look at what a process has once: Dawn's classes, the drivers it found, its modules. The other's loops run twice as
 * fast where they have met arrays of one kind only.
 */
const ALONE = ["tests/node/**/*.test.ts", "tests/resample/leaks.test.ts"];

/** Without times of an earlier run, small files come last: the longest of all among them would be waited for alone. */
class OraclesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isOracle = ({ moduleId }: TestSpecification): boolean => moduleId.includes("/tests/oracles/");
    const sorted = await super.sort(files);
    return [...sorted.filter(isOracle), ...sorted.filter((file) => !isOracle(file))];
  }
}

export default defineConfig({
  plugins: [wgslForVite(), bundleForVite()],
  resolve: { alias: { "#platform": fileURLToPath(new URL("src/node/platform.ts", import.meta.url)) } },
  test: {
    // A Vulkan driver is chosen by an environment variable of the main thread: processes, not threads.
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: OraclesFirst },
    projects: [
      // Two processes run all files, one after another: modules are loaded, and functions compiled, once in each.
      { extends: true, test: { name: "shared", include: ["tests/**/*.test.ts"], exclude: ALONE, isolate: false } },
      { extends: true, test: { name: "alone", include: ALONE } },
    ],
    // What a developer's device was tuned for must not decide what is tested.
    env: { TILEGRAD_TUNING: "off" },
    // Bundled programs are run as they are.
    server: { deps: { external: [/[\\/]\.cache[\\/]tests[\\/]/] } },
    // A software GPU takes up to 2 s to compile one kernel.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
  },
});
