const blocks = "▁▂▃▄▅▆▇█";

/**
 * Numbers as a line of block characters, lowest to highest; non-finite values are spaces.
 *
 * @param values any finite numbers
 * @param width at most this many characters (default 40): longer series are averaged in equal runs
 */
export function sparkline(values: ArrayLike<number>, width = 40): string {
  const columns = Math.min(width, values.length);
  const means = Array.from({ length: columns }, (_, c) => {
    const from = Math.floor((c * values.length) / columns);
    const to = Math.floor(((c + 1) * values.length) / columns);
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[i];
    return sum / (to - from);
  });
  const finite = means.filter(Number.isFinite);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  return means
    .map((value) => {
      if (!Number.isFinite(value)) return " ";
      if (high === low) return blocks[3];
      return blocks[Math.min(blocks.length - 1, Math.floor(((value - low) / (high - low)) * blocks.length))];
    })
    .join("");
}
