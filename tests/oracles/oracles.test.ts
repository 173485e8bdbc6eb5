import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { openTestGpu } from "../devices.ts";
import { runOracles } from "./run.ts";

const dir = path.resolve(import.meta.dirname, "../../../shared/oracles");

describe.skipIf(!existsSync(dir))("PyTorch's and scikit-learn's numbers", () => {
  it.each(["cpu", "webgpu"])(
    "are met by every case of every family on %s",
    async (backend) => {
      const device = backend === "cpu" ? openCpu() : await openTestGpu();
      const { families } = await runOracles(device, dir);
      device.dispose();
      expect(Object.keys(families).length).toBeGreaterThan(0);
      for (const [family, { failed, failures, unsupported, passed }] of Object.entries(families)) {
        expect({ family, failed, failures, unsupported }).toEqual({ family, failed: 0, failures: [], unsupported: 0 });
        expect(passed).toBeGreaterThan(0);
      }
    },
    600_000,
  );
});

if (!existsSync(dir)) console.warn("No oracle files beside the project: their tests are left out.");
