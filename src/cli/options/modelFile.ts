/** `--model`: a preset, or a file with an architecture. */
import { TilegradError } from "../../errors.ts";
import type { NetworkOptions } from "../../experiment/options.ts";
import { parseJson } from "../../io/json.ts";
import type { Model } from "../../model/model.ts";
import { modelFromJson } from "../../model/registry.ts";
import { readBytes } from "../../node/files.ts";

const PRESETS = ["mlp", "cnn", "lstm"] as const;

export function modelFrom(name: string | undefined): NetworkOptions["model"] {
  const preset = PRESETS.find((candidate) => candidate === name);
  if (preset !== undefined || name === undefined) return preset;
  return { from: `a file (${name})`, make: (shape) => modelFile(name, shape) };
}

/** The model of a JSON file: an architecture, or the model.json of a saved model, of which it takes the architecture. */
async function modelFile(file: string, shape: readonly number[]): Promise<Model> {
  if (!file.endsWith(".json")) {
    const got = `--model: got ${JSON.stringify(file)}`;
    throw new TilegradError("E_ARGUMENT", `${got}; expected ${PRESETS.join(", ")} or a file.json.`, {
      hint: 'A file holds { "type": "sequential", "input": [...], "layers": [{ "type", "config" }, ...] }.',
    });
  }
  const json = parseJson(await readBytes(file), file);
  const saved = typeof json === "object" && json !== null && "architecture" in json;
  const model = named(file, () => modelFromJson(saved ? json.architecture : json));
  const [inputs, outputs] = [model.inputShape, model.outputShape];
  if (inputs.join() !== shape.join() || outputs.join() !== "1") {
    const got = `the model maps [${inputs.join(", ")}] to [${outputs.join(", ")}]`;
    throw new TilegradError("E_SHAPE", `${file}: ${got}; expected [${shape.join(", ")}] to [1].`, {
      hint: "Mend its input, or --image or --window; its last layer is to give one number, the logit.",
    });
  }
  return model;
}

/** What is wrong with a file says so; layers tell E_ARGUMENT and E_SHAPE, and trip over options of a wrong type. */
function named<T>(file: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof TilegradError) {
      throw new TilegradError("E_FILE", `${file}: ${cause.message}`, { hint: cause.hint, cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TilegradError("E_FILE", `${file}: got options that a layer cannot take (${reason}).`, {
      hint: "docs/layers.md has the options of every layer.",
      cause,
    });
  }
}
