/** Has the compiler compare `options.ts` with the methods' options: none is missing, none too many, each of its kind. */
import type { OptionKinds } from "../options.ts";
import type { ResamplerName, resamplers } from "./methods.ts";
import type { RESAMPLE_OPTIONS } from "./options.ts";

type Kinds = { readonly [M in ResamplerName]: OptionKinds<NonNullable<Parameters<(typeof resamplers)[M]>[1]>> };
type Given = typeof RESAMPLE_OPTIONS;
type TooMany = { [M in ResamplerName]: Exclude<keyof Given[M], keyof Kinds[M]> }[ResamplerName];

type IsTrue<T extends true> = T;
export type NoneMissing = IsTrue<Given extends Kinds ? true : false>;
export type NoneTooMany = IsTrue<[TooMany] extends [never] ? true : false>;
