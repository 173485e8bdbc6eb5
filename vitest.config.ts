import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { wgslForVite } from "./tools/wgsl.mjs";

export default defineConfig({
  plugins: [wgslForVite()],
  resolve: { alias: { "#platform": fileURLToPath(new URL("src/node/platform.ts", import.meta.url)) } },
  test: {
    include: ["tests/**/*.test.ts"],
    // A Vulkan driver is chosen by an environment variable of the main thread: processes, not threads.
    pool: "forks",
    maxWorkers: 2,
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
