/**
 * What is global in browsers, in Node or with `@webgpu/types`, and stands in our declarations: these are merged with whatever
 * of it a program's own types bring, and are empty where they bring nothing, so that ours compile with any `lib`.
 */
declare global {
  interface GPU {}
  interface AbortSignal {}
  interface Blob {}
  interface File {}
  // biome-ignore lint/suspicious/noExplicitAny: to be merged, it must be declared as it is everywhere
  interface ReadableStream<R = any> {}
}

export {};
