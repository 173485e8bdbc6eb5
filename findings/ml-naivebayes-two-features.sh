#!/bin/sh
# GaussianNB of ml-naivebayes looks at the first two features only.
#
# Package: ml-naivebayes 4.0.0.
# Valid input: 40 samples, three features, two classes 0 and 1; only one feature tells the classes apart.
# Expected: all features multiply into the posterior; the order of the columns does not matter.
# Seen: with the telling feature third, 55 % of the training set is right, with the same column first, all of it. No
# error. The loop over the features runs to the length of a pair of constants, 2. With one feature predict throws a
# TypeError, and predicting exactly one row more than there are features is refused as having other features.
# Output seen:
#   telling feature in column 3: 55 % right
#   telling feature in column 1: 100 % right
#   one feature: Cannot read properties of undefined (reading '0')
#   4 rows of 3 features: the dataset must have the same features as the training set
# Why it matters: most tables have more than two columns, and a weak baseline surprises nobody.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  ml-naivebayes@4.0.0 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { createRequire } from "node:module";
const { GaussianNB } = createRequire(import.meta.url)("ml-naivebayes");

const labels = Array.from({ length: 40 }, (_, i) => i % 2);
const rows = labels.map((label, i) => [Math.sin(i) / 10, Math.cos(i) / 10, 10 * label + Math.sin(3 * i)]);
function trained(table) {
  const model = new GaussianNB();
  model.train(table, labels);
  return model;
}
const right = (table) => {
  const hits = trained(table).predict(table).filter((label, i) => label === labels[i]);
  return (100 * hits.length) / labels.length;
};
const message = (run) => {
  try {
    return `works: ${run()}`;
  } catch (error) {
    return error.message;
  }
};
const first = rows.map(([a, b, c]) => [c, a, b]);
const [late, early] = [right(rows), right(first)];
console.log("telling feature in column 3:", late, "% right");
console.log("telling feature in column 1:", early, "% right");
const single = rows.map((row) => [row[2]]);
console.log("one feature:", message(() => trained(single).predict(single).slice(0, 4)));
console.log("4 rows of 3 features:", message(() => trained(rows).predict(rows.slice(0, 4))));
process.exitCode = late < 80 && early === 100 ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
