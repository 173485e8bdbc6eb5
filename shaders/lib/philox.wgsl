// lib: sin
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a draw is a pure function of
// (key, counter), so every backend and every resumed run draws the same numbers.

fn mul_hi(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let low = a0 * b0;
  let mid = a1 * b0 + (low >> 16u);
  let mid2 = a0 * b1 + (mid & 0xffffu);
  return a1 * b1 + (mid >> 16u) + (mid2 >> 16u);
}

fn philox4x32(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let hi0 = mul_hi(0xD2511F53u, c.x);
    let hi1 = mul_hi(0xCD9E8D57u, c.z);
    c = vec4<u32>(hi1 ^ c.y ^ k.x, 0xCD9E8D57u * c.z, hi0 ^ c.w ^ k.y, 0xD2511F53u * c.x);
    k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}

// Element i takes word i % 4 of block i / 4.
fn random_bits(i: u32, step: u32, stream: u32, key: vec2<u32>) -> u32 {
  return philox4x32(vec4<u32>(i >> 2u, 0u, step, stream), key)[i & 3u];
}

// [0, 1) in steps of 2^-24
fn random_uniform(i: u32, step: u32, stream: u32, key: vec2<u32>) -> f32 {
  return f32(random_bits(i, step, stream, key) >> 8u) * 5.9604644775390625e-8;
}

// Elements i .. i + 3, i a multiple of 4: one block.
fn random_uniform4(i: u32, step: u32, stream: u32, key: vec2<u32>) -> vec4<f32> {
  return vec4<f32>(philox4x32(vec4<u32>(i >> 2u, 0u, step, stream), key) >> vec4<u32>(8u)) * 5.9604644775390625e-8;
}

// Box-Muller: elements 2j and 2j + 1 are the cosine and the sine of one pair.
fn random_normal(i: u32, step: u32, stream: u32, key: vec2<u32>) -> f32 {
  let bits = philox4x32(vec4<u32>(i >> 2u, 0u, step, stream), key);
  let pair = select(bits.xy, bits.zw, (i & 2u) != 0u);
  let u = 1.0 - f32(pair.x >> 8u) * 5.9604644775390625e-8;
  let angle = f32(pair.y >> 8u) * 3.7450702829239286e-7;
  return sqrt(-2.0 * log(u)) * sin_quarters(angle, select(1, 0, (i & 1u) != 0u));
}
