import { expect } from "vitest";
import { TilegradError } from "../../src/errors.ts";

/** What the E_FILE error says with which `work` must end. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => expect.fail("nothing was thrown"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TilegradError);
  expect((error as TilegradError).code).toBe("E_FILE");
  return (error as TilegradError).message;
}
