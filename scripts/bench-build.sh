#!/usr/bin/env bash
# What the README's two commands cost from nothing: CPU seconds, time, size, crates; and what is installed.
#
# Usage: scripts/bench-build.sh [CHECKOUT] [--only first|tests|release]...    default: this checkout, all three
#
# Everything is built anew in a folder below $TMPDIR, which is removed afterwards; crates are downloaded before the clock
# starts. Nothing else should run meanwhile. Takes Linux and Python 3, and up to an hour on two cores.
set -euo pipefail
exec python3 "$(dirname "$0")/bench/build.py" "$@"
