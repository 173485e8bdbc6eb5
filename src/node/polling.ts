/**
 * Waiting for Dawn without keeping a core busy. Its binding for Node looks for finished work in a loop of `setImmediate`, which
 * it takes from the global object each time; a software GPU computes on the same cores. Here the loop turns as fast for a
 * moment, so that short waits stay short, and then once a millisecond.
 */
import { setImmediate, setTimeout } from "node:timers";

const FAST_MS = 0.5;

let inLoop = false;
let began = 0;

/** What Dawn gets as `setImmediate`. */
function turn(look: () => void): void {
  const now = performance.now();
  if (!inLoop) began = now;
  const next = (): void => {
    inLoop = true;
    try {
      withTurn(look);
    } finally {
      inLoop = false;
    }
  };
  if (now - began < FAST_MS) setImmediate(next);
  else setTimeout(next, 1);
}

/** Dawn's own code runs with `turn`; nobody else ever sees it. */
function withTurn<T>(work: () => T): T {
  const before = globalThis.setImmediate;
  globalThis.setImmediate = turn as typeof setImmediate;
  try {
    return work();
  } finally {
    globalThis.setImmediate = before;
  }
}

/** What gives a promise that Dawn settles from its loop. */
const WAITING: Readonly<Record<string, readonly string[]>> = {
  GPUAdapter: ["requestDevice"],
  GPUBuffer: ["mapAsync"],
  GPUDevice: ["createComputePipelineAsync", "popErrorScope"],
  GPUQueue: ["onSubmittedWorkDone"],
  GPUShaderModule: ["getCompilationInfo"],
};

const changed = new WeakSet<object>();

/** Changes Dawn's classes, by name, so that waiting for them is gentle; a second time does nothing. */
export function waitGently(classes: object): void {
  if (changed.has(classes)) return;
  changed.add(classes);
  for (const [name, methods] of Object.entries(WAITING)) {
    const { prototype } = Reflect.get(classes, name) as { readonly prototype: object };
    for (const method of methods) {
      const original = Reflect.get(prototype, method) as (...given: unknown[]) => unknown;
      const gentle = function (this: unknown, ...given: unknown[]): unknown {
        return withTurn(() => original.apply(this, given));
      };
      Object.defineProperty(prototype, method, { value: gentle, configurable: true, writable: true });
    }
  }
}
