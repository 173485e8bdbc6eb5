/**
 * Temporary files without a name: removed as soon as they are open, so that the system frees their space however this
 * process ends.
 */
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { TilegradError } from "../errors.ts";
import { fileError } from "./files.ts";

/** Bytes written together. */
const BUFFER = 4 * 2 ** 20;

export class Scratch {
  private readonly open: number[] = [];

  /** A new file in the system's folder for temporary files, which TMPDIR names. @throws E_FILE */
  file(): ScratchFile {
    const at = path.join(os.tmpdir(), `tilegrad-${randomUUID()}`);
    return guarded("write", at, () => {
      const descriptor = fs.openSync(at, "wx+", 0o600);
      fs.rmSync(at);
      this.open.push(descriptor);
      return new ScratchFile(at, descriptor);
    });
  }

  dispose(): void {
    for (const descriptor of this.open.splice(0)) fs.closeSync(descriptor);
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
        const count = fs.readSync(this.descriptor, bytes, done, bytes.length - done, at + done);
        if (count === 0) throw this.tooShort(done, bytes.length);
        done += count;
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
          else if (count === 0) reject(this.tooShort(done, bytes.length));
          else resolve(count);
        });
      });
    }
  }

  private tooShort(got: number, expected: number): TilegradError {
    return new TilegradError("E_FILE", `${this.path}: got ${got} bytes; expected ${expected}.`, {
      hint: "Its disk may be full or failing; TMPDIR names another folder for temporary files.",
    });
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
