#!/bin/sh
# jsfive leaves holes where an HDF5 dataset has chunks that were never written.
#
# Packages: jsfive 0.4.2 reads; h5wasm 0.10.3 writes, and reads for comparison.
# Valid input: a chunked float32 dataset of 4 values, resized to 12, as a log that is enlarged before it is filled.
# Expected: by the HDF5 documents, elements never written read as the fill value, 0 unless set.
# Seen: a JavaScript array with 8 empty places. reduce, forEach and map step over them, so a sum is right and a mean
# by length as well, while Float32Array.from makes NaN of them and JSON makes null. No error.
# Output seen:
#   h5wasm: 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0
#   jsfive: length 12, places filled: 4
#   sum by reduce: 10, by an index loop: NaN, Float32Array.from: 1, 2, 3, 4, NaN, NaN, NaN, NaN, NaN, NaN, NaN, NaN
# Why it matters: training sets in HDF5 are often chunked and resizable; the NaN shows up in the loss, far from the
# file.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  jsfive@0.4.2 h5wasm@0.10.3 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { readFileSync } from "node:fs";
import h5wasm from "h5wasm/node";
import { File } from "jsfive";

await h5wasm.ready;
const written = new h5wasm.File("log.h5", "w");
const data = new Float32Array([1, 2, 3, 4]);
written.create_dataset({ name: "x", data, shape: [4], maxshape: [100], chunks: [4], dtype: "<f4" }).resize([12]);
written.close();
const again = new h5wasm.File("log.h5", "r");
console.log("h5wasm:", Array.from(again.get("x").value).join(", "));
again.close();

const value = new File(Uint8Array.from(readFileSync("log.h5")).buffer, "log.h5").get("x").value;
console.log("jsfive: length", `${value.length}, places filled:`, Object.keys(value).length);
let sum = 0;
for (let i = 0; i < value.length; i++) sum += value[i];
const reduced = value.reduce((a, b) => a + b, 0);
const typed = Float32Array.from(value).join(", ");
console.log(`sum by reduce: ${reduced}, by an index loop: ${sum}, Float32Array.from: ${typed}`);
process.exitCode = value.length === 12 && !(5 in value) ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
