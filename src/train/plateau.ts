/** When a value has stopped improving, and what becomes of the learning rate then. */
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";

export const plateauOptions = () => ({
  /** Default: max for accuracies, areas and F-scores, min for losses. */
  mode: is.oneOf("min", "max"),
  /** By which the rate is multiplied; default 0.1. */
  factor: is.fraction,
  /** Bad values in a row that are put up with; the next one reduces the rate (PyTorch; Keras's patience is one more). Default 10. */
  patience: is.nonNegative,
  /** By how much a value must be better than the best; default 0.0001. */
  threshold: is.nonNegative,
  /** Whether that is a share of the best (default) or a difference. */
  thresholdMode: is.oneOf("rel", "abs"),
  /** Values after a reduction in which none is bad; default 0. */
  cooldown: is.nonNegative,
  /** Least rate; default 0. */
  minRate: is.nonNegative,
  /** Smaller changes of the rate are not made; default 1e-8. */
  epsilon: is.nonNegative,
});

export interface PlateauOptions extends OptionsOf<typeof plateauOptions> {}

/** The state machine behind reduce-on-plateau (PyTorch's ReduceLROnPlateau). */
export class Plateau {
  private readonly options: Required<PlateauOptions>;
  state: { best: number | null; bad: number; cooling: number } = { best: null, bad: 0, cooling: 0 };

  constructor(options: PlateauOptions = {}) {
    this.options = {
      mode: "min",
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: "rel",
      cooldown: 0,
      minRate: 0,
      epsilon: 1e-8,
      ...options,
    };
  }

  /** Forgets all values heard of. */
  reset(): void {
    this.state = { best: null, bad: 0, cooling: 0 };
  }

  /** The rate after hearing of a value. */
  next(value: number, rate: number): number {
    const { factor, patience, cooldown, minRate, epsilon } = this.options;
    const { state } = this;
    if (this.better(value)) {
      state.best = value;
      state.bad = 0;
    } else state.bad++;
    if (state.cooling > 0) {
      state.cooling--;
      state.bad = 0;
    }
    if (state.bad <= patience) return rate;
    state.cooling = cooldown;
    state.bad = 0;
    const reduced = Math.max(rate * factor, minRate);
    return rate - reduced > epsilon ? reduced : rate;
  }

  private better(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const { best } = this.state;
    if (best === null) return !Number.isNaN(value);
    if (mode === "min") return value < (thresholdMode === "rel" ? best * (1 - threshold) : best - threshold);
    return value > (thresholdMode === "rel" ? best * (1 + threshold) : best + threshold);
  }
}
