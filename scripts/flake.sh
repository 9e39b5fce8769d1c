#!/usr/bin/env bash
# Runs the suite again and again, at rest and under load, and counts verdicts that change from run to run.
#
# Usage: scripts/flake.sh [QUIET [LOADED]]    default 50 and 20; options for chatspec in CHATSPEC_ARGS
#
# A verdict that was too close to tell and settled when its scenario was run again is no change; how many there were is
# told. Exit code 1 when any verdict differed from the first run's, or a run did not end with exit code 0.
set -euo pipefail
cd "$(dirname "$0")/.."

quiet=${1:-50} loaded=${2:-20}
cargo build --quiet --release --bin chatspec
chatspec="${CARGO_TARGET_DIR:-target}/release/chatspec"
out=$(mktemp -d)
busy=()
trap 'for loop in "${busy[@]}"; do kill "$loop"; done; rm -rf "$out"' EXIT

# rounds NAME COUNT
rounds() {
    for round in $(seq "$2"); do
        code=0
        # shellcheck disable=SC2086 # options are words
        "$chatspec" run --report "json=$out/$1-$(printf %03d "$round").json" ${CHATSPEC_ARGS:-} >/dev/null || code=$?
        printf '%s run %s of %s: exit code %s\n' "$1" "$round" "$2" "$code" >&2
        echo "$code" >>"$out/$1.codes"
    done
}

rounds quiet "$quiet"
for _ in $(seq $((2 * $(nproc)))); do
    sh -c 'while :; do :; done' &
    busy+=("$!")
done
rounds loaded "$loaded"

python3 - "$out" <<'PYTHON'
import json, pathlib, sys
out, changes, bad, first = pathlib.Path(sys.argv[1]), 0, 0, None
for kind in ("quiet", "loaded"):
    runs = sorted(out.glob(f"{kind}-*.json"))
    codes = out.joinpath(f"{kind}.codes")
    wrong = sum(line.strip() != "0" for line in codes.read_text().splitlines()) if codes.exists() else 0
    changed = again = 0
    for path in runs:
        report = json.loads(path.read_text())
        again += sum(scenario["attempts"] > 1 for scenario in report["scenarios"])
        verdicts = {r["id"]: r["verdict"] for r in report["requirements"]}
        first = first or verdicts
        for name in sorted(verdicts.keys() | first.keys()):
            if verdicts.get(name) != first.get(name):
                changed += 1
                print(f"{path.stem}: {name} {first.get(name)} -> {verdicts.get(name)}")
    print(f"{kind}: {len(runs)} runs, {changed} verdicts changed, {wrong} runs with another exit code than 0, "
          f"{again} scenarios run again since the timing was too close to tell")
    changes, bad = changes + changed, bad + wrong
sys.exit(1 if changes or bad else 0)
PYTHON
