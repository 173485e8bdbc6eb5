import { TilegradError } from "../errors.ts";
import type { Feature } from "./feature.ts";
import type { ImageSize } from "./pixels.ts";
import { DROP_REASONS, featureNames, type Preprocessor, type Scaling } from "./preprocess.ts";
import type { Target } from "./target.ts";
import type { Windowing } from "./windows.ts";

const SCALINGS: readonly Scaling[] = ["standard", "minmax", "none"];
/**
 * A preprocessor read back from JSON, checked to the last field; fields it does not know are left out.
 * `where` names the file in messages.
 * @throws E_FILE naming the field, what it holds and what was expected.
 */
export function parsePreprocessor(json: unknown, where = "preprocessor"): Preprocessor {
  const root = new Field(json, where);
  const version = root.get("version");
  if (version.value !== 1) throw version.wrong("version 1");
  const features = root.get("features").list().map(parseFeature);
  if (features.length === 0) throw root.get("features").wrong("at least one feature");
  const names = features.map((feature) => feature.name);
  if (new Set(names).size < names.length) throw root.get("features").wrong("features of different names");
  const recorded = root.get("featureNames");
  const expected = featureNames(features);
  const same =
    recorded.list().length === expected.length && recorded.list().every((item, i) => item.value === expected[i]);
  if (!same) throw recorded.wrong("the input names that the features have");
  return {
    version: 1,
    scaling: root.get("scaling").oneOf(SCALINGS),
    features,
    dropped: root
      .get("dropped")
      .list()
      .map((item) => ({
        name: item.get("name").text(),
        reason: item.get("reason").oneOf(DROP_REASONS),
      })),
    target: parseTarget(root.get("target")),
    featureNames: expected,
    ...parseShape(root, expected.length),
  };
}

function parseShape(root: Field, features: number): { image?: ImageSize; window?: Windowing } {
  const [image, window] = [root.get("image"), root.get("window")];
  if (image.value !== undefined && window.value !== undefined) throw window.wrong("nothing beside an image");
  if (image.value !== undefined) {
    const size = image.list().map((side) => side.count(1));
    if (size.length !== 3 || size[0] * size[1] * size[2] !== features) {
      throw image.wrong(`[height, width, channels] of ${features} pixels`);
    }
    return { image: [size[0], size[1], size[2]] };
  }
  if (window.value === undefined) return {};
  return { window: { length: window.get("length").count(1), horizon: window.get("horizon").count(0) } };
}

function parseFeature(field: Field): Feature {
  const name = field.get("name").text();
  const kind = field.get("kind").oneOf(["numeric", "categorical"] as const);
  if (kind === "categorical") {
    const levels = field
      .get("levels")
      .list()
      .map((item) => item.text());
    if (levels.length === 0) throw field.get("levels").wrong("at least one level");
    if (new Set(levels).size < levels.length) throw field.get("levels").wrong("different levels");
    return { name, kind, levels, other: field.get("other").flag() };
  }
  const [mean, std, min, max, median] = ["mean", "std", "min", "max", "median"].map((key) => field.get(key).finite());
  if (std < 0) throw field.get("std").wrong("a number >= 0");
  if (min > max) throw field.get("min").wrong(`at most max (${max})`);
  const date = field.get("date").value !== undefined && field.get("date").flag() ? { date: true } : {};
  return { name, kind, mean, std, min, max, median, missingIndicator: field.get("missingIndicator").flag(), ...date };
}

function parseTarget(field: Field): Target {
  return {
    name: field.get("name").text(),
    positive: field.get("positive").text(),
    negative: field
      .get("negative")
      .list()
      .map((item) => item.text()),
    oneVsRest: field.get("oneVsRest").flag(),
  };
}

/** A value within a JSON document, and the path to it for messages. */
class Field {
  readonly value: unknown;
  private readonly path: string;

  constructor(value: unknown, path: string) {
    this.value = value;
    this.path = path;
  }

  get(key: string): Field {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value))
      throw this.wrong("an object");
    const value: unknown = Object.hasOwn(this.value, key) ? (this.value as Record<string, unknown>)[key] : undefined;
    return new Field(value, `${this.path}.${key}`);
  }

  list(): Field[] {
    if (!Array.isArray(this.value)) throw this.wrong("an array");
    return this.value.map((item: unknown, i) => new Field(item, `${this.path}[${i}]`));
  }

  text(): string {
    if (typeof this.value !== "string" || this.value === "") throw this.wrong("a text");
    return this.value;
  }

  finite(): number {
    if (typeof this.value !== "number" || !Number.isFinite(this.value)) throw this.wrong("a finite number");
    return this.value;
  }

  count(min: number): number {
    if (!Number.isSafeInteger(this.value) || this.finite() < min) throw this.wrong(`a whole number >= ${min}`);
    return this.finite();
  }

  flag(): boolean {
    if (typeof this.value !== "boolean") throw this.wrong("true or false");
    return this.value;
  }

  oneOf<T extends string>(choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.value);
    if (found === undefined) throw this.wrong(`one of ${choices.join(", ")}`);
    return found;
  }

  wrong(expected: string): TilegradError {
    const text = this.value === undefined ? "nothing" : JSON.stringify(this.value);
    const got = text.length > 60 ? `${text.slice(0, 57)}...` : text;
    return new TilegradError("E_FILE", `${this.path}: got ${got}; expected ${expected}.`, {
      hint: "The file is damaged or was not written by this version of tilegrad.",
    });
  }
}
