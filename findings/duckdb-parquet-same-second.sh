#!/bin/sh
# DuckDB applies the footer of an overwritten Parquet file to the file's new data.
#
# Package: @duckdb/node-api 1.5.6-r.1 (DuckDB 1.5.6); the files come from hyparquet-writer 0.17.0.
# Valid input: a Parquet file that is overwritten in place, within one second, by another of the same length; here the
# two columns have changed places.
# Expected: a query sees the file as it is now. DuckDB's setting validate_external_file_cache is VALIDATE_ALL by
# default, described as validating all cache entries.
# Seen: the first file is read right; after the overwriting, `select a` returns the values of b, and a file without
# nulls is counted as one with them, without an error. Waiting 1.1 s between the writings, renaming a new file into
# place, or `set enable_external_file_cache = false` gives the right rows.
# Output seen:
#   file 1, select a: 1, 2, 3
#   file 2, select a: 10, 20, 30 (in the file: 1, 2, 3)
#   with nulls, then without: 4 rows counted, 3 in the file
#   file 2, cache off: 1, 2, 3
# Why it matters: a pipeline that rewrites one feature table in a loop, as a test or a data service does, may train on
# another column, target and feature exchanged, and nothing says so.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  @duckdb/node-api@1.5.6-r.1 hyparquet-writer@0.17.0 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { copyFileSync, statSync, writeFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { parquetWriteBuffer } from "hyparquet-writer";

const save = (name, columnData) => writeFileSync(name, Buffer.from(parquetWriteBuffer({ columnData })));
const a = { name: "a", data: [1, 2, 3], type: "DOUBLE" };
const b = { name: "b", data: [10, 20, 30], type: "DOUBLE" };
save("ab.parquet", [a, b]);
save("ba.parquet", [b, a]);
save("null.parquet", [{ name: "t", data: [new Date(5), new Date(6), new Date(7), null] }]);
save("full.parquet", [{ name: "t", data: [new Date(15), new Date(16), new Date(17)], type: "TIMESTAMP" }]);
const length = (name) => statSync(name).size;
if (length("ab.parquet") !== length("ba.parquet") || length("null.parquet") !== length("full.parquet"))
  throw new Error("the files must be of one length");

const session = async () => (await DuckDBInstance.create(":memory:")).connect();
async function rows(connection, source, query) {
  copyFileSync(source, "table.parquet");
  return (await connection.runAndReadAll(query)).getRows().map(String).join(", ");
}
const soon = async () => {
  // The start of a second, so that both writings fall into one.
  await new Promise((done) => setTimeout(done, 1050 - (Date.now() % 1000)));
};

const query = "select a from 'table.parquet'";
let c = await session();
await soon();
const first = await rows(c, "ab.parquet", query);
const second = await rows(c, "ba.parquet", query);
console.log("file 1, select a:", first);
console.log("file 2, select a:", second, "(in the file: 1, 2, 3)");

c = await session();
await soon();
await rows(c, "null.parquet", "select count(*) from 'table.parquet'");
const counted = await rows(c, "full.parquet", "select count(*) from 'table.parquet'");
console.log("with nulls, then without:", counted, "rows counted, 3 in the file");

c = await session();
await c.run("set enable_external_file_cache = false");
await soon();
await rows(c, "ab.parquet", query);
console.log("file 2, cache off:", await rows(c, "ba.parquet", query));
process.exitCode = first === "1, 2, 3" && second === "10, 20, 30" ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
