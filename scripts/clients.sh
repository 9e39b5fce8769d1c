#!/usr/bin/env bash
# Holds the official JavaScript client and python-socketio against the reference server.
# Needs node with npm, and Python 3.10 or newer; what the clients need is installed under target/clients.
#
# Usage: scripts/clients.sh            builds and starts a server of its own
#        scripts/clients.sh URL        uses the server at URL
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=scripts/common.sh
. scripts/common.sh

work=$target/clients
install_npm scripts/clients "$work"
install_pip scripts/clients/requirements.txt "$work/venv"
cp scripts/clients/chat.* "$work"

url=${1:-}
if [ -z "$url" ]; then
    build_programs
    log=$(mktemp)
    "$target/debug/chatspec-server" --listen 127.0.0.1:0 --in-memory --log warn >"$log" &
    server=$!
    trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -f "$log"' EXIT
    for _ in $(seq 100); do
        url=$(grep -o 'http://[^ ]*' "$log" || true)
        [ -n "$url" ] && break
        kill -0 "$server" 2>/dev/null || { echo "the server did not start" >&2; exit 1; }
        sleep 0.1
    done
    [ -n "$url" ] || { echo "the server did not say its URL within 10 s" >&2; exit 1; }
fi

node "$work/chat.mjs" "$url"
"$work/venv/bin/python" "$work/chat.py" "$url"
