#!/usr/bin/env bash
# Holds the scripts of chatspec repro, in both languages, against the reference server, where they must find nothing, and
# against the JavaScript peer with exactly one promise broken, where they must find that.
# Needs node with npm, and Python 3.10 or newer; what the scripts need is installed under target/clients.
#
# Usage: scripts/repro.sh                 all, as CI does
#        scripts/repro.sh MSG-05...       these requirements
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

# Each requirement, and what a script says where it is broken.
broken=(
    'AUTH-10|to be refused with CONNECT_ERROR'
    'ROOM-02|"FORBIDDEN"'
    'ROOM-04|to get no message:new'
    'ROOM-07|"NOT_FOUND"'
    'MSG-02|alice to get message:new'
    'MSG-05|(see /data/serverId)'
    'MSG-07|(see /data/serverId)'
    'MSG-14|\u0301'
    'RATE-01|"RATE_LIMITED"'
    'RATE-07|"RATE_LIMITED"'
    'TYPE-03|alice to get no typing:update'
    'RCPT-02|alice to get no receipt:update'
    'RCPT-04|"NOT_FOUND"'
    'RCPT-08|/unread)'
    'PRES-04|stranger to get no presence:update'
    'CHAT-03|carol to get chat:update'
)
# As many at once; most of the time is spent waiting.
jobs=4

clients=$target/clients
export chatspec=$target/debug/chatspec work=$target/repro
export JWT_SECRET=the-peer-in-javascript-signs-with-this PORT=0 python=$clients/venv/bin/python

fail() { printf '%s\n' "$1" >&2; cat "$2" >&2; return 1; }

# The script of a requirement in a language, for a server: what it is called.
write() { "$chatspec" repro "$1" --lang "$2" --out "$3" "${@:4}" 2>/dev/null; }

# Runs a script at a URL; its exit code must be this, and its output must have all of these texts.
ends_with() {
    local script=$1 code=0 text
    case $script in *.mjs) timeout 60 node "$script" "$2" ;; *) timeout 60 "$python" "$script" "$2" ;; esac >"$script.log" 2>&1 || code=$?
    [ "$code" = "$3" ] || fail "$script ended with $code instead of $3" "$script.log"
    for text in "${@:4}"; do
        grep -qF -- "$text" "$script.log" || fail "$script did not say: $text" "$script.log"
    done
}

# Starts a server that prints its address; sets url and pid.
start() {
    "${@:2}" >"$1" 2>&1 &
    pid=$!
    for _ in $(seq 100); do
        url=$(grep -o 'http://[^ ]*' "$1" || true)
        [ -n "$url" ] && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    fail "no server" "$1"
}

# One requirement: against the reference server, then against the peer that breaks it.
check() (
    set -euo pipefail
    id=${1%%|*} words=${1#*|}
    for language in js:mjs python:py; do
        write "$id" "${language%:*}" "$work/$id.${language#*:}"
        ends_with "$work/$id.${language#*:}" "$reference" 0 'as the contract says'
    done
    trap 'kill "$pid" 2>/dev/null || true' EXIT
    BREAKS=$id start "$work/$id.broken.log" node scripts/repro/broken.mjs
    for language in js:mjs python:py; do
        script=$work/$id.broken.${language#*:}
        write "$id" "${language%:*}" "$script" --target fixtures/peers/node/target.toml
        ends_with "$script" "$url" 1 "($id " "$words"
    done
    echo "$id: kept by the reference server, broken by the peer that breaks it, in both languages"
)
export -f fail write ends_with start check

mkdir -p "$work"
install_npm scripts/clients "$clients"
install_npm fixtures/peers/node fixtures/peers/node
install_pip scripts/clients/requirements.txt "$clients/venv"
ln -sfn ../clients/node_modules "$work/node_modules"
build_programs

chosen=()
for entry in "${broken[@]}"; do
    if [ $# = 0 ] || [[ " $* " == *" ${entry%%|*} "* ]]; then chosen+=("$entry"); fi
done
[ ${#chosen[@]} -gt 0 ] || { echo "none of these is broken here: $*" >&2; exit 2; }

start "$work/reference.log" "$target/debug/chatspec-server" --listen 127.0.0.1:0 --in-memory --log warn
trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null || true' EXIT
export reference=$url
printf '%s\0' "${chosen[@]}" | xargs -0 -P "$jobs" -I{} bash -c 'check "$1"' check {}
