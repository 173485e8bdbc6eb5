/**
 * Elementwise functions, one row each: WGSL, JS and derivative. Inputs have one shape (the public functions broadcast);
 * comparisons give 1 or 0 as f32, 0 where either side is NaN. But for these, `isFinite`, `where` and `pow`, NaN in gives NaN
 * out, on every device. Anything that is a composition of rows is written as one, because fusion makes
 * compositions free.
 */

import erfLib from "../../../shaders/lib/erf.wgsl";
import mathLib from "../../../shaders/lib/math.wgsl";
import powLib from "../../../shaders/lib/pow.wgsl";
import sinLib from "../../../shaders/lib/sin.wgsl";
import { TilegradError } from "../../errors.ts";
import { apply1, checkTensors, showType } from "../../graph/apply.ts";
import type { ShaderLibrary } from "../../graph/shader.ts";
import type { OpDef, Sample, Tensor } from "../../graph/types.ts";
import { sameShape, sizeOf } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import {
  erf as erfJs,
  expm1 as expm1Js,
  log1p as log1pJs,
  pow as powJs,
  sigmoid as sigmoidJs,
  softplus as softplusJs,
} from "../../numeric.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions } from "../../options.ts";
import { f32, isNan, shapeError } from "../op.ts";
import { broadcastTo } from "./broadcast.ts";
import { constant } from "./constant.ts";

export type Operand = Tensor | number;

const leakyReluOptions = {
  /** Of x below 0; default 0.2. */
  negativeSlope: is.finite,
};

export interface LeakyReluOptions extends OptionsOf<typeof leakyReluOptions> {}

const geluOptions = () => ({
  /** "none" (default) is exact. */
  approximate: is.oneOf("none", "tanh"),
});

export interface GeluOptions extends OptionsOf<typeof geluOptions> {}

/** `y`, but x where that is NaN: drivers may lose it. */
const orNan = (y: string, x: string, t: string): string => `select(${y}, ${x}, ${isNan(x, t)})`;

interface Row {
  /** Of scalars or of vec4: `t` is the type. With `math`, of scalars alone. */
  readonly wgsl: (x: readonly string[], t: string) => string;
  readonly js: (...x: number[]) => number;
  /** dx_i = upstream * derivative_i; rules get the inputs, the output y and the upstream gradient dy. */
  readonly grad: (call: { x: readonly Tensor[]; y: Tensor; dy: Tensor }) => readonly (Tensor | null)[];
  readonly math?: ShaderLibrary;
  /** Where the tests draw inputs from, if not [-2, 2]. */
  readonly range?: readonly [number, number];
  readonly domain?: OpDef["domain"];
  readonly flops?: number;
}

// Bundlers drop the rows that an app does not use.
/* @__NO_SIDE_EFFECTS__ */
function define(name: string, row: Row): OpDef {
  const arity = row.js.length;
  const op: OpDef = {
    name,
    shape(inputs) {
      if (inputs.length !== arity || inputs.some((t) => !sameShape(t.shape, inputs[0].shape))) {
        throw shapeError(name, inputs, `${arity} tensor(s) of one shape`);
      }
      if (inputs.some((t) => t.dtype !== "f32")) {
        throw new TilegradError("E_DTYPE", `${name}: got ${inputs.map(showType).join(", ")}; expected f32.`, {
          hint: "Convert with cast(x).",
        });
      }
      return [f32(...inputs[0].shape)];
    },
    grad: ({ inputs, outputs, upstream }) => row.grad({ x: inputs, y: outputs[0], dy: upstream[0] as Tensor }),
    reference({ inputs, outputs }) {
      const [a, b, c] = inputs;
      const y = outputs[0];
      const js = row.js;
      if (arity === 1) for (let i = 0; i < y.length; i++) y[i] = js(a[i]);
      else if (arity === 2) for (let i = 0; i < y.length; i++) y[i] = js(a[i], b[i]);
      else for (let i = 0; i < y.length; i++) y[i] = js(a[i], b[i], c[i]);
    },
    pointwise: true,
    domain: row.domain,
    inline(code, node, index) {
      if (row.math) code.use(row.math);
      return row.wgsl(
        node.inputs.map((x) => code.at(x, index)),
        "f32",
      );
    },
    inline4: row.math
      ? undefined
      : (code, node, index) =>
          row.wgsl(
            node.inputs.map((x) => code.at4(x, index)),
            "vec4<f32>",
          ),
    flops: (node) => (row.flops ?? 1) * sizeOf(node.outputs[0].shape),
    samples: () => {
      const of = (...shape: number[]): Sample => ({
        inputs: Array.from({ length: arity }, () => ({ ...f32(...shape), range: row.range ?? [-2, 2] })),
      });
      return [of(), of(1), of(7, 13), of(1031), of(17, 64)];
    },
  };
  return op;
}

