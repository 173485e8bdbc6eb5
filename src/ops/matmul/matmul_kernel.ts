/** Which kernel multiplies matrices, given shapes and device. */
import matmulLanes from "../../../shaders/matmul/matmul_lanes.wgsl";
import matmulNaive from "../../../shaders/matmul/matmul_naive.wgsl";
import matmulSubgroup from "../../../shaders/matmul/matmul_subgroup.wgsl";
import matmulTiled from "../../../shaders/matmul/matmul_tiled.wgsl";
import matmulVec4 from "../../../shaders/matmul/matmul_vec4.wgsl";
import type { Attrs, KernelChoice, TensorType } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import type { KernelLimits, KernelVariant } from "../../policy/limits.ts";
import { forced } from "../../policy/limits.ts";

export interface MatmulExtents {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** a [..., m, k] (or [..., k, m] transposed) and b [..., k, n] (or [..., n, k]). */
export function matmulExtents(a: TensorType, b: TensorType, { transposeA, transposeB }: Attrs): MatmulExtents {
  const rank = a.shape.length;
  return {
    batch: sizeOf(a.shape.slice(0, -2)),
    m: a.shape[transposeA ? rank - 1 : rank - 2],
    k: a.shape[transposeA ? rank - 2 : rank - 1],
    n: b.shape[b.shape.length - (transposeB ? 2 : 1)],
  };
}

export const MATMUL_VARIANTS = ["naive", "vec4", "subgroup", "tiled", "tiledLarge"] as const;
export type MatmulVariant = (typeof MATMUL_VARIANTS)[number];
/** Shares that a long sum of products is cut into, at most. */
const SPLIT_COUNTS = [1, 4, 16] as const;

/** Can the device run it? */
export function supportsMatmul(variant: MatmulVariant, limits: KernelLimits): boolean {
  if (variant === "subgroup") return limits.minSubgroupSize >= 4;
  if (variant === "tiled") return limits.maxWorkgroupSize >= 128;
  if (variant === "tiledLarge") return limits.maxWorkgroupSize >= 256;
  return true;
}

export const matmulVariants = (limits: KernelLimits): KernelVariant[] => [
  ...MATMUL_VARIANTS.filter((matmul) => supportsMatmul(matmul, limits)).map((matmul) => ({ force: { matmul } })),
  ...SPLIT_COUNTS.map((splits): KernelVariant => ({ force: { splits }, reorders: true })),
];

/** Fewer tiles of 64 x 64 than this leave a hardware GPU idle, and fewer of 128 x 128. */
const BUSY_TILES = 32;
const BUSY_LARGE_TILES = 64;
/** Threads of 4 x 4 outputs that keep a hardware GPU busy, and products that each should have. */
const BUSY_THREADS = 16_384;
const LEAST_PRODUCTS = 256;
const MOST_SPLITS = 32;

/**
 * Into how many equal shares a product A^T · B cuts its sum over k: on a hardware GPU that few outputs would leave idle, as
 * in the kernel gradients of small layers over many rows. A divisor of k, by shape and device alone.
 */
export function splitsOf(m: number, n: number, k: number, limits: KernelLimits): number {
  const threads = Math.ceil(m / 4) * Math.ceil(n / 4);
  const wanted = Math.min(Math.floor(BUSY_THREADS / threads), Math.floor(k / LEAST_PRODUCTS), MOST_SPLITS);
  const most = forced(limits, "splits", SPLIT_COUNTS) ?? (limits.software ? 1 : wanted);
  for (let splits = Math.min(most, k); splits > 1; splits--) if (k % splits === 0) return splits;
  return 1;
}

/** Multiplications from which on speed is worth the longer compilation. */
const SMALL = 8192;
/** Columns of B, k apart, from which on the caches of a software GPU do not keep a line of each. */
const FAR = 128;

/** All these add up in the order of k, so the choice is one of speed alone; bench/results/kernels.md has the figures. */
function chooseVariant(extents: MatmulExtents, limits: KernelLimits): MatmulVariant | "lanes" {
  const { batch, m, n, k } = extents;
  const tiles = batch * Math.ceil(m / 64) * Math.ceil(n / 64);
  const products = batch * m * n * k;
  // With one column there is nothing to keep in registers, and the naive kernel compiles in a third of the time.
  if (n === 1 || (k === 1 && products < SMALL)) return "naive";
  if (limits.resident) return chooseResident(products, limits);
  // Where sums are that short, sharing A gains nothing either.
  if (k < 4) return "vec4";
  if (limits.software) return n >= 16 && supportsMatmul("subgroup", limits) ? "subgroup" : "vec4";
  const large = batch * Math.ceil(m / 128) * Math.ceil(n / 128);
  if (large >= BUSY_LARGE_TILES && Math.min(m, n) >= 128 && supportsMatmul("tiledLarge", limits)) return "tiledLarge";
  return m >= 32 && n >= 32 && tiles >= BUSY_TILES && supportsMatmul("tiled", limits) ? "tiled" : "vec4";
}

/** On a software GPU a resident plan has eight threads, for lanes where one subgroup holds them. */
function chooseResident(products: number, { software, minSubgroupSize }: KernelLimits): "naive" | "lanes" | "vec4" {
  const lanes = software && minSubgroupSize >= 8;
  if (!lanes) return products < SMALL ? "naive" : "vec4";
  // Their kernel has half as much code again as naive.
  return products < SMALL / 2 ? "naive" : "lanes";
}

/**
 * Do the kernels without tiles take k one by one? By fours they are hardly faster on a software GPU, and take up to three times
 * as long to compile there. But products by B^T are, which then read four of each column while its line is in the cache, and
 * with subgroups of four lanes, as SwiftShader's, each turn of the loop is too dear.
 */
function isRolled(variant: MatmulVariant, k: number, { transposeB }: Attrs, limits: KernelLimits): boolean {
  if (!limits.software) return false;
  if (transposeB && k >= FAR && k % 4 === 0 && !limits.resident) return false;
  return variant === "vec4" || (variant === "subgroup" && limits.minSubgroupSize >= 8);
}

/** y = a · b. With `onesRow`, output 1 is the sum of b over its rows: a row of ones below a. */
export function matmulKernel(
  a: TensorType,
  b: TensorType,
  attrs: Attrs,
  onesRow: boolean,
  limits: KernelLimits,
): KernelChoice {
  const extents = matmulExtents(a, b, attrs);
  const { batch, m, n, k } = extents;
  const rows = m + (onesRow ? 1 : 0);
  const params = {
    batch,
    m,
    n,
    k,
    a_batch: m * k,
    a_row: attrs.transposeA ? 1 : k,
    a_inner: attrs.transposeA ? m : 1,
    b_batch: b.shape.length > 2 ? k * n : 0,
    b_inner: attrs.transposeB ? 1 : n,
    b_column: attrs.transposeB ? k : 1,
  };
  const total = onesRow ? [{ hook: "store_total", output: 1 }] : [];
  const asked = limits.resident ? undefined : forced(limits, "matmul", MATMUL_VARIANTS);
  const variant = asked ?? chooseVariant(extents, limits);
  if (variant === "naive" || variant === "lanes") {
    const naive = variant === "naive";
    return {
      shader: naive ? matmulNaive : matmulLanes,
      constants: { ONES_ROW: onesRow, ...(naive ? {} : { K_ODD: k % 2 === 1 }) },
      params,
      grid: { threads: naive ? batch * rows * n : 8 * batch * Math.ceil(rows / 8) * Math.ceil(n / 8) },
      loads: [
        { hook: "load_a", input: 0 },
        { hook: "load_b", input: 1 },
      ],
      stores: [{ hook: "store_y", output: 0 }, ...total],
    };
  }
  // Four neighbours are taken at once where they lie side by side and no row ends between them.
  const tiled = variant === "tiled" || variant === "tiledLarge";
  const rolled = isRolled(variant, k, attrs, limits);
  // The subgroup kernel takes A element by element and k of any length: a few shapes more share a pipeline, at no cost.
  const wideA = !rolled && variant !== "subgroup" && !attrs.transposeA && k % 4 === 0;
  const wideB = params.b_column === 1 && n % 4 === 0;
  const columnsB = attrs.transposeB === true && k % 4 === 0 && !tiled && !rolled;
  const wideY = n % 4 === 0;
  const common = {
    ONES_ROW: onesRow,
    WIDE_A: wideA,
    WIDE_B: wideB,
    WIDE_Y: wideY,
    COLUMNS_B: columnsB,
    K_REST: !rolled && (variant === "subgroup" || k % (tiled ? 16 : 4) !== 0),
    ...(tiled ? {} : { ROLLED: rolled }),
  };
  const special = specialise(variant, { ...extents, m: rows }, limits, common);
  return {
    ...special,
    params: { ...params, ...special.params },
    loads: [
      wideA ? { hook: "load_a4", input: 0, width: 4 } : { hook: "load_a", input: 0 },
      wideB || columnsB ? { hook: "load_b4", input: 1, width: 4 } : { hook: "load_b", input: 1 },
    ],
    stores: [wideY ? { hook: "store_y4", output: 0, width: 4 } : { hook: "store_y", output: 0 }, ...total],
  };
}

/** Threads that a resident plan of a software GPU keeps busy; more rows a thread, which save loads, must leave so many. */
const RESIDENT_THREADS = 16;

function rowsOf({ batch, m, n }: MatmulExtents, { resident, software }: KernelLimits): 4 | 8 {
  const threads = batch * Math.ceil(m / 8) * Math.ceil(n / 4);
  return resident && software && threads >= RESIDENT_THREADS ? 8 : 4;
}

function specialise(
  variant: Exclude<MatmulVariant, "naive">,
  extents: MatmulExtents,
  limits: KernelLimits,
  common: NonNullable<KernelChoice["constants"]>,
): Pick<KernelChoice, "shader" | "constants" | "grid"> & Partial<Pick<KernelChoice, "params">> {
  const { batch, m, n } = extents;
  const columns = Math.ceil(n / 4);
  switch (variant) {
    case "vec4": {
      const rows = rowsOf(extents, limits);
      return {
        shader: matmulVec4,
        constants: { ...common, ROWS: rows },
        params: { rows },
        grid: { threads: batch * Math.ceil(m / rows) * columns },
      };
    }
    case "subgroup": {
      // As many threads as there are columns to hold, but whole subgroups of any size up to 32. Software GPUs gain nothing
      // from more, and compile one kernel less.
      const wg = Math.min(limits.software ? 16 : 32, 8 * Math.ceil(columns / 8));
      const constants = { ...common, WG: wg, LANES: limits.minSubgroupSize >= 8 ? 8 : 4 };
      return {
        shader: matmulSubgroup,
        constants,
        grid: { workgroups: [batch * Math.ceil(m / 8) * Math.ceil(columns / wg), 1, 1] },
      };
    }
    case "tiled":
      return {
        shader: matmulTiled,
        constants: common,
        grid: { workgroups: [batch * Math.ceil(m / 64) * Math.ceil(n / 64), 1, 1] },
      };
    case "tiledLarge":
      return {
        shader: matmulTiled,
        constants: { ...common, TILE: 128, WG: 256, PARTS: 2 },
        grid: { workgroups: [batch * Math.ceil(m / 128) * Math.ceil(n / 128), 1, 1] },
      };
    default:
      return variant satisfies never;
  }
}
