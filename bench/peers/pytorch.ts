/**
 * PyTorch in a Python process that `pytorch.py` serves: eager on one CPU thread, eager on an NVIDIA card, and there with each
 * training step captured as a CUDA graph. `PYTHON` names another interpreter.
 */
import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Weight } from "../data.ts";
import type { Training } from "../workloads.ts";
import { type Engine, type Peer, Unavailable } from "./peer.ts";
import server from "./pytorch.py";

type Server = ChildProcessByStdio<Writable, Readable, null>;

function findPython(): string {
  const candidates = [process.env["PYTHON"], "python3", "/usr/bin/python3"].filter((name) => name !== undefined);
  const found = candidates.find((name) => spawnSync(name, ["-c", "import torch"]).status === 0);
  if (found === undefined) throw new Unavailable("no python3 with torch (Debian: python3-torch)");
  return found;
}

/** Sends one request at a time and reads its answer, with the f32 array that follows it when it tells a length. */
class Connection {
  readonly #python: Server;
  readonly #chunks: AsyncIterator<Buffer>;
  #pending: Buffer = Buffer.alloc(0);

  constructor(python: Server) {
    this.#python = python;
    this.#chunks = python.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new Error("pytorch.py ended early");
    this.#pending = Buffer.concat([this.#pending, value]);
  }

  async receive<T>(): Promise<T & { values: Float32Array }> {
    while (!this.#pending.includes(10)) await this.#more();
    const end = this.#pending.indexOf(10) + 1;
    const message = JSON.parse(this.#pending.subarray(0, end).toString()) as T & { lengths?: number[] };
    const bytes = 4 * (message.lengths?.[0] ?? 0);
    while (this.#pending.length < end + bytes) await this.#more();
    const values = new Float32Array(new Uint8Array(this.#pending.subarray(end, end + bytes)).buffer);
    this.#pending = this.#pending.subarray(end + bytes);
    return { ...message, values };
  }

  request<T>(header: object, arrays: readonly Float32Array[] = []): Promise<T & { values: Float32Array }> {
    this.#python.stdin.write(`${JSON.stringify({ ...header, lengths: arrays.map((values) => values.length) })}\n`);
    for (const { buffer, byteOffset, byteLength } of arrays) {
      this.#python.stdin.write(Buffer.from(buffer, byteOffset, byteLength));
    }
    return this.receive<T>();
  }
}

async function open(mode: "cpu" | "cuda" | "cuda-graphs"): Promise<Engine> {
  const python = spawn(findPython(), ["-c", server, mode], { stdio: ["pipe", "pipe", "inherit"] });
  const connection = new Connection(python);
  const { values: _, ...about } = await connection.receive<Record<string, string>>();
  if (about["unavailable"]) throw new Unavailable(about["unavailable"]);
  const sendModel = ({ layers, optimizer }: Training, weights: readonly Weight[][]) => {
    const shapes = weights.map((layer) => layer.map(({ shape }) => shape));
    const arrays = weights.flat().map(({ values }) => values);
    return connection.request({ kind: "model", layers, optimizer, shapes }, arrays);
  };
  return {
    about,
    async trainer(workload, weights) {
      await sendModel(workload, weights);
      const { input, classWeight = null } = workload;
      return async (steps) => {
        const header = { kind: "train", input, classWeight, sizes: steps.map(({ size }) => size) };
        const arrays = steps.flatMap(({ x, y }) => [x, y]);
        const rates = steps.map(({ rate }) => rate);
        return connection.request<{ value: number; ms: number }>({ ...header, rates }, arrays);
      };
    },
    async matmul({ n }, a, b) {
      await connection.request({ kind: "factors", n }, [a, b]);
      return () => connection.request<{ value: number; ms: number }>({ kind: "multiply" });
    },
    async predictor(workload, weights) {
      await sendModel(workload, weights);
      return async (x) => {
        const { values, ms } = await connection.request<{ ms: number }>({ kind: "predict", input: workload.input }, [
          x,
        ]);
        return { value: values, ms };
      };
    },
  };
}

export const pytorch: readonly Peer[] = [
  { name: "pytorch", open: () => open("cpu") },
  { name: "pytorch-cuda", open: () => open("cuda") },
  { name: "pytorch-cuda-graphs", open: () => open("cuda-graphs") },
];
