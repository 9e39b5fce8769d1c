#!/usr/bin/env bash
# Holds reports of made-up runs of every kind against the parsers that others use: JUnit XML against the schema of Jenkins,
# TAP against the parser of node-tap.
# Needs node with npm, and Python 3.10 or newer; what the parsers need is installed under target/reports.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=scripts/common.sh
. scripts/common.sh
work=$target/reports
install_npm scripts/reports "$work"
install_pip scripts/reports/requirements.txt "$work/venv"
cp scripts/reports/* "$work"

samples=$(mktemp -d)
trap 'rm -rf "$samples"' EXIT
CHATSPEC_SAMPLES=$samples cargo test --locked --quiet --lib -- --ignored --exact report::tests::samples_for_other_parsers
node "$work/tap.mjs" "$samples"
"$work/venv/bin/python" "$work/junit.py" "$samples"
