#!/usr/bin/env bash
# Holds reports of made-up runs of every kind against the parsers that others use: JUnit XML against the schema of Jenkins,
# TAP against the parser of node-tap.
# Needs node with npm, and Python 3.10 or newer; what the parsers need is installed under target/reports.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
work=$target/reports
mkdir -p "$work"
cp scripts/reports/* "$work"
npm --prefix "$work" ci --silent --no-audit --no-fund
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/reports/requirements.txt

samples=$(mktemp -d)
trap 'rm -rf "$samples"' EXIT
CHATSPEC_SAMPLES=$samples cargo test --locked --quiet -p chatspec --lib -- --ignored --exact report::tests::samples_for_other_parsers
node "$work/tap.mjs" "$samples"
"$work/venv/bin/python" "$work/junit.py" "$samples"