const addOp = define("add", {
  wgsl: ([a, b]) => `(${a} + ${b})`,
  js: (a, b) => a + b,
  grad: ({ dy }) => [dy, dy],
});
const subOp = define("sub", {
  wgsl: ([a, b]) => `(${a} - ${b})`,
  js: (a, b) => a - b,
  grad: ({ dy }) => [dy, neg(dy)],
});
const mulOp = define("mul", {
  wgsl: ([a, b]) => `(${a} * ${b})`,
  js: (a, b) => a * b,
  grad: ({ x: [a, b], dy }) => [mul(dy, b), mul(dy, a)],
});
const divOp = define("div", {
  wgsl: ([a, b]) => `(${a} / ${b})`,
  js: (a, b) => a / b,
  // d(a/b) = da / b - (a/b) db / b
  grad: ({ x: [, b], y, dy }) => [div(dy, b), neg(div(mul(dy, y), b))],
  range: [0.5, 2],
});
const negOp = define("neg", { wgsl: ([a]) => `(-${a})`, js: (a) => -a, grad: ({ dy }) => [neg(dy)] });
const powOp = define("pow", {
  wgsl: ([a, b]) => `pow_f(${a}, ${b})`,
  js: (a, b) => powJs(a, b),
  grad: ({ x: [a, b], y, dy }) => [mul(dy, mul(b, pow(a, sub(b, 1)))), mul(dy, mul(y, log(a)))],
  math: powLib,
  range: [0.5, 2],
  flops: 2,
});
// At a tie the whole gradient goes to the first argument (TensorFlow's rule).
const minOp = define("min", {
  wgsl: ([a, b], t) => `select(${b}, ${a}, (${a} < ${b}) | (${isNan(a, t)}))`,
  js: (a, b) => Math.min(a, b),
  grad: ({ x: [a, b], dy }) => [mul(dy, lessEqual(a, b)), mul(dy, greater(a, b))],
});
const maxOp = define("max", {
  wgsl: ([a, b], t) => `select(${b}, ${a}, (${a} > ${b}) | (${isNan(a, t)}))`,
  js: (a, b) => Math.max(a, b),
  grad: ({ x: [a, b], dy }) => [mul(dy, greaterEqual(a, b)), mul(dy, less(a, b))],
});
const absOp = define("abs", {
  wgsl: ([a]) => `abs(${a})`,
  js: (a) => Math.abs(a),
  grad: ({ x: [a], dy }) => [mul(dy, sign(a))],
});
const expOp = define("exp", {
  wgsl: ([a], t) => orNan(`exp(${a})`, a, t),
  js: (a) => Math.exp(a),
  grad: ({ y, dy }) => [mul(dy, y)],
});
const logOp = define("log", {
  wgsl: ([a]) => `log_f(${a})`,
  js: (a) => Math.log(a),
  grad: ({ x: [a], dy }) => [div(dy, a)],
  math: mathLib,
  range: [0.1, 4],
});
const log1pOp = define("log1p", {
  wgsl: ([a]) => `log1p_f(${a})`,
  js: (a) => log1pJs(a),
  grad: ({ x: [a], dy }) => [div(dy, add(a, 1))],
  math: mathLib,
  range: [-0.9, 4],
  flops: 12,
});
const expm1Op = define("expm1", {
  wgsl: ([a]) => `expm1_f(${a})`,
  js: (a) => expm1Js(a),
  grad: ({ y, dy }) => [mul(dy, add(y, 1))],
  math: mathLib,
  flops: 12,
});
const sqrtOp = define("sqrt", {
  wgsl: ([a]) => `sqrt(${a})`,
  js: (a) => Math.sqrt(a),
  grad: ({ y, dy }) => [div(mul(dy, 0.5), y)],
  range: [0.1, 4],
});
const rsqrtOp = define("rsqrt", {
  wgsl: ([a]) => `inverseSqrt(${a})`,
  js: (a) => 1 / Math.sqrt(a),
  // d x^-1/2 = -1/2 x^-3/2
  grad: ({ y, dy }) => [mul(mul(dy, -0.5), mul(y, square(y)))],
  range: [0.1, 4],
});
const squareOp = define("square", {
  wgsl: ([a]) => `(${a} * ${a})`,
  js: (a) => a * a,
  grad: ({ x: [a], dy }) => [mul(dy, mul(a, 2))],
});
const signOp = define("sign", {
  wgsl: ([a], t) => orNan(`sign(${a})`, a, t),
  js: (a) => Math.sign(a),
  grad: () => [null],
});
const floorOp = define("floor", { wgsl: ([a]) => `floor(${a})`, js: (a) => Math.floor(a), grad: () => [null] });
const sinOp = define("sin", {
  wgsl: ([a]) => `sin_quarters(${a}, 0)`,
  js: (a) => Math.sin(a),
  grad: ({ x: [a], dy }) => [mul(dy, cos(a))],
  math: sinLib,
  range: [-20, 20],
  domain: [-1e5, 1e5],
  flops: 20,
});
const cosOp = define("cos", {
  wgsl: ([a]) => `sin_quarters(${a}, 1)`,
  js: (a) => Math.cos(a),
  grad: ({ x: [a], dy }) => [neg(mul(dy, sin(a)))],
  math: sinLib,
  range: [-20, 20],
  domain: [-1e5, 1e5],
  flops: 20,
});
const tanhOp = define("tanh", {
  wgsl: ([a]) => `tanh_f(${a})`,
  js: (a) => Math.tanh(a),
  grad: ({ y, dy }) => [mul(dy, sub(1, square(y)))],
  math: mathLib,
  flops: 12,
});
const sigmoidOp = define("sigmoid", {
  wgsl: ([a]) => `sigmoid_f(${a})`,
  js: (a) => sigmoidJs(a),
  grad: ({ y, dy }) => [mul(dy, mul(y, sub(1, y)))],
  math: mathLib,
  flops: 6,
});
const softplusOp = define("softplus", {
  wgsl: ([a]) => `softplus_f(${a})`,
  js: (a) => softplusJs(a),
  grad: ({ x: [a], dy }) => [mul(dy, sigmoid(a))],
  math: mathLib,
  flops: 16,
});
const erfOp = define("erf", {
  wgsl: ([a]) => `erf_f(${a})`,
  js: (a) => erfJs(a),
  // 2 / sqrt(pi) e^-x^2
  grad: ({ x: [a], dy }) => [mul(dy, mul(exp(neg(square(a))), 2 / Math.sqrt(Math.PI)))],
  math: erfLib,
  flops: 30,
});
const reluOp = define("relu", {
  wgsl: ([a], t) => `select(${t}(0.0), ${a}, (${a} > ${t}(0.0)) | (${isNan(a, t)}))`,
  js: (a) => Math.max(a, 0),
  // From the output, so that the pre-activation need not be kept.
  grad: ({ y, dy }) => [mul(dy, greater(y, 0))],
});

