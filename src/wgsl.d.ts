/** What tools/wgsl.mjs makes of a `.wgsl` file. A library gives a `ShaderLibrary` only: annotate it so. */
declare module "*.wgsl" {
  const shader: import("./graph/shader.ts").ShaderModule;
  export default shader;
}

declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export * from "wgsl_reflect";
}

/** What tools/bundle.mjs makes of a module: it and all that it imports, as the text of one script. */
declare module "*?bundle" {
  const text: string;
  export default text;
}
