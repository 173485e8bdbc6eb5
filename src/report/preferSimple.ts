/** By PR-AUC, which is null where a class is absent: one sentence where the network is no better than logistic regression, or none. */
export const preferSimple = (network: number | null, logistic: number | null | undefined): string[] =>
  network !== null && typeof logistic === "number" && network <= logistic
    ? ["Logistic regression does no worse and is simpler: prefer it (train --model mlp --layers '')."]
    : [];
