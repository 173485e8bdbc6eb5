import type { Json } from "../io/json.ts";
import type { Place } from "../io/place.ts";
import { asBoolean, asCount, asFinite, asList, asString, asWord, field, misplaced } from "../io/place.ts";
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
  const root: Place = { value: json as Json, file: where, path: "" };
  const version = field(root, "version");
  if (version.value !== 1) throw misplaced(version, "version 1");
  const listed = field(root, "features");
  const features = asList(listed).map(parseFeature);
  if (features.length === 0) throw misplaced(listed, "at least one feature");
  if (!areDistinct(features.map(({ name }) => name))) throw misplaced(listed, "features of different names");
  const recorded = field(root, "featureNames");
  const expected = featureNames(features);
  const names = asList(recorded);
  if (names.length !== expected.length || names.some(({ value }, i) => value !== expected[i])) {
    throw misplaced(recorded, "the input names that the features have");
  }
  return {
    version: 1,
    scaling: asWord(field(root, "scaling"), SCALINGS),
    features,
    dropped: asList(field(root, "dropped")).map((item) => ({
      name: asText(field(item, "name")),
      reason: asWord(field(item, "reason"), DROP_REASONS),
    })),
    target: parseTarget(field(root, "target")),
    featureNames: expected,
    ...parseShape(root, expected.length),
  };
}

const areDistinct = (names: readonly string[]): boolean => new Set(names).size === names.length;

/** One that is not empty, as names and labels are. */
function asText(at: Place): string {
  const text = asString(at);
  if (text === "") throw misplaced(at, "a text that is not empty");
  return text;
}

function asPositive(at: Place): number {
  const count = asCount(at);
  if (count === 0) throw misplaced(at, "a whole number >= 1");
  return count;
}

function parseShape(root: Place, features: number): { image?: ImageSize; window?: Windowing } {
  const [image, window] = [field(root, "image"), field(root, "window")];
  if (image.value !== undefined && window.value !== undefined) throw misplaced(window, "nothing beside an image");
  if (image.value !== undefined) {
    const size = asList(image).map(asPositive);
    if (size.length !== 3 || size[0] * size[1] * size[2] !== features) {
      throw misplaced(image, `[height, width, channels] of ${features} pixels`);
    }
    return { image: [size[0], size[1], size[2]] };
  }
  if (window.value === undefined) return {};
  return { window: { length: asPositive(field(window, "length")), horizon: asCount(field(window, "horizon")) } };
}

function parseFeature(at: Place): Feature {
  const name = asText(field(at, "name"));
  const kind = asWord(field(at, "kind"), ["numeric", "categorical"] as const);
  if (kind === "categorical") {
    const listed = field(at, "levels");
    const levels = asList(listed).map(asText);
    if (levels.length === 0) throw misplaced(listed, "at least one level");
    if (!areDistinct(levels)) throw misplaced(listed, "different levels");
    return { name, kind, levels, other: asBoolean(field(at, "other")) };
  }
  const [mean, std, min, max, median] = ["mean", "std", "min", "max", "median"].map((key) => asFinite(field(at, key)));
  if (std < 0) throw misplaced(field(at, "std"), "a number >= 0");
  if (min > max) throw misplaced(field(at, "min"), `at most max (${max})`);
  const missingIndicator = asBoolean(field(at, "missingIndicator"));
  const flags = ["date", "ofWindow"].flatMap((key) => {
    const flag = field(at, key);
    return flag.value !== undefined && asBoolean(flag) ? [[key, true]] : [];
  });
  return { name, kind, mean, std, min, max, median, missingIndicator, ...Object.fromEntries(flags) };
}

const parseTarget = (at: Place): Target => ({
  name: asText(field(at, "name")),
  positive: asText(field(at, "positive")),
  negative: asList(field(at, "negative")).map(asText),
  oneVsRest: asBoolean(field(at, "oneVsRest")),
});
