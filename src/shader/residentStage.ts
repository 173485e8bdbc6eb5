/**
 * The stages of a resident plan as functions. Stages that differ in their numbers alone - shapes, offsets, where their values
 * lie - share one, which reads them from the table of stages: a driver compiles it once, however deep the network is.
 */
import { invariant } from "../errors.ts";
import type { ShaderLibrary } from "../graph/shader.ts";
import type { DType, KernelChoice } from "../graph/types.ts";
import type { Kernel } from "../passes/kernels.ts";
import type { Plan } from "../passes/plan.ts";
import type { Bindings } from "./bindings.ts";
import { writeHooks } from "./choice.ts";
import type { HookContext } from "./hooks.ts";
import { specialise } from "./link.ts";
import type { StepLayout } from "./lower.ts";

/** A number of a stage. */
interface StageNumber {
  readonly value: number;
  readonly dtype: DType | "i32";
  /** Whether it is the shader's: where one of a hook is equal by chance, stages that could share functions are not. */
  readonly own: boolean;
}

/** A kernel's shader without its entry point; `number_K` stands for its K-th number. */
export interface StageText {
  readonly text: string;
  readonly numbers: readonly StageNumber[];
}

/** What all stages share. */
export interface StageContext {
  readonly bindings: Bindings;
  readonly libs: Set<ShaderLibrary>;
  readonly steps: StepLayout;
}

/** Stages that share their functions: `kK_item`, with K the kind's number. */
export interface StageKind {
  readonly text: string;
  /** Whether its numbers differ from stage to stage: `kK_start` takes those from a row of the table on. */
  readonly shared: boolean;
}

export interface LinkedStages {
  readonly kinds: readonly StageKind[];
  /** Of each stage: its kind, and where that is shared the row of the table of stages from which on its numbers stand. */
  readonly stages: readonly { readonly kind: number; readonly row: number }[];
  /** The rows of the table that hold numbers of stages of shared kinds, four words each; other stages have theirs in the text. */
  readonly words: readonly number[];
}

/** More turns than any loop takes. */
export const ENDLESS = "4294967295u";

/**
 * WGSL whose loops no compiler makes longer. Drivers unroll those whose turns they can count, which took tens of seconds, and
 * Tint itself counts the turns of those whose end it does not know, which takes as much code as the loop. So a loop ends where
 * all know, and is left by a break where none knows. Loops to a constant of the shader stay: they index registers.
 */
const rolled = (code: string): string =>
  code.replace(
    /for \(var (\w+) = ([^;]+); ([^;]+); (\1(?:\+\+| \+= [^)]+))\) \{/g,
    (loop, index, from, condition, next) =>
      /(?<!\w)[a-z]/.test(condition.replace(new RegExp(`\\b${index}\\b`, "g"), ""))
        ? `for (var ${index} = ${from}; ${index} < ${ENDLESS}; ${next}) {\nif (!(${condition} + zero)) { break; }`
        : loop,
  );

/**
 * WGSL that runs a statement for every i below `count`, shared among the threads. No loop where each has one turn at most; and a
 * single item is at a place that compilers see to be the same for all, which drivers read once.
 */
export const forAll = (count: number | string, threads: number, statement: (i: string) => string): string => {
  if (count === 1) return `if (lane == 0u) { ${statement("0u")} }`;
  if (typeof count === "number" && count <= threads) {
    return count < threads ? `if (lane < ${count}u) { ${statement("lane")} }` : statement("lane");
  }
  return `for (var turn = 0u; turn < ${ENDLESS}; turn++) {
let i = lane + turn * ${threads}u;
if (i >= ${typeof count === "number" ? `${count}u` : count} + zero) { break; }
${statement("i")}
}`;
};

const literal = ({ value, dtype }: StageNumber): string => `${dtype}(${value})`;

const bitsOf = ({ value, dtype }: StageNumber): number =>
  dtype === "f32" ? new Uint32Array(Float32Array.of(value).buffer)[0] : value >>> 0;

