/** Layers, losses, optimizers and schedules as the JSON they are saved as. */
import type { Json } from "../io/json.ts";
import type { Schema } from "../options.ts";

/** @param options checked */
export const jsonOf = (schema: Schema, options: object): Record<string, Json> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name, schema[name].toJson?.(value) ?? value]));

/** `jsonOf`, back. @param make of the layers and losses within, by the option that has them */
export const optionsFrom = (schema: Schema, config: object, make: (option: string, json: unknown) => unknown): object =>
  Object.fromEntries(
    Object.entries(config).map(([name, json]) => {
      const kind = Object.hasOwn(schema, name) ? schema[name] : undefined;
      return [name, kind?.fromJson ? kind.fromJson(json, (inner) => make(name, inner)) : json];
    }),
  );