/* @__NO_SIDE_EFFECTS__ */
function compare(name: string, symbol: string, js: (a: number, b: number) => boolean): OpDef {
  return define(name, {
    wgsl: ([a, b], t) => `${t}(${a} ${symbol} ${b})`,
    js: (a, b) => (js(a, b) ? 1 : 0),
    grad: () => [null, null],
  });
}
const greaterOp = compare("greater", ">", (a, b) => a > b);
const greaterEqualOp = compare("greaterEqual", ">=", (a, b) => a >= b);
const lessOp = compare("less", "<", (a, b) => a < b);
const lessEqualOp = compare("lessEqual", "<=", (a, b) => a <= b);
const equalOp = compare("equal", "==", (a, b) => a === b);

const whereOp = define("where", {
  wgsl: ([c, a, b], t) => `select(${a}, ${b}, ${c} == ${t}(0.0))`,
  js: (c, a, b) => (c !== 0 ? a : b),
  grad: ({ x: [c], dy }) => [null, where(c, dy, 0), where(c, 0, dy)],
});
const isFiniteOp = define("isFinite", {
  wgsl: ([a]) => `is_finite_f(${a})`,
  js: (a) => (Number.isFinite(a) ? 1 : 0),
  grad: () => [null],
  math: mathLib,
});

