/** Elements as files hold them: big-endian ones, and numbers of 16 bits, every one of which is an f32. */

const toFloats = (bits: Uint16Array, floatOf: (bits: number) => number): Float32Array<ArrayBuffer> => {
  const floats = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) floats[i] = floatOf(bits[i]);
  return floats;
};

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
export const floatsOfHalves = (bits: Uint16Array): Float32Array<ArrayBuffer> =>
  toFloats(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });

/** bfloat16: the upper half of an f32. */
export function floatsOfBrainFloats(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const words = Uint32Array.from(bits, (half) => half << 16);
  return new Float32Array(words.buffer);
}

/** Reverses each element in place: big-endian to little-endian and back. */
export function swapBytes(bytes: Uint8Array<ArrayBuffer>, width: number): Uint8Array<ArrayBuffer> {
  for (let first = 0; width > 1 && first < bytes.length; first += width) {
    for (let a = first, b = first + width - 1; a < b; a++, b--) [bytes[a], bytes[b]] = [bytes[b], bytes[a]];
  }
  return bytes;
}
