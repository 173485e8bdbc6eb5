#!/bin/sh
# jStat's probabilities become Infinity, NaN or wrong as soon as counts are large.
#
# Package: jstat 1.9.6.
# Valid input: Poisson with mean 150, binomial with 1030 trials, Student's t and symmetric beta with 10^6 degrees.
# Expected: poisson.pdf(150, 150) = 0.03256, binomial.pdf(515, 1030, 0.5) = 0.02486, cdf of Student's t at 0 and of
# beta(d, d) at 0.5 = 0.5 by symmetry, for every d.
# Seen: an overflowed factorial or power gives Infinity at 150 (Poisson) and 1030 (binomial), NaN at 171; the
# continued fraction of the beta function stops after 100 steps and is up to 12 % off. No error.
# Output seen:
#   poisson.pdf(k, k): 140: 0.0337, 150: Infinity, 171: NaN
#   poisson.cdf(k, k): 140: 0.5225, 150: Infinity, 171: NaN
#   binomial.pdf(n / 2, n, 0.5): 1028: 0.0249, 1030: Infinity
#   studentt.cdf(0, d), true 0.5: 1e+4: 0.5000, 1e+6: 0.4826
#   beta.cdf(0.5, d, d), true 0.5: 1e+4: 0.5000, 1e+6: 0.4404
# Why it matters: tests of one model against another, or of drift in a feature's counts, use these with thousands of
# samples; a p-value of 0.48 looks sound.
#
# Exit status: 0 the surprise is still there, 1 the behaviour changed, 2 it could not run.

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cd "$dir" && echo "{}" > package.json || exit 2
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  jstat@1.9.6 > /dev/null ||
  { echo "Could not run: the packages did not install."; exit 2; }

cat > probe.mjs <<'PROBE'
import { createRequire } from "node:module";
const { jStat } = createRequire(import.meta.url)("jstat");

const row = (label, values, f, key = String) =>
  console.log(label, values.map((v) => `${key(v)}: ${Number.isFinite(f(v)) ? f(v).toFixed(4) : f(v)}`).join(", "));
row("poisson.pdf(k, k):", [140, 150, 171], (k) => jStat.poisson.pdf(k, k));
row("poisson.cdf(k, k):", [140, 150, 171], (k) => jStat.poisson.cdf(k, k));
row("binomial.pdf(n / 2, n, 0.5):", [1028, 1030], (n) => jStat.binomial.pdf(n / 2, n, 0.5));
const power = (v) => v.toExponential();
row("studentt.cdf(0, d), true 0.5:", [1e4, 1e6], (d) => jStat.studentt.cdf(0, d), power);
row("beta.cdf(0.5, d, d), true 0.5:", [1e4, 1e6], (d) => jStat.beta.cdf(0.5, d, d), power);
const infinite = jStat.poisson.pdf(150, 150) === Infinity || jStat.binomial.pdf(515, 1030, 0.5) === Infinity;
process.exitCode = infinite || Math.abs(jStat.studentt.cdf(0, 1e6) - 0.5) > 0.01 ? 10 : 11;
PROBE

node probe.mjs
case $? in
  10) echo "Still there."; exit 0 ;;
  11) echo "Changed: the behaviour described above was not seen."; exit 1 ;;
  *) echo "Could not run: the probe ended early."; exit 2 ;;
esac
