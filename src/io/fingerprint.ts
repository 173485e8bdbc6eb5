/** A fingerprint of data: tells another file from this one. Not for security: collisions can be made on purpose. */

/**
 * 128 bits as 32 hex digits over the bytes and the lengths of the arrays, in order; the element type does not count.
 * Four lanes see every 32-bit word and differ in their constants. A lane's step is a bijection of its state for a fixed
 * word and of the word for a fixed state, so an edit within one word always shows in all four. The multipliers and the
 * final mix are those of MurmurHash3 (Appleby, 2008).
 */
export function fingerprint(arrays: readonly ArrayBufferView[]): string {
  const lanes = new Uint32Array([0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667]);
  for (const array of arrays) {
    absorb(lanes, lengthOf(array.byteLength));
    absorb(lanes, wordsOf(array));
  }
  absorb(lanes, Uint32Array.of(arrays.length));
  return Array.from(lanes, (lane) => mix(lane).toString(16).padStart(8, "0")).join("");
}

function absorb(lanes: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d] = lanes;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    a = Math.imul(a ^ word, 0xcc9e2d51);
    b = Math.imul(b ^ word, 0x1b873593);
    c = Math.imul(c ^ word, 0x85ebca6b);
    d = Math.imul(d ^ word, 0xc2b2ae35);
    a ^= a >>> 15;
    b ^= b >>> 13;
    c ^= c >>> 16;
    d ^= d >>> 14;
  }
  lanes.set([a, b, c, d]);
}

function lengthOf(bytes: number): Uint32Array {
  return Uint32Array.of(bytes >>> 0, Math.floor(bytes / 2 ** 32));
}

/** The bytes as little-endian words, the last one filled up with zeros; a view where alignment allows. */
function wordsOf(array: ArrayBufferView): Uint32Array {
  const { buffer, byteOffset, byteLength } = array;
  if (byteOffset % 4 === 0 && byteLength % 4 === 0) return new Uint32Array(buffer, byteOffset, byteLength / 4);
  const padded = new Uint8Array(Math.ceil(byteLength / 4) * 4);
  padded.set(new Uint8Array(buffer, byteOffset, byteLength));
  return new Uint32Array(padded.buffer);
}

function mix(lane: number): number {
  let h = lane;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
