#!/bin/sh
# ml-performance reports accuracies above 1.
#
# Package: ml-performance 0.2.0.
# Valid input: four scores, two of them equal in each class, perfectly separated; then four distinct scores.
# Expected: acc and err, documented as accuracy and error rate, in [0, 1], acc + err = 1 at every threshold.
# Seen: both are divided by the number of distinct thresholds instead of samples, and in err only one of the two
# counts is. With ties a perfect classifier has accuracy 2; without ties acc is right, and err is still above 1. The
# area under the curve is right.
# Output seen:
#   tied scores: acc 1, 2, 1 | err 2, 0, 1 | area 1
#   distinct scores: acc 0.5, 0.75, 0.5, 0.75, 0.5 | err 2, 1, 1.25, 0.25, 0.5 | area 0.75
# Why it matters: trees, k nearest neighbours and rounded probabilities tie all the time. Choosing the threshold by
# the highest acc, or the lowest err, chooses by a wrong number.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  ml-performance@0.2.0 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { createRequire } from "node:module";
const Performance = createRequire(import.meta.url)("ml-performance");

function show(label, scores, target) {
  const p = new Performance([scores], [target], { all: true, max: true });
  const [acc, err] = [p.getMeasure("acc"), p.getMeasure("err")];
  console.log(`${label}: acc ${acc.join(", ")} | err ${err.join(", ")} | area ${p.getAURC()}`);
  return [...acc, ...err];
}
const tied = show("tied scores", [0.9, 0.9, 0.1, 0.1], [1, 1, 0, 0]);
const distinct = show("distinct scores", [0.9, 0.8, 0.2, 0.1], [1, 0, 1, 0]);
process.exitCode = [...tied, ...distinct].some((value) => value > 1) ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
