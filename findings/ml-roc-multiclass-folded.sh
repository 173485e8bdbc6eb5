#!/bin/sh
# ml-roc-multiclass reports an AUC of 1 for a classifier that is always wrong.
#
# Package: ml-roc-multiclass 0.2.0.
# Valid input: two classes and one score each; the first class named in the data is the negative one.
# Expected: the area under the curve: 1 for a perfect order, 0 for the reversed one, 0.5 on average for random scores.
# Seen: an area below 0.5 is replaced by 1 minus itself, so the reversed order has 1 as well and random scores look
# informative: 0.605 on average for 20 samples. Nothing in the readme or in the types says so.
# Output seen:
#   perfect order: 1, reversed order: 1
#   1000 random scores of 20 samples: mean AUC 0.605, lowest 0.500
# Why it matters: a sign error, an overfitted fold or exchanged labels look like a good model; cross-validated means
# are biased upwards, most for small classes, and with several classes each pair is folded on its own.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  ml-roc-multiclass@0.2.0 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { createRequire } from "node:module";
const { getAuc, getRocCurve } = createRequire(import.meta.url)("ml-roc-multiclass");

const auc = (labels, scores) => getAuc(getRocCurve(labels, scores));
const labels = ["no", "no", "yes", "yes"];
const [perfect, reversed] = [auc(labels, [0.1, 0.2, 0.8, 0.9]), auc(labels, [0.9, 0.8, 0.2, 0.1])];
console.log(`perfect order: ${perfect}, reversed order: ${reversed}`);

let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const twenty = Array.from({ length: 20 }, (_, i) => (i < 10 ? "no" : "yes"));
const areas = Array.from({ length: 1000 }, () => auc(twenty, twenty.map(random)));
const mean = areas.reduce((a, b) => a + b) / areas.length;
console.log(`1000 random scores of 20 samples: mean AUC ${mean.toFixed(3)}, lowest ${Math.min(...areas).toFixed(3)}`);
process.exitCode = reversed === 1 || mean > 0.55 ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
