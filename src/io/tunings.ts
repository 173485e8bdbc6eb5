/** Tunings between runs: read when a device is opened, written when it was measured. */
import { version } from "../../package.json";
import type { DeviceInfo } from "../device.ts";
import type { Tuning } from "../policy/limits.ts";
import { parseJson, stringifyJson } from "./json.ts";
import type { Place } from "./place.ts";
import { asNumber, asObject, asString, field, misplaced } from "./place.ts";

/** What a tuning belongs to: another driver or another version has other kernels. */
export const tuningKey = ({ adapter, driver }: DeviceInfo): string => `${adapter}; ${driver}; tilegrad ${version}`;

/** Where tunings are kept: files in the user's cache folder in Node, IndexedDB in a browser. */
export interface TuningStore {
  /** The text kept under a key, or null. */
  read(key: string): Promise<string | null>;
  /** Replaces it, whole. @throws E_FILE */
  write(key: string, text: string): Promise<void>;
}

const KEPT = "the tuning kept for this device";

export const saveTuning = (store: TuningStore, tuning: Tuning): Promise<void> =>
  store.write(tuning.device, stringifyJson(tuning));

/** The tuning kept for a device. One that cannot be read or used is left aside, with a warning on the console. */
export async function loadTuning(store: TuningStore, key: string): Promise<Tuning | null> {
  try {
    const text = await store.read(key);
    return text === null
      ? null
      : parseTuning({ value: parseJson(new TextEncoder().encode(text), KEPT), file: KEPT, path: "" }, key);
  } catch (error) {
    console.warn(`tilegrad: ${(error as Error).message} It is not used; doctor --tune makes another.`);
    return null;
  }
}

/** Kernels by `bucketOf`, checked. */
function forcesOf(place: Place): Tuning["kernels"] {
  for (const bucket of Object.keys(asObject(place))) {
    const force = field(place, bucket);
    // Which there are is known to the op, which leaves aside what it does not know.
    for (const chosen of Object.values(asObject(force)))
      if (typeof chosen !== "string" && typeof chosen !== "number")
        throw misplaced(force, "names and numbers of kernels");
  }
  return place.value as Tuning["kernels"];
}

/**
 * Checks a tuning that comes from outside.
 * @param key of the device that is to use it; default: any
 * @throws E_FILE when a field is wrong, or it was measured on another device or with another version
 */
export function parseTuning(place: Place, key?: string): Tuning {
  const device = field(place, "device");
  if (asString(device) !== (key ?? device.value))
    throw misplaced(device, JSON.stringify(key), "Measure this device: tilegrad doctor --tune.");
  const cost = (name: string): number => {
    const figure = field(field(place, "costs"), name);
    const us = asNumber(figure);
    if (!(us > 0 && Number.isFinite(us))) throw misplaced(figure, "a finite number above 0");
    return us;
  };
  return {
    device: asString(device),
    costs: {
      dispatch: cost("dispatch"),
      rate: cost("rate"),
      residentRate: cost("residentRate"),
      stage: cost("stage"),
      near: cost("near"),
    },
    kernels: forcesOf(field(place, "kernels")),
  };
}
