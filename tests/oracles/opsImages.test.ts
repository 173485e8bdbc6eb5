import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { openTestGpu } from "../devices.ts";
import type { OpCase } from "./opCase.ts";
import { checkOpCase } from "./opCase.ts";
import { imageOps } from "./opsImages.ts";

const file = new URL("../../../shared/oracles/ops.json", import.meta.url);
const present = existsSync(file);
if (!present) console.info("image ops: ../shared/oracles is not there; nothing to compare with.");
const cases: OpCase[] = present ? JSON.parse(readFileSync(file, "utf8")).cases : [];

describe.runIf(present).each(["CPU", "GPU"])("image ops on the %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = kind === "CPU" ? openCpu() : await openTestGpu();
  });
  afterAll(() => device.dispose());

  it.each(Object.keys(imageOps))("%s meets PyTorch's output and gradients", async (op) => {
    const own = cases.filter((one) => one.op === op);
    expect(own.length).toBeGreaterThan(0);
    for (const one of own) {
      const { id, ratio, error } = await checkOpCase(device, imageOps[op], one);
      expect(ratio, `${id}: ${error}`).toBeLessThanOrEqual(1);
    }
  });
});
