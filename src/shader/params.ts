import { invariant } from "../errors.ts";
import type { ShaderModule } from "../graph/shader.ts";

/** The bytes of a shader's `Params`, by field name and reflected offset. */
export function packParams(shader: ShaderModule, values: Readonly<Record<string, number>>): Uint32Array {
  if (!shader.params) return new Uint32Array(0);
  const { size, fields } = shader.params;
  const view = new DataView(new ArrayBuffer(Math.ceil(size / 16) * 16));
  for (const { name, offset, type } of fields) {
    const value = values[name];
    invariant(typeof value === "number", `shader ${shader.name}: parameter ${name} is missing.`);
    if (type === "f32") view.setFloat32(offset, value, true);
    else if (type === "i32") view.setInt32(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  const extra = Object.keys(values).filter((name) => !fields.some((f) => f.name === name));
  invariant(extra.length === 0, `shader ${shader.name} has no parameter ${extra.join(", ")}.`);
  return new Uint32Array(view.buffer);
}
