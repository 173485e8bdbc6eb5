/** Layers, losses, optimizers and schedules as the JSON they are saved as. */
import type { Json } from "../io/json.ts";
import type { Schema } from "../options.ts";

/** @param options checked */
export const jsonOf = (schema: Schema, options: object): Record<string, Json> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name, schema[name].toJson?.(value) ?? value]));
