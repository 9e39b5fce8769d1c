#!/usr/bin/env bash
# How long all formats of reports take, for a run in which every requirement fails with as much evidence as a run gathers:
# the quickest of five rounds for each. The build is the one that tests have; an optimised one is quicker.
#
# Usage: scripts/bench-reports.sh
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test --locked --quiet -p chatspec --lib -- --ignored --exact --nocapture report::tests::how_long_the_formats_take |
    grep -E ' ms$|requirements$'