/** All rows, for the tests, `doctor` and nobody else. */
export const elementwiseOps: readonly OpDef[] = [
  addOp,
  subOp,
  mulOp,
  divOp,
  negOp,
  powOp,
  minOp,
  maxOp,
  absOp,
  expOp,
  logOp,
  log1pOp,
  expm1Op,
  sqrtOp,
  rsqrtOp,
  squareOp,
  signOp,
  floorOp,
  sinOp,
  cosOp,
  tanhOp,
  sigmoidOp,
  softplusOp,
  erfOp,
  reluOp,
  greaterOp,
  greaterEqualOp,
  lessOp,
  lessEqualOp,
  equalOp,
  whereOp,
  isFiniteOp,
];

/** The shape that all operands broadcast to (NumPy's rule: aligned at the last axis, 1 stretches). */
function broadcastShape(name: string, operands: readonly Tensor[]): readonly number[] {
  const rank = Math.max(...operands.map((t) => t.shape.length));
  const shape = new Array<number>(rank).fill(1);
  for (const t of operands) {
    t.shape.forEach((n, d) => {
      const at = d + rank - t.shape.length;
      if (n !== shape[at] && n !== 1) {
        if (shape[at] !== 1)
          throw shapeError(name, operands, "shapes that broadcast (equal or 1, aligned at the last axis)");
        shape[at] = n;
      }
    });
  }
  return shape;
}

function call(op: OpDef, ...operands: Operand[]): Tensor {
  const tensors = operands.map((x) => (typeof x === "number" ? constant(x) : x));
  checkTensors(op.name, ...tensors);
  const shape = broadcastShape(op.name, tensors);
  return apply1(
    op,
    tensors.map((t) => broadcastTo(t, shape)),
  );
}

