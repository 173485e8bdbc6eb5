/** Just enough of the protocol buffers wire format to write a message: varints, 32-bit floats, bytes, nested messages. */

/** The bytes of fields; concatenated fields are a message. */
export type Message = readonly Uint8Array[];

/** A whole number >= 0, or a negative one above -2^53 as an int64 (ten bytes). */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function intField(tag: number, value: number): Message {
  return [varint(tag * 8), varint(value)];
}

export function floatField(tag: number, value: number): Message {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [varint(tag * 8 + 5), bytes];
}

export function bytesField(tag: number, bytes: Uint8Array): Message {
  return [varint(tag * 8 + 2), varint(bytes.length), bytes];
}

export function textField(tag: number, text: string): Message {
  return bytesField(tag, new TextEncoder().encode(text));
}

export function messageField(tag: number, message: Message): Message {
  return [varint(tag * 8 + 2), varint(lengthOf(message)), ...message];
}

function lengthOf(message: Message): number {
  return message.reduce((sum, part) => sum + part.length, 0);
}
