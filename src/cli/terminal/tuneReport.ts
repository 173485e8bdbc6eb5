/** What `tune` says at its end. */

import { choiceText } from "../../experiment/candidates.ts";
import type { MeasureName } from "../../experiment/crossValidation.ts";
import type { Nested, Trial } from "../../experiment/search.ts";
import { formatReport, measureLabels } from "../../metrics/formatReport.ts";
import type { ClassificationReport } from "../../metrics/report.ts";
import type { Comparison } from "../../report/comparison.ts";
import { choiceArguments } from "../options/try.ts";
import { bold, count, dim, duration, pairs, table } from "./terminal.ts";

const MOST_SHOWN = 20;

export function showTrials(
  trials: readonly Trial[],
  measure: MeasureName,
  test: ClassificationReport | null,
  nested: Nested | null,
): string[] {
  const label = labelOf(measure);
  const [header, ...rows] = trialTable(trials, label);
  const more = trials.length > MOST_SHOWN ? [dim(`and ${count(trials.length - MOST_SHOWN)} more`)] : [];
  const outer = nested?.summary[measure];
  return [
    "",
    ...table([header, ...rows.slice(0, MOST_SHOWN)]),
    ...more,
    "",
    ...pairs([
      ["Best", `add to train: ${choiceArguments(trials[0].choice)}`],
      ...(outer
        ? [
            [
              "Nested",
              `${label} ${outer.mean.toFixed(4)} ± ${outer.std.toFixed(4)} in ${outer.folds} outer folds, each with a search of its own`,
            ] as const,
          ]
        : []),
    ]),
    ...(test ? ["", bold("Test rows, which only the best has seen"), formatReport(test)] : []),
  ];
}

function trialTable(trials: readonly Trial[], label: string): string[][] {
  const folded = trials.some(({ std }) => std > 0);
  const rows = trials.map(({ choice, value, std, epochs, budget, ms }) => [
    choiceText(choice),
    value === null ? "–" : folded ? `${value.toFixed(4)} ± ${std.toFixed(4)}` : value.toFixed(4),
    count(epochs),
    count(budget),
    duration(ms),
  ]);
  return [["candidate", label, "epochs", "at most", "time"], ...rows];
}

export function tuningComparison(result: {
  readonly version: string;
  readonly command: string;
  readonly file: string;
  readonly target: string;
  readonly positive: string;
  readonly search: string;
  readonly measure: MeasureName;
  readonly trials: readonly Trial[];
  readonly test: ClassificationReport | null;
}): Comparison {
  const { trials, measure, test, search } = result;
  const label = labelOf(measure);
  const [header, ...rows] = trialTable(trials, label);
  const tested = test
    ? ` On the test rows, which only it has seen, it reaches ${test[measure]?.toFixed(3) ?? "–"}.`
    : "";
  return {
    ...result,
    title: `Search for ${result.target} = ${result.positive}`,
    verdict: `Best of ${count(trials.length)} is ${choiceText(trials[0].choice)}, with ${label} ${trials[0].value?.toFixed(3) ?? "–"}.${tested}`,
    method: `A ${search} search; candidates were judged on rows that are not for testing. Being the best of many, the winner’s value there is too good: the one on the test rows is not.`,
    header,
    rows,
    best: 0,
    plot: {
      title: label,
      measured: trials.flatMap(({ choice, value, std }) =>
        value === null ? [] : [{ name: choiceText(choice), mean: value, std }],
      ),
    },
  };
}

export const labelOf = (measure: MeasureName): string =>
  measureLabels.find(([, name]) => name === measure)?.[0] ?? measure;
