/** Shared by the format tests: damages a file in many ways; a reader must read it or throw E_FILE. */
import { expect } from "vitest";
import { TilegradError } from "../../src/errors.ts";

/** What a reader did: its value, or the E_FILE it threw; any other error fails the test. */
export function attempt<T>(read: () => T): { value: T } | { error: TilegradError } {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof TilegradError)) throw error;
    expect(error.code).toBe("E_FILE");
    return { error };
  }
}

/** Every truncation of a file, shortest first. */
export function* truncations(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length++) yield bytes.slice(0, length);
}

/** Each byte in turn changed in several ways. */
export function* flips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0, 255, 0x22, 0x5b, 0x7b, bytes[at] ^ 1, bytes[at] ^ 128, bytes[at] + 1]) {
      if ((value & 255) === bytes[at]) continue;
      const copy = bytes.slice();
      copy[at] = value;
      yield copy;
    }
  }
}
