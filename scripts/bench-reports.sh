#!/usr/bin/env bash
# How long all formats of reports take, optimised as in a release, for a run in which many requirements fail with as much
# evidence as a run gathers, held against a baseline that lists nothing: the quickest of five rounds. Building takes many
# minutes the first time.
#
# Usage: scripts/bench-reports.sh
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test --locked --quiet --release --lib -- \
    --ignored --exact --nocapture report::tests::how_long_the_formats_take |
    grep -E ' ms$|requirements$'
