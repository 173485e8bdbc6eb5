import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { openTestGpu } from "../devices.ts";
import { FIXTURES } from "./files.ts";
import { runOracles } from "./run.ts";

describe("PyTorch's and scikit-learn's numbers", () => {
  it.each(["cpu", "webgpu"])(
    "are met by every case of every family on %s",
    async (backend) => {
      const device = backend === "cpu" ? openCpu() : await openTestGpu();
      const { families } = await runOracles(device, FIXTURES);
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
