#!/usr/bin/env bash
# Changes one thing at a time in the rules of the server, and sees whether its own fast tests notice. What survives is told at
# the end, and stays in mutants.out. `.cargo/mutants.toml` says where changes are made, and which of them change nothing.
#
# Usage: scripts/mutants.sh [OPTION...]    with further options of cargo mutants, as in --list, --file or --in-diff
#
# Exit code 2 where a change survives, 3 where one lets the tests wait for ever.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo mutants --version >/dev/null 2>&1; then
    echo "cargo-mutants is needed: cargo install cargo-mutants --locked" >&2
    exit 127
fi
# Without line numbers, a mutant takes half the time.
export CARGO_PROFILE_DEV_DEBUG=none
exec cargo mutants --no-shuffle --colors=auto "$@"
