#!/usr/bin/env bash
# Carries out README.md and docs/testing-your-server.md: their commands, as they stand and in their order, in the folder of a
# server that is a copy of the Node peer, below target/handbook. What a command cannot be here is said in the test.
# Needs node 20 with npm, and Python 3.10 to 3.13.
#
# Usage: scripts/handbook.sh
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh
scripts/peers.sh install
build_programs

data=$(mktemp -d)
trap 'scripts/mongo.sh stop --data "$data"; rm -rf "$data"' EXIT
HANDBOOK_MONGODB=$(scripts/mongo.sh start --port 0 --data "$data")
export HANDBOOK_MONGODB HANDBOOK_WORK=$target/handbook HANDBOOK_BIN=$target/debug
node --test --test-reporter=spec scripts/handbook/handbook.test.mjs
