/** Output to a file that is either written whole or an error: Node takes a short write for a whole one, as when a disk fills. */
import fs from "node:fs";
import { fileError } from "../../node/files.ts";
import type { Output } from "./terminal.ts";

/** The stream of a file descriptor, or where it leads to a file what writes there. A `write` to it throws E_FILE. */
export function wholeOutput(stream: NodeJS.WriteStream, fd: number): Output {
  if (!fs.fstatSync(fd).isFile()) return stream;
  return {
    write(text, done) {
      const bytes = Buffer.from(text);
      try {
        for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
      } catch (error) {
        throw fileError(error, "write", fd === 1 ? "stdout" : "stderr");
      }
      done?.();
    },
  };
}
