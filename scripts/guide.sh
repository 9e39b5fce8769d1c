#!/usr/bin/env bash
# Carries out docs/realtime.md: its commands as they stand, in a copy of it under target/guide, and its client programs, two
# by two, against a server that is frozen, killed and started again.
# Needs node 20 with npm, Python 3.10 to 3.13, and Chromium, which it installs where it may (root on Debian).
#
# Usage: scripts/guide.sh              everything
#        scripts/guide.sh FILTER...    only tests whose names match
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/browser/prepare.sh
. scripts/browser/prepare.sh
prepare_browser
build_programs

work=$target/guide
mkdir -p "$work/docs/clients"
cp docs/realtime.md "$work/docs"
cp docs/clients/*.* "$work/docs/clients"
rm -rf "$work/data"

export CHATSPEC_CHROMIUM=$chromium GUIDE_COPY=$work GUIDE_BIN=$target/debug
exec node --test --test-reporter=spec "${@/#/--test-name-pattern=}" scripts/guide/guide.test.mjs
