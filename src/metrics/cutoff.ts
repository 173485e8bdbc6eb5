import type { NumberList } from "../values.ts";

/**
 * What thresholds mean among these scores. A row is a yes from the threshold on, both in one precision, that of the scores:
 * where all of them are f32, as those of networks are, the threshold is the f32 nearest to it. So 0.7 says yes to the f32
 * 0.7 (0.699999988...), and a printed score that is given back as the threshold says yes to its own row.
 */
export function cutoffsOf(scores: NumberList): (threshold: number) => number {
  let all32: boolean | undefined = scores instanceof Float32Array || undefined;
  return (threshold) => {
    const nearest = Math.fround(threshold);
    if (nearest === threshold) return threshold;
    all32 ??= isFloat32(scores);
    return all32 ? nearest : threshold;
  };
}

function isFloat32(values: NumberList): boolean {
  for (let i = 0; i < values.length; i++) if (Math.fround(values[i]) !== values[i]) return false;
  return true;
}
