#!/usr/bin/env bash
# How long the suite takes through the proxy, over how long it takes without it; and whether the verdicts are the same.
#
# Usage: scripts/bench-proxy.sh [ROUNDS]    default 5; PROFILE=dev takes the debug build
#
# Exit code 1 where a verdict differs.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5} profile=${PROFILE:-release}
cargo build --quiet --profile "$profile" --bin chatspec --bin chatspec-server
bin="${CARGO_TARGET_DIR:-target}/$([ "$profile" = dev ] && echo debug || echo "$profile")"
out=$(mktemp -d)
started=()
trap 'for pid in "${started[@]}"; do kill "$pid"; done; rm -rf "$out"' EXIT

# begin NAME COMMAND...: runs it in the background, waits for the address that it prints, and puts that into $address.
begin() {
    "${@:2}" >"$out/$1.log" 2>"$out/$1.err" &
    started+=("$!")
    for _ in $(seq 100); do
        address=$(grep -o 'http://[0-9.:]*' "$out/$1.log") && return
        sleep 0.1
    done
    cat "$out/$1.err" >&2
    exit 3
}

export CHATSPEC_JWT_SECRET="a secret of this benchmark and of nobody else"
begin server "$bin/chatspec-server" --in-memory --listen 127.0.0.1:0 --jwt-issuer bench --jwt-audience bench \
    --cors-origin http://allowed.example --fault-body fail --ping-interval-ms 3000 --ping-timeout-ms 2500 \
    --password-memory-kib 64 --password-passes 1 --log error
cat >"$out/target.toml" <<TARGET
name = "reference server"
urls = ["$address"]
[auth]
jwt_secret_env = "CHATSPEC_JWT_SECRET"
issuer = "bench"
audience = "bench"
[cors]
allowed_origin = "http://allowed.example"
denied_origin = "http://denied.example"
[faults]
internal_body = "fail"
TARGET
begin proxy "$bin/chatspec" proxy --target "$out/target.toml"

for round in $(seq "$rounds"); do
    "$bin/chatspec" --target "$out/target.toml" --report "json=$out/$round.past.json" >/dev/null
    "$bin/chatspec" --target "$out/target.toml" --url "$address" --report "json=$out/$round.through.json" >/dev/null
    printf 'round %s done\n' "$round" >&2
done
python3 - "$out" <<'PYTHON'
import json, pathlib, statistics, sys
out = pathlib.Path(sys.argv[1])
pairs = []
for past in sorted(out.glob("*.past.json")):
    pairs.append([json.loads(path.read_text()) for path in (past, past.with_name(past.name.replace("past", "through")))])
differ = 0
for past, through in pairs:
    verdicts = [{r["id"]: r["verdict"] for r in run["requirements"]} for run in (past, through)]
    for name in verdicts[0].keys() | verdicts[1].keys():
        if verdicts[0].get(name) != verdicts[1].get(name):
            differ += 1
            print(f"{name}: {verdicts[0].get(name)} without the proxy, {verdicts[1].get(name)} through it")
ratios = [through["duration_ms"] / past["duration_ms"] for past, through in pairs]
trips = [[run["calibration"]["rtt_median_ms"] for run in pair if run["calibration"]] for pair in pairs]
print(f"suite time through the proxy over that without: median {statistics.median(ratios):.3f}, "
      f"{min(ratios):.3f}..{max(ratios):.3f} over {len(ratios)} pairs; {differ} verdicts differ")
print(f"median round trip: {statistics.median(t[0] for t in trips)} ms without, "
      f"{statistics.median(t[-1] for t in trips)} ms through it")
sys.exit(1 if differ else 0)
PYTHON
