/** What tools/wgsl.mjs makes of a `.wgsl` file. Files in `shaders/lib/` give a `ShaderLibrary` only: annotate them so. */
declare module "*.wgsl" {
  const shader: import("./module.ts").ShaderModule;
  export default shader;
}

declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export * from "wgsl_reflect";
}
