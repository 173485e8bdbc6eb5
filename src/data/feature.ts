/** What became of a column: one input, or several. */

/** One input: scaled after missing cells got `median`; with `missingIndicator` a 0/1 input follows that says where. */
export interface NumericFeature {
  readonly name: string;
  readonly kind: "numeric";
  /** Statistics of the training rows' present cells; `std` is the population's (divided by n). */
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  readonly median: number;
  readonly missingIndicator: boolean;
  /** Its cells are dates, as days since 1970-01-01. */
  readonly date?: boolean;
  /** A level that moves: in each window it is scaled by the window's own rows (`scaleWindows`), not by the statistics above. */
  readonly ofWindow?: boolean;
}

/** One 0/1 input per level, most frequent first, then one for all other levels if `other`; missing is all zeros. */
export interface CategoricalFeature {
  readonly name: string;
  readonly kind: "categorical";
  readonly levels: readonly string[];
  readonly other: boolean;
}

export type Feature = NumericFeature | CategoricalFeature;
