#!/bin/sh
# toArray() of an Arrow column makes numbers of nulls, and other units of times, than get() does.
#
# Package: apache-arrow 21.2.0.
# Valid input: nullable columns, made with vectorFromArray.
# Expected: as get(i), toJSON() and iteration say: null where null is, times in milliseconds. Arrow's format leaves
# the bytes behind a null undefined, so no reader may show them as values.
# Seen: numeric and timestamp columns return the raw buffer, 0 here for null, seconds or microseconds as BigInt for
# times; boolean and date columns of the same method keep null and milliseconds.
# Output seen:
#   Float64: toArray [1.5, 0, 3], get [1.5, null, 3]
#   Int32: toArray [7, 0, 9], get [7, null, 9]
#   Bool: toArray [true, null, false], get [true, null, false]
#   TimestampSecond: toArray [1704067200, 0], get [1704067200000, null]
#   DateDay: toArray [1704067200000, null], get [1704067200000, null]
#   mean of the Float64 column: 1.5 by toArray, 2.25 by get
# Why it matters: toArray is the obvious way to a typed array for training. Missing values become zeros (or leftovers
# of another writer), which no imputer sees, and a time feature changes by a factor of 1000 with the column's unit.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  apache-arrow@21.2.0 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { Bool, DateDay, Float64, Int32, TimestampSecond, vectorFromArray } from "apache-arrow";

const day = new Date("2024-01-01T00:00:00Z");
const columns = {
  Float64: vectorFromArray([1.5, null, 3], new Float64()),
  Int32: vectorFromArray([7, null, 9], new Int32()),
  Bool: vectorFromArray([true, null, false], new Bool()),
  TimestampSecond: vectorFromArray([day, null], new TimestampSecond()),
  DateDay: vectorFromArray([day, null], new DateDay()),
};
for (const [type, column] of Object.entries(columns)) {
  const single = Array.from({ length: column.length }, (_, i) => column.get(i));
  const text = (values) => `[${values.map(String).join(", ")}]`;
  console.log(`${type}: toArray ${text(Array.from(column.toArray()))}, get ${text(single)}`);
}
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const numbers = columns.Float64;
const present = Array.from(numbers).filter((value) => value !== null);
console.log("mean of the Float64 column:", mean(Array.from(numbers.toArray())), "by toArray,", mean(present), "by get");
process.exitCode = numbers.get(1) === null && numbers.toArray()[1] === 0 ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
