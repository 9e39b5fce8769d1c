#!/usr/bin/env bash
# Installs the official Socket.IO client for browsers, which the next build of the server puts into its playground.
# Needs npm. What it installs is under server/playground/node_modules, and in no commit.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

# Only once: whatever changes in this folder makes cargo build the server anew.
install_npm server/playground server/playground