const replaceNumbers = (text: string, by: (k: number) => string): string =>
  text.replace(/\bnumber_(\d+)\b/g, (_, k) => by(Number(k)));

export function writeStage(
  plan: Plan,
  kernel: Kernel,
  choice: KernelChoice,
  { bindings, libs, steps }: StageContext,
): StageText {
  const numbers: StageNumber[] = [];
  const numberOf = (value: number, dtype: StageNumber["dtype"], own: boolean): string => {
    let at = numbers.findIndex((n) => n.value === value && n.dtype === dtype && n.own === own);
    if (at < 0) at = numbers.push({ value, dtype, own }) - 1;
    return `number_${at}`;
  };
  const context: HookContext = {
    plan,
    kernel,
    bindings,
    libs,
    dim: (value) => numberOf(value, "u32", false),
    step(name, dtype) {
      const at = steps.column(name, dtype);
      const word = `step_row[${at >> 2}].${"xyzw"[at & 3]}`;
      return dtype === "u32" ? word : `bitcast<${dtype}>(${word})`;
    },
  };
  const { shader, constants = {}, params } = choice;
  // A shader's libraries may read its parameters, so each stage has them to itself.
  let code = specialise(shader, { constants, hooks: writeHooks(context, choice) });
  const types = new Map(shader.params?.fields.map(({ name, type }) => [name, type]));
  code = code.replace(/(?<![.\w])params\.(\w+)/g, (_, name) => {
    const type = types.get(name);
    invariant(type && name in params, `shader ${shader.name}: parameter ${name} is missing.`);
    return numberOf(params[name], type, true);
  });
  return { text: rolled(code), numbers };
}

/**
 * Stages share functions where that leaves out a good part of the text: a loop over kinds is a little slower than one stage
 * after the other.
 * @param first the row of the table of stages where numbers begin
 */
export function linkStages(stages: readonly StageText[], first: number): LinkedStages {
  const counts = new Map<string, number>();
  for (const { text } of stages) counts.set(text, (counts.get(text) ?? 0) + 1);
  const sharing = 4 * counts.size <= 3 * stages.length;
  const known = new Map<string, number>();
  const kinds: StageKind[] = [];
  const words: number[] = [];
  const linked = stages.map(({ text, numbers }) => {
    const row = first + words.length / 4;
    const shared = sharing && (counts.get(text) ?? 0) > 1;
    if (shared) words.push(...numbers.map(bitsOf));
    while (words.length % 4 > 0) words.push(0);
    let kind = shared ? known.get(text) : undefined;
    if (kind === undefined) {
      kind = kinds.length;
      known.set(text, kind);
      const own = shared ? `${text}\n${startFunction(numbers)}` : replaceNumbers(text, (k) => literal(numbers[k]));
      kinds.push({ text: prefixed(own, `k${kind}_`), shared });
    }
    return { kind, row };
  });
  return { kinds, stages: linked, words };
}

/** Takes a shared kind's numbers into variables of its own: drivers read tables slowly where the row is not known. */
function startFunction(numbers: readonly StageNumber[]): string {
  const variables = numbers.map(({ dtype }, k) => `var<private> number_${k}: ${dtype};`);
  const reads = numbers.map((number, k) => `number_${k} = ${readNumber(number, `row + ${k >> 2}u`, k)};`);
  return [...variables, "fn start(row: u32) {", ...reads, "}"].join("\n");
}

/** WGSL for a number in a row of the table. */
function readNumber({ dtype }: StageNumber, row: string, k: number): string {
  const word = `stages[${row}].${"xyzw"[k & 3]}`;
  return dtype === "u32" ? word : `bitcast<${dtype}>(${word})`;
}

/** WGSL with every name that it declares at module level behind `prefix`. */
function prefixed(code: string, prefix: string): string {
  const declared = [...code.matchAll(/^(?:const|struct|alias|fn|var<[^>]*>) ?(\w+)/gm)].map(([, name]) => name);
  return declared.reduce((text, name) => text.replace(new RegExp(`(?<![.\\w])${name}\\b`, "g"), prefix + name), code);
}
