#!/bin/sh
# lz4js decodes LZ4 frames with block checksums to other bytes; Polars writes such frames into Arrow files.
#
# Packages: lz4js 0.2.0; nodejs-polars 0.26.1 writes, apache-arrow 21.2.0 reads with lz4js as its codec. Linux x64
# with glibc (the binary package of Polars is named, as npm left it out).
# Valid input: an Arrow IPC file of one float64 column, compression "lz4".
# Expected: by the LZ4 frame format the checksum of a block follows its data; decoded, the numbers written.
# Seen: lz4js skips the four bytes in front of the data, decodes from the wrong place and returns a buffer of nearly
# the right length without an error. Nearly all numbers differ, the last 20 are missing. Polars itself reads the file
# right.
# Output seen:
#   frame flags 1010100: block checksums on
#   2980 of 3000 values, 2995 wrong or missing; the first: 3.1384e-319, 0, 0, 0, 0; written: 0, 0, 0, 0, 0
#   read by Polars: 0 wrong
# Why it matters: apache-arrow brings no codec of its own and lz4js is an obvious choice. The result is a full table
# of numbers, many of them 0 or denormal, on which training runs.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  lz4js@0.2.0 nodejs-polars@0.26.1 nodejs-polars-linux-x64-gnu@0.26.1 apache-arrow@21.2.0 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { createRequire } from "node:module";
import { CompressionType, compressionRegistry, tableFromIPC } from "apache-arrow";
const require = createRequire(import.meta.url);
const lz4 = require("lz4js");
const { default: pl } = await import("nodejs-polars");

const truth = Array.from({ length: 3000 }, (_, i) => Math.floor(i / 7) * 1.5);
const bytes = pl.DataFrame({ x: truth }).writeIPC({ compression: "lz4" });
const frame = bytes.indexOf(Uint8Array.of(0x04, 0x22, 0x4d, 0x18));
const flags = bytes[frame + 4];
console.log(`frame flags ${flags.toString(2)}: block checksums ${flags & 16 ? "on" : "off"}`);

const wrong = (values) => truth.filter((value, i) => values[i] !== value).length;
compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (data) => lz4.decompress(data) });
let count = 0;
try {
  const x = tableFromIPC(bytes).getChild("x").toArray();
  count = wrong(x);
  const five = (values) => Array.from(values.slice(0, 5)).join(", ");
  console.log(`${x.length} of 3000 values, ${count} wrong or missing; the first: ${five(x)}; written: ${five(truth)}`);
} catch (error) {
  console.log("an error now:", error.message);
}
console.log("read by Polars:", wrong(pl.readIPC(bytes).getColumn("x").toArray()), "wrong");
process.exitCode = count > 0 ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
