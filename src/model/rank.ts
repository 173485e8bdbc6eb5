/** What layers of sequences and of images are given. */
import { TilegradError } from "../errors.ts";
import { showType } from "../graph/apply.ts";
import type { Tensor } from "../graph/types.ts";

const EXPECTED = {
  3: "a sequence [batch, time, features]",
  4: "an image [batch, height, width, channels]",
} as const;

/** The shape of an input of this rank. @throws E_SHAPE */
export function expectRank(type: string, x: Tensor, rank: keyof typeof EXPECTED): readonly number[] {
  if (x.shape.length === rank) return x.shape;
  throw new TilegradError("E_SHAPE", `${type}: got ${showType(x)}; expected ${EXPECTED[rank]}.`);
}
