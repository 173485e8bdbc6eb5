#!/bin/sh
# Arquero's rolling aggregates remember rows that have left the window, down to negative variances.
#
# Package: arquero 8.0.3 (with @uwdata/flechette 2.6.0).
# Valid input: a column of five numbers, window of the row and the one before; one large or infinite value in the
# first row.
# Expected: a function of the rows in the window: from the third row on sum 3, 5, 7, variance 0.5.
# Seen: the window slides by adding and subtracting, and what was rounded away, or Infinity - Infinity, stays. After
# 1e16 the sums are off by one and variances about -9e15; after Infinity every later row is NaN, to the end of the
# column.
# Output seen:
#   0 first: sum 3, 5, 7 | variance 0.5, 0.5, 0.5
#   10000000000000000 first: sum 2, 4, 6 | variance -9007199254740990, -9007199254740988, -9007199254740986
#   Infinity first: sum NaN, NaN, NaN | variance NaN, NaN, NaN
# Why it matters: one bad sensor value, or a sentinel, spoils every rolling feature behind it, and a negative variance
# becomes NaN in the standard deviation or in a z-score long after the cause.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  arquero@8.0.3 @uwdata/flechette@2.6.0 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { op, rolling, table } from "arquero";

function windows(first) {
  const result = table({ x: [first, 1, 2, 3, 4] }).derive({
    sum: rolling((d) => op.sum(d.x), [-1, 0]),
    variance: rolling((d) => op.variance(d.x), [-1, 0]),
  });
  const late = (name) => Array.from(result.array(name)).slice(2);
  console.log(`${first} first: sum ${late("sum").join(", ")} | variance ${late("variance").join(", ")}`);
  return late("variance");
}
windows(0);
const large = windows(1e16);
const infinite = windows(Infinity);
process.exitCode = large.some((v) => v < 0) || infinite.every(Number.isNaN) ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
