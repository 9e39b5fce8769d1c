#!/usr/bin/env bash
# Installs the official Socket.IO client for browsers, which the next build of the server puts into its playground.
# Needs npm. What it installs is under server/playground/node_modules, and in no commit.
set -euo pipefail
cd "$(dirname "$0")/../server/playground"

# Only where it is not there yet: whatever changes in this folder makes cargo build the server anew.
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    command -v npm >/dev/null || { echo "needs npm, which comes with node" >&2; exit 1; }
    npm ci --silent --no-audit --no-fund
fi
