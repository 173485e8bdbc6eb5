/** Temporary files of this process, removed when they are disposed of and, at the latest, when it ends. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileError } from "./files.ts";

/** Bytes written together. */
const BUFFER = 4 * 2 ** 20;

export class Scratch {
  readonly folder: string;
  private readonly open: number[] = [];
  private readonly onExit = (): void => this.dispose();

  /** In the system's folder for temporary files, which TMPDIR names. @throws E_FILE */
  constructor() {
    try {
      this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-"));
    } catch (error) {
      throw fileError(error, "write", os.tmpdir());
    }
    process.on("exit", this.onExit);
  }

  /** A new file. */
  file(name: string): ScratchFile {
    const at = path.join(this.folder, `${this.open.length} ${path.basename(name)}`);
    return guarded("write", at, () => {
      const descriptor = fs.openSync(at, "wx+", 0o600);
      this.open.push(descriptor);
      return new ScratchFile(at, descriptor);
    });
  }

  dispose(): void {
    process.off("exit", this.onExit);
    for (const descriptor of this.open.splice(0)) fs.closeSync(descriptor);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Written from front to back, then read anywhere. */
export class ScratchFile {
  private readonly path: string;
  private readonly descriptor: number;
  private readonly buffer = new Uint8Array(BUFFER);
  private buffered = 0;
  private written = 0;

  constructor(at: string, descriptor: number) {
    this.path = at;
    this.descriptor = descriptor;
  }

  /** Adds the bytes at the end; gives where they begin. @throws E_FILE */
  append(data: ArrayBufferView): number {
    const at = this.written + this.buffered;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (this.buffered + bytes.length > BUFFER) this.flush();
    if (bytes.length > BUFFER) this.write(bytes);
    else {
      this.buffer.set(bytes, this.buffered);
      this.buffered += bytes.length;
    }
    return at;
  }

  /** Fills `data` with the bytes from `at` on. @throws E_FILE */
  readInto(data: ArrayBufferView, at: number): void {
    this.flush();
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    guarded("read", this.path, () => {
      for (let done = 0; done < bytes.length; ) {
        done += fs.readSync(this.descriptor, bytes, done, bytes.length - done, at + done);
      }
    });
  }

  /** `readInto`, off this thread. */
  async readLater(data: ArrayBufferView, at: number): Promise<void> {
    this.flush();
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < bytes.length; ) {
      done += await new Promise<number>((resolve, reject) => {
        fs.read(this.descriptor, bytes, done, bytes.length - done, at + done, (error, count) => {
          if (error) reject(fileError(error, "read", this.path));
          else resolve(count);
        });
      });
    }
  }

  private flush(): void {
    const { buffered } = this;
    this.buffered = 0;
    if (buffered > 0) this.write(this.buffer.subarray(0, buffered));
  }

  private write(bytes: Uint8Array): void {
    guarded("write", this.path, () => {
      for (let done = 0; done < bytes.length; ) done += fs.writeSync(this.descriptor, bytes, done);
    });
    this.written += bytes.length;
  }
}

function guarded<T>(action: "read" | "write", at: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(error, action, at);
  }
}
