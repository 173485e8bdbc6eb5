/** Has the compiler compare `layerOptions.ts` with the layers' options: none is missing, none too many, each of its kind. */
import type { OptionKinds } from "../options.ts";
import type { Layer, LayerOptions } from "./layer.ts";
import type { LAYER_OPTIONS } from "./layerOptions.ts";
import type * as attention from "./layers/attention.ts";
import type * as augmentation from "./layers/augmentation.ts";
import type * as convolution from "./layers/convolution.ts";
import type * as dense from "./layers/dense.ts";
import type * as embedding from "./layers/embedding.ts";
import type * as image from "./layers/image.ts";
import type * as merge from "./layers/merge.ts";
import type * as noise from "./layers/noise.ts";
import type * as normalization from "./layers/normalization.ts";
import type * as pooling from "./layers/pooling.ts";
import type * as recurrent from "./layers/recurrent.ts";
import type * as seriesAugmentation from "./layers/seriesAugmentation.ts";
import type * as shape from "./layers/shape.ts";
import type * as wrappers from "./layers/wrappers.ts";

type Modules = typeof attention &
  typeof augmentation &
  typeof convolution &
  typeof dense &
  typeof embedding &
  typeof image &
  typeof merge &
  typeof noise &
  typeof normalization &
  typeof pooling &
  typeof recurrent &
  typeof seriesAugmentation &
  typeof shape &
  typeof wrappers;

/** The form of a maker's first argument that holds all options. */
type OptionsOf<M> = M extends (...args: infer A) => Layer ? Exclude<Extract<A[0], LayerOptions>, Layer> : never;
type KindsOf<O> = OptionKinds<Omit<O, keyof LayerOptions>>;
type Kinds = {
  readonly [K in keyof Modules as Modules[K] extends (...args: never[]) => Layer ? K : never]: KindsOf<
    OptionsOf<Modules[K]>
  >;
};
type Given = typeof LAYER_OPTIONS;
type TooMany = { [K in keyof Given]: K extends keyof Kinds ? Exclude<keyof Given[K], keyof Kinds[K]> : K }[keyof Given];

type IsTrue<T extends true> = T;
export type NoneMissing = IsTrue<Given extends Kinds ? true : false>;
export type NoneTooMany = IsTrue<[TooMany] extends [never] ? true : false>;
