#!/usr/bin/env bash
# How long the suite takes against the reference server, over the longest window that it has to wait for.
#
# Usage: scripts/bench-suite.sh [ROUNDS]    default 5
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
window_ms=10000 # the rate window of contract §6: no run can be shorter
cargo build --quiet --release --bin chatspec
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for round in $(seq "$rounds"); do
    "${CARGO_TARGET_DIR:-target}/release/chatspec" run --report "json=$out/$round.json" >/dev/null
    printf 'round %s done\n' "$round" >&2
done
python3 - "$window_ms" "$out"/*.json <<'PYTHON'
import json, statistics, sys
window, times = int(sys.argv[1]), [json.load(open(path))["duration_ms"] for path in sys.argv[2:]]
median = statistics.median(times)
print(f"suite time: median {median:.0f} ms, {min(times)}..{max(times)} ms over {len(times)} runs; "
      f"{median / window:.2f} of the longest window ({window} ms)")
PYTHON
