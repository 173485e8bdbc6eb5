/** What a method of resampling is: its name, its options, and what it does with rows of two classes. */
import type { Device } from "../device.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf, Schema } from "../options.ts";
import { checkOptions } from "../options.ts";
import type { Classes, NumericRows, Resampled } from "./types.ts";
import { classesOf } from "./types.ts";

export const ratioOptions = () => ({
  /** Rows of the rarer class per row of the other after resampling: 1, the default, balances them. */
  samplingStrategy: is.positiveShare,
});

export interface RatioOptions extends OptionsOf<typeof ratioOptions> {}

export const randomOptions = () => ({
  ...ratioOptions(),
  /** Any safe integer; default 0. */
  seed: is.number,
});

export const deviceOptions = () => ({
  /** Where neighbours are searched. */
  device: is.required(is.device as Kind<Device>),
});

/** NumericRows rows -> rows to train on. */
export type Resampler<O> = {
  readonly type: string;
  readonly options: () => Schema;
} & (object extends O
  ? (data: NumericRows, options?: O) => Promise<Resampled>
  : (data: NumericRows, options: O) => Promise<Resampled>);

/** A method. Mark the call `@__PURE__`: it then costs nothing where nobody uses it. */
export function defineResampler<S extends Schema, O extends OptionsOf<S>>(
  type: string,
  options: () => S,
  run: (classes: Classes, options: O, data: NumericRows) => Resampled | Promise<Resampled>,
): Resampler<O> {
  const method = async (data: NumericRows, ...[given = {} as O]: [O?]) => {
    const classes = classesOf(type, data);
    return run(classes, checkOptions(type, given, options()), data);
  };
  return Object.assign(method, { type, options }) as unknown as Resampler<O>;
}
