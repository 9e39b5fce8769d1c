#!/usr/bin/env bash
# Tries every sabotage on the reference server, and writes docs/detection.md.
#
# Usage: scripts/sabotage.sh [OPTION...]    with further options of chatspec sabotage; PROFILE=release takes an optimised build
set -euo pipefail
cd "$(dirname "$0")/.."

exec cargo run --locked --quiet --profile "${PROFILE:-dev}" --bin chatspec -- sabotage --markdown docs/detection.md "$@"
