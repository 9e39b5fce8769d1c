#!/usr/bin/env bash
# Holds the kit against the implementations in fixtures/peers, and compares what it says with the file beside each.
# Needs node with npm, and Python 3.10 to 3.13; what the peers are built on is installed into their folders.
#
# Usage: scripts/peers.sh                      both, as CI does
#        scripts/peers.sh node [OPTION...]     chatspec against this one, with further options of chatspec
#        scripts/peers.sh python [OPTION...]
#        scripts/peers.sh install             only what both are built on
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

peers=fixtures/peers
install_node() { install_npm "$peers/node" "$peers/node"; }
install_python() { install_pip "$peers/python/requirements.txt" "$peers/python/.venv"; }

case ${1:-both} in
both)
    install_node
    install_python
    # One after the other: what two servers and two runs of the kit take from each other would show in the timing.
    exec cargo test --locked --test peers -- --ignored --test-threads=1
    ;;
install)
    install_node
    install_python
    ;;
node | python)
    "install_$1"
    exec cargo run --locked --quiet --features services --bin chatspec -- --target "$peers/$1/target.toml" "${@:2}"
    ;;
*)
    echo "no such peer: $1; there are node and python" >&2
    exit 2
    ;;
esac
