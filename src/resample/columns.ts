import type { FeatureRows } from "./neighbors.ts";

/** The population's standard deviation of each column (divided by n), f64 [columns]. */
export function columnStd({ data, rows, columns }: FeatureRows): Float64Array {
  const std = new Float64Array(columns);
  for (let c = 0; c < columns; c++) {
    let mean = 0;
    for (let row = 0; row < rows; row++) mean += data[row * columns + c] / rows;
    let variance = 0;
    for (let row = 0; row < rows; row++) variance += (data[row * columns + c] - mean) ** 2 / rows;
    std[c] = Math.sqrt(variance);
  }
  return std;
}
