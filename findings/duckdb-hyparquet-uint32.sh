#!/bin/sh
# Large unsigned integers come back 2^31 too small from Parquet written by DuckDB with PARQUET_VERSION V2.
#
# Packages: @duckdb/node-api 1.5.6-r.1 writes; hyparquet 1.33.0 and parquet-wasm 0.8.0 read.
# Valid input: a UINTEGER column whose first value is 2^31 or more, distinct values, so that DuckDB chooses
# DELTA_BINARY_PACKED.
# Expected: the numbers written, or an error. Parquet stores UINT_32 as INT32, and the encoding's first value is a
# zigzag number of that width.
# Seen: DuckDB writes the first value as a wider, positive number (4294960000 instead of the INT32 -7296). hyparquet
# decodes it in 32 bits and takes 2^31 off every value, without an error; parquet-wasm refuses the file; DuckDB itself
# reads it back. Below 2^31, and with V1, everyone agrees.
# Output seen:
#   V1 hyparquet 4294960000 4294960001 | DuckDB 4294960000 4294960001 | parquet-wasm 4294960000 4294960001
#   V2 hyparquet 2147476352 2147476353 | DuckDB 4294960000 4294960001 | parquet-wasm Error: Parquet argument error:
#      Parquet error: first value too large
# Why it matters: hashed categories, identifiers and IPv4 addresses are such columns; a model trained in the browser
# on them meets other keys than the one trained beside the database.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  @duckdb/node-api@1.5.6-r.1 hyparquet@1.33.0 parquet-wasm@0.8.0 apache-arrow@21.2.0 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { tableFromIPC } from "apache-arrow";
import { parquetReadObjects } from "hyparquet";
import { readParquet } from "parquet-wasm/node";

const db = await (await DuckDBInstance.create(":memory:")).connect();
const wrong = {};
for (const version of ["V1", "V2"]) {
  const name = `${version}.parquet`;
  await db.run(`copy (select (4294960000 + range)::uinteger as u from range(300)) to '${name}'
    (format parquet, parquet_version ${version}, compression uncompressed)`);
  const bytes = Uint8Array.from(readFileSync(name));
  const js = (await parquetReadObjects({ file: bytes.buffer })).map((row) => row.u);
  const sql = (await db.runAndReadAll(`select u from '${name}'`)).getRows().map((row) => row[0]);
  let wasm;
  try {
    const u = tableFromIPC(readParquet(bytes).intoIPCStream()).getChild("u");
    wasm = `${u.get(0)} ${u.get(1)}`;
  } catch (error) {
    wasm = String(error);
  }
  console.log(version, "hyparquet", js[0], js[1], "| DuckDB", sql[0], sql[1], "| parquet-wasm", wasm);
  wrong[version] = js.filter((value, i) => value !== 4294960000 + i).length;
}
process.exitCode = wrong.V1 === 0 && wrong.V2 === 300 ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
