/** ZIP archives, right and wrong ones. */
import { deflateRawSync } from "node:zlib";
import { crc32 } from "../../src/io/inflate.ts";

export interface Packed {
  readonly name: string;
  readonly plain: Uint8Array;
  readonly deflate?: boolean;
  /** What the directory says instead of the truth. */
  readonly size?: number;
  readonly crc?: number;
  readonly flags?: number;
  readonly method?: number;
}

/** A ZIP archive as PKWARE's APPNOTE has it. */
export function zip(entries: readonly Packed[]): Uint8Array {
  const [files, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const { name, plain, deflate = false, flags = 0, ...told } of entries) {
    const body = deflate ? deflateRawSync(plain) : Buffer.from(plain);
    const { size = plain.length, crc = crc32(plain), method = deflate ? 8 : 0 } = told;
    const common = Buffer.alloc(26);
    [20, flags, method].forEach((value, i) => {
      common.writeUInt16LE(value, 2 * i);
    });
    [crc, body.length, size].forEach((value, i) => {
      common.writeUInt32LE(value, 10 + 4 * i);
    });
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), body]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, rest, Buffer.from(name)]));
    files.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return new Uint8Array(Buffer.concat([...files, ...directory, end]));
}
