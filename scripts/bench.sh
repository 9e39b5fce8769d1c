#!/usr/bin/env bash
# The reference server under load, beside a server on the same library that only broadcasts and beside the peers in
# fixtures/peers; how its cost grows; and what a run of the kit costs. All in turn, in several rounds, on this machine.
# Writes a folder with every figure and a summary of ratios, which alone mean something on another machine.
#
# Usage: scripts/bench.sh [ROUNDS [SECONDS]]    default 3 rounds, in which each load lasts 10 s
#
# OUT=FOLDER    where to write; by default target/bench/<date>-<time>
# PLANS='a b'   only these of: everyday busy half overload room idle rooms growth kit
# ONLY='a b'    only these of: memory disk mongodb bare node python
# MONGODB_URI   a MongoDB for the reference server, which is left out without one. What scripts/mongo.sh starts stands in
#               for MongoDB where correctness is asked, never where speed is.
#
# Exit code 1 where a message was lost, doubled, out of order or invented.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-3} seconds=${2:-10}
out=${OUT:-target/bench/$(date +%F-%H%M%S)}
plans=${PLANS:-everyday busy half overload room idle rooms growth kit}
only=${ONLY:-memory disk ${MONGODB_URI:+mongodb} bare node python}
has() { [[ " $1 " == *" $2 "* ]]; }

cargo build --quiet --locked --release --bin chatspec --bin chatspec-server
cargo build --quiet --locked --release -p chatspec-server-core --examples
bin=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)
if has "$only" node || has "$only" python; then scripts/peers.sh install; fi
mkdir -p "$out/raw"
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

# What is loaded is started by its target file. Passwords are hashed cheaply: thousands of users are registered.
server="exec '$bin/chatspec-server' --listen 127.0.0.1:0 --password-memory-kib 64 --password-passes 1 --log warn --rate-max 100000"
target() {
    printf 'name = "%s"\n[launch]\ncommand = """%s"""\nready_line = '\''(http://\\S+)'\''\n[limits]\nrate_max = 100000\n' \
        "$2" "$3" >"$data/$1.toml"
}
target memory "reference server, in memory" "$server --in-memory"
target disk "reference server, on disk" "d=\$(mktemp -d '$data/XXXX'); $server --data \$d"
target mongodb "reference server, on MongoDB" "$server --mongodb-uri '${MONGODB_URI:-}'"
target bare "bare socketioxide" "exec '$bin/examples/bare'"
sed -e 's/^\[limits\]/&\nrate_max = 100000/' -e "s|^\[launch\]|&\ncwd = '$PWD/fixtures/peers/node'|" \
    -e 's/^env = { /&SEND_LIMIT = "100000", /' fixtures/peers/node/target.toml >"$data/node.toml"
# It keeps the contract's rate limit.
sed -e "s|^\[launch\]|&\ncwd = '$PWD/fixtures/peers/python'|" fixtures/peers/python/target.toml >"$data/python.toml"

# load PLAN 'SUBJECT...' OPTION...: each of the subjects under this load, whose figures go to raw/.
load() {
    local plan=$1 subject file code
    for subject in $2; do
        has "$only" "$subject" || continue
        file=$out/raw/$plan.$subject.$round code=0
        "$bin/chatspec" load --target "$data/$subject.toml" "${@:3}" --report "json=$file.json" \
            >"$file.txt" 2>&1 || code=$?
        printf 'round %s of %s, %s, %s: exit code %s\n' "$round" "$rounds" "$plan" "$subject" "$code" >&2
        case $code in 0 | 1) ;; *) cat "$file.txt" >&2 && exit "$code" ;; esac
    done
}

# Time and memory of a whole run of the kit against the reference server in a process of its own.
kit() {
    python3 - "$bin/chatspec" "$out/raw/kit.memory.$round.json" <<'PYTHON'
import json, resource, subprocess, sys
subprocess.run([sys.argv[1], "run", "--report", f"json={sys.argv[2]}"], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
run = json.load(open(sys.argv[2]))
figures = {"seconds": run["duration_ms"] / 1000, "cpu_s": used.ru_utime + used.ru_stime, "peak_kb": used.ru_maxrss}
json.dump(figures, open(sys.argv[2], "w"))
PYTHON
    printf 'round %s of %s, kit\n' "$round" "$rounds" >&2
}

{
    echo "date     $(date -u +%FT%TZ)"
    echo "commit   $(git rev-parse --short HEAD)$(git diff --quiet HEAD || echo ', with changes')"
    echo "machine  $(nproc) cores, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(uname -sr)"
    echo "rustc    $(rustc --version)"
    echo "node     $(node --version), socket.io $(node -p "require('./fixtures/peers/node/package.json').dependencies['socket.io']")"
    echo "python   $(fixtures/peers/python/.venv/bin/python --version 2>&1)"
    echo "rounds   $rounds, each load for $seconds s; generator and server share the cores"
} >"$out/setup.txt"

# The bare server knows no repeats.
time=(--duration "${seconds}s") crowd=(--rooms 100 --room-size 10 --repeat 0)
for round in $(seq "$rounds"); do
    for plan in $plans; do
        case $plan in
        everyday) load everyday "memory disk mongodb bare node python" "${crowd[@]}" "${time[@]}" --rate 300 ;;
        busy) load busy "memory disk mongodb bare node" "${crowd[@]}" "${time[@]}" --rate 2000 ;;
        half) load half "memory disk bare" "${crowd[@]}" "${time[@]}" --rate 4000 ;;
        overload) load overload "memory disk mongodb bare node" "${crowd[@]}" --duration 3s --rate 20000 --drain 60s ;;
        room) load room "memory bare node" --rooms 1 --room-size 1000 --repeat 0 "${time[@]}" --rate 20 ;;
        idle) load idle "memory bare" --connect-only 5000 "${time[@]}" ;; # The peers hash passwords at full cost.
        rooms)
            for rooms in 10 100 1000; do
                load "rooms-$rooms" memory --rooms "$rooms" --room-size 10 --repeat 0 "${time[@]}" --rate 500
            done
            ;;
        kit) kit ;;
        growth) ;; # It has rounds of its own.
        *) echo "no such plan: $plan" >&2 && exit 2 ;;
        esac
    done
done
if has "$plans" growth; then
    echo "how the cost of a message grows" >&2
    "$bin/examples/growth" "$rounds" >"$out/growth.md"
fi

python3 scripts/bench/summary.py "$out" >"$out/summary.md" || code=$?
cat "$out/summary.md"
exit "${code:-0}"
