/** Ways of running that must give the same numbers. */
import type { HowToRun } from "../../src/check/check.ts";
import type { Device } from "../../src/device.ts";
import { allOps } from "../../src/ops/all.ts";

/** The same device seen with some members changed. */
export function wrapDevice(device: Device, changed: Partial<Device>): Device {
  return new Proxy(device, {
    get(target, key) {
      if (key in changed) return changed[key as keyof Device];
      const value = target[key as keyof Device] as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The same device, on which everything is run in one way. */
export const runningBy = (device: Device, how: HowToRun): Device =>
  wrapDevice(device, {
    compile: (graph, options) =>
      device.compile(graph, { ...options, ...how, limits: { ...options.limits, ...how.limits } }),
  });

/**
 * Resident and dispatch, fusion on and off, scalars of steps from the uniform buffer where they would be immediates, and every
 * kernel that the device could choose, forced in turn.
 */
export function waysOf(device: Device): Readonly<Record<string, HowToRun>> {
  const { limits } = device;
  const forces = limits ? allOps.flatMap((op) => op.variants?.(limits) ?? []) : [];
  const named = forces.map(({ force }): [string, HowToRun] => [
    Object.entries(force).flat().join(":"),
    { plan: "dispatch", limits: { force } },
  ]);
  return {
    dispatch: { plan: "dispatch" },
    resident: { plan: "resident" },
    "dispatch unfused": { plan: "dispatch", fusion: false },
    "resident unfused": { plan: "resident", fusion: false },
    ...(limits?.immediates ? { "dispatch step row": { plan: "dispatch", limits: { immediates: false } } } : {}),
    ...Object.fromEntries(named),
  };
}
