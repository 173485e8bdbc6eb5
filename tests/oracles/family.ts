/** What a case of any family comes to. */
export interface OracleResult {
  readonly id: string;
  /** Worst error in units of the tolerance; at most 1 passes. */
  readonly ratio?: number;
  readonly error?: string;
  /** The project has nothing that the case asks for. */
  readonly unsupported?: true;
}

export interface FamilySummary {
  cases: number;
  passed: number;
  failed: number;
  unsupported: number;
  worst: { id: string; ratio: number } | null;
  failures: { id: string; ratio: number; error?: string }[];
}

export function summarize(results: readonly OracleResult[]): FamilySummary {
  const summary: FamilySummary = {
    cases: results.length,
    passed: 0,
    failed: 0,
    unsupported: 0,
    worst: null,
    failures: [],
  };
  for (const { id, ratio, error, unsupported } of results) {
    if (unsupported) {
      summary.unsupported++;
      continue;
    }
    const value = ratio ?? Number.POSITIVE_INFINITY;
    if (value <= 1) summary.passed++;
    else {
      summary.failed++;
      summary.failures.push({ id, ratio: value, ...(error === undefined ? {} : { error }) });
    }
    if (!summary.worst || value > summary.worst.ratio) summary.worst = { id, ratio: value };
  }
  return summary;
}