/** a + b. */
export const add = (a: Operand, b: Operand): Tensor => call(addOp, a, b);
/** a - b. */
export const sub = (a: Operand, b: Operand): Tensor => call(subOp, a, b);
/** a b, element by element. */
export const mul = (a: Operand, b: Operand): Tensor => call(mulOp, a, b);
/** a / b. */
export const div = (a: Operand, b: Operand): Tensor => call(divOp, a, b);
/** a^b by IEEE 754: 1 if b is 0 or a is 1, even where the other is NaN; NaN for a below 0 unless b is whole. */
export const pow = (a: Operand, b: Operand): Tensor => call(powOp, a, b);
/** The smaller of a and b. */
export const minimum = (a: Operand, b: Operand): Tensor => call(minOp, a, b);
/** The larger of a and b. */
export const maximum = (a: Operand, b: Operand): Tensor => call(maxOp, a, b);
/** -x. */
export const neg = (x: Operand): Tensor => call(negOp, x);
/** |x|. */
export const abs = (x: Operand): Tensor => call(absOp, x);
/** e^x. */
export const exp = (x: Operand): Tensor => call(expOp, x);
/** The natural logarithm: -Infinity at 0, NaN below. */
export const log = (x: Operand): Tensor => call(logOp, x);
/** log(1 + x), exact where x is small. */
export const log1p = (x: Operand): Tensor => call(log1pOp, x);
/** e^x - 1, exact where x is small. */
export const expm1 = (x: Operand): Tensor => call(expm1Op, x);
/** The square root of x >= 0. */
export const sqrt = (x: Operand): Tensor => call(sqrtOp, x);
/** 1 / sqrt(x). */
export const rsqrt = (x: Operand): Tensor => call(rsqrtOp, x);
/** x^2. */
export const square = (x: Operand): Tensor => call(squareOp, x);
/** -1, 0 or 1. */
export const sign = (x: Operand): Tensor => call(signOp, x);
/** The largest whole number not above x; its gradient is 0. */
export const floor = (x: Operand): Tensor => call(floorOp, x);
/** The sine, x in radians: right for |x| up to 1e5, beyond within [-1, 1]. */
export const sin = (x: Operand): Tensor => call(sinOp, x);
/** The cosine, x in radians: right for |x| up to 1e5, beyond within [-1, 1]. */
export const cos = (x: Operand): Tensor => call(cosOp, x);
/** The hyperbolic tangent. */
export const tanh = (x: Operand): Tensor => call(tanhOp, x);
/** 1 / (1 + e^-x). */
export const sigmoid = (x: Operand): Tensor => call(sigmoidOp, x);
/** log(1 + e^x) */
export const softplus = (x: Operand): Tensor => call(softplusOp, x);
/** The error function. */
export const erf = (x: Operand): Tensor => call(erfOp, x);
/** max(x, 0). */
export const relu = (x: Operand): Tensor => call(reluOp, x);
/** 1 where a > b, else 0. */
export const greater = (a: Operand, b: Operand): Tensor => call(greaterOp, a, b);
/** 1 where a >= b, else 0. */
export const greaterEqual = (a: Operand, b: Operand): Tensor => call(greaterEqualOp, a, b);
/** 1 where a < b, else 0. */
export const less = (a: Operand, b: Operand): Tensor => call(lessOp, a, b);
/** 1 where a <= b, else 0. */
export const lessEqual = (a: Operand, b: Operand): Tensor => call(lessEqualOp, a, b);
/** 1 where a = b, else 0. */
export const equal = (a: Operand, b: Operand): Tensor => call(equalOp, a, b);
/** a where the condition is not 0, else b. */
export const where = (condition: Operand, a: Operand, b: Operand): Tensor => call(whereOp, condition, a, b);
/** 1 where x is finite, 0 where it is infinite or NaN. */
export const finite = (x: Operand): Tensor => call(isFiniteOp, x);

/** x limited to [low, high]; the gradient is 0 where it was limited. */
export const clip = (x: Operand, low: number, high: number): Tensor => minimum(maximum(x, low), high);
/** x where it is above 0, else its `negativeSlope`-fold. */
export const leakyRelu = (x: Operand, options: LeakyReluOptions = {}): Tensor => {
  const { negativeSlope = 0.2 } = checkOptions("leakyRelu", options, leakyReluOptions);
  return mul(x, where(greater(x, 0), 1, negativeSlope));
};
/** x for x > 0, else alpha (e^x - 1); the minimum keeps the branch not taken finite. */
export const elu = (x: Operand, alpha = 1): Tensor => where(greater(x, 0), x, mul(expm1(minimum(x, 0)), alpha));
/** x sigmoid(x) */
export const silu = (x: Operand): Tensor => mul(x, sigmoid(x));
/** x/2 (1 + erf(x / sqrt 2)), or the tanh form of Hendrycks and Gimpel 2016. */
export function gelu(x: Operand, options: GeluOptions = {}): Tensor {
  const { approximate = "none" } = checkOptions("gelu", options, geluOptions());
  if (approximate === "none") return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
  const inner = mul(Math.sqrt(2 / Math.PI), add(x, mul(mul(square(x), x), 0.044715)));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}
