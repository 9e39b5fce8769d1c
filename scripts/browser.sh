#!/usr/bin/env bash
# Opens in Chromium the HTML reports of real runs (one that conforms, one with failures, one that was interrupted, and one
# whose target went away), and what the server has at /docs, the playground among it. Needs node 20 with npm, and Chromium,
# which it installs where it may (root on Debian).
#
# Usage: scripts/browser.sh               makes the reports and tests all
#        scripts/browser.sh FILTER...     only tests whose names match, on the reports and the server of the last time
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/browser/prepare.sh
. scripts/browser/prepare.sh
prepare_browser
# Before anything is built: the server takes the client in.
scripts/playground.sh

work=$target/browser
chatspec=$target/debug/chatspec

# Runs the kit, and sees that it ends as it should.
judge() {
    local report=$1 expected=$2 code=0
    shift 2
    "$chatspec" --report "html=$work/$report.html" "$@" >"$work/$report.txt" || code=$?
    expect "$report" "$expected" "$code"
}

expect() {
    if [ "$2" -ne "$3" ]; then
        cat "$work/$1.txt"
        echo "the run for $1.html ended with $3 instead of $2" >&2
        exit 1
    fi
}

make_reports() {
    build_programs
    rm -rf "$work"
    mkdir -p "$work"

    # A name that does harm where it is not escaped, and limits that are not the server's.
    target_file '<script>document.title = 1</script><b>bold</b> \u202Egnp.exe\u0007' '' >"$work/failures.toml" <<'TOML'
[limits]
rate_max = 9
body_max_bytes = 120000
TOML
    target_file 'a server that goes away' 'timeout 3' >"$work/lost.toml" </dev/null

    # The one that has to conform has the machine to itself; the others mostly wait.
    judge conforms 0 --require-all
    judge failures 1 --target "$work/failures.toml" --only rooms --only 'messages/s*' --only rate-limit/burst --only RATE-07 --only acks &
    local failures=$!
    judge lost 3 --target "$work/lost.toml" --only 'presence/*' &
    local lost=$!
    interrupt
    wait "$failures"
    wait "$lost"
}

# A run that is interrupted when it has begun.
interrupt() {
    "$chatspec" --report "html=$work/interrupted.html" >"$work/interrupted.txt" &
    local run=$! code=0
    for _ in $(seq 100); do
        grep -q 'scenarios on' "$work/interrupted.txt" && break
        sleep 0.1
    done
    sleep 1
    kill -INT "$run"
    wait "$run" || code=$?
    expect interrupted 130 "$code"
}

if [ $# -eq 0 ]; then
    make_reports
elif [ ! -e "$work/interrupted.html" ]; then
    echo "there are no reports yet: run scripts/browser.sh without a filter first" >&2
    exit 2
fi
export CHATSPEC_CHROMIUM=$chromium CHATSPEC_REPORTS=$work CHATSPEC_SERVER=$target/debug/chatspec-server
exec node --test --test-reporter=spec "${@/#/--test-name-pattern=}" scripts/browser/*.test.mjs
