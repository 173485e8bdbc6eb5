import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { openTestGpu } from "../devices.ts";
import type { OpCase } from "./opCase.ts";
import { checkOpCase } from "./opCase.ts";
import { layoutsOf, sequenceOps } from "./opsSequences.ts";

const file = new URL("../../../shared/oracles/ops.json", import.meta.url);
const present = existsSync(file);
if (!present) console.info("sequence ops: ../shared/oracles is not there; nothing to compare with.");
const cases: OpCase[] = present ? JSON.parse(readFileSync(file, "utf8")).cases : [];

describe.runIf(present).each(["CPU", "GPU"])("sequence ops on the %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = kind === "CPU" ? openCpu() : await openTestGpu();
  });
  afterAll(() => device.dispose());

  it.each(Object.keys(sequenceOps))(
    "%s meets PyTorch's outputs, final states and gradients, in both layouts",
    async (op) => {
      const own = cases.filter((one) => one.op === op).flatMap(layoutsOf);
      expect(own.length).toBeGreaterThan(0);
      for (const one of own) {
        const { id, ratio, error } = await checkOpCase(device, sequenceOps[op], one);
        expect(ratio, `${id}: ${error}`).toBeLessThanOrEqual(1);
      }
    },
  );
});
