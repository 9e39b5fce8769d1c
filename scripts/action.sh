#!/usr/bin/env bash
# The steps of the GitHub Action, action.yml; conformance/tests/action plays the runner for them.
#
# Usage: scripts/action.sh find | build | run | end
#
# What they are told is in the environment: GITHUB_ACTION_PATH, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY, RUNNER_TEMP, RUNNER_OS,
# RUNNER_ARCH by the runner, and the inputs and CHATSPEC, CHATSPEC_ROOT, CHATSPEC_FEATURES, EXIT_CODE by action.yml.
set -euo pipefail

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# An annotation, whose text stays one.
annotate() {
    local text=$1
    text=${text//'%'/'%25'}
    text=${text//$'\r'/'%0D'}
    printf '::error title=chatspec::%s\n' "${text//$'\n'/'%0A'}"
}

misuse() { annotate "$1"; exit 2; }

# Where the kit is, or is going to be. What it is built from names it in the cache, and what it is linked with.
find_kit() {
    if [ -n "$INPUT_CHATSPEC" ]; then
        local program
        program=$(command -v "$INPUT_CHATSPEC") || misuse "chatspec: there is no program $INPUT_CHATSPEC"
        output program "$(realpath "$program")"
        output build false
        return
    fi
    local features sources
    case $INPUT_SERVICES in
        true) features=services ;;
        false | '') features='' ;;
        *) misuse "the input services is true or false, not $INPUT_SERVICES" ;;
    esac
    sources=$(cd "$GITHUB_ACTION_PATH" &&
        find .cargo Cargo.toml Cargo.lock conformance server fixtures -name node_modules -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
    output root "$RUNNER_TEMP/chatspec-kit"
    output program "$RUNNER_TEMP/chatspec-kit/bin/chatspec"
    output features "$features"
    output key "chatspec${features:+-$features}-${ImageOS:-$RUNNER_OS}-$RUNNER_ARCH-${sources%% *}"
    output build true
}

build_kit() {
    command -v cargo >/dev/null || misuse "chatspec is built from source: put Rust on this runner first, or give the input chatspec"
    local cargo=(cargo)
    # That of the runner's image may be too old.
    if command -v rustup >/dev/null; then
        rustup toolchain install stable --profile minimal --no-self-update
        cargo=(rustup run stable cargo)
    fi
    # In its folder, for the configuration of cargo that lies there.
    (cd "$GITHUB_ACTION_PATH" &&
        "${cargo[@]}" install --locked --root "$CHATSPEC_ROOT" --path conformance --features "$CHATSPEC_FEATURES")
}

# The arguments that say who is tested.
target_args() {
    local given=0 value
    for value in "$INPUT_URL$INPUT_TARGET" "$INPUT_LAUNCH"; do [ -z "$value" ] || given=$((given + 1)); done
    [ "$given" = 1 ] || misuse "give one of the inputs url, target and launch (url and target may come together)"
    if [ -n "$INPUT_LAUNCH" ]; then
        local file=$work/chatspec.toml launch
        # The target file is not where the command is to run.
        printf -v launch 'cd %q && %s' "$PWD" "$INPUT_LAUNCH"
        "$CHATSPEC" init --force --name "${GITHUB_REPOSITORY:-the server}" --launch "$launch" \
            ${INPUT_KEY_ENV:+--key-env "$INPUT_KEY_ENV"} "$file" 2>/dev/null || misuse "launch and key-env do not fit together"
        args+=(--target "$file")
    fi
    [ -z "$INPUT_TARGET" ] || args+=(--target "$INPUT_TARGET")
    for value in $INPUT_URL; do args+=(--url "$value"); done
}

# An option that an input switches on.
switch() {
    case $2 in
        true) args+=("$3") ;;
        false | '') ;;
        *) misuse "the input $1 is true or false, not $2" ;;
    esac
}

# Runs the kit; what comes of it is for the step `end` to tell.
run_kit() {
    work=$RUNNER_TEMP/chatspec
    reports=$work/reports
    rm -rf "$work"
    mkdir -p "$reports"
    args=(run --set "${INPUT_SET:-1.0}")
    target_args
    [ -z "$INPUT_BASELINE" ] || args+=(--baseline "$INPUT_BASELINE")
    switch strict "$INPUT_STRICT" --strict
    switch require-all "$INPUT_REQUIRE_ALL" --require-all
    if [ -n "$INPUT_ARGS" ]; then
        local words more
        words=$(xargs -n 1 printf '%s\n' <<<"$INPUT_ARGS") || misuse "the input args has a quote that does not end"
        mapfile -t more <<<"$words"
        args+=("${more[@]}")
    fi
    args+=(--report github --report "json=$reports/chatspec.json" --report "junit=$reports/chatspec.xml"
        --report "html=$reports/chatspec.html" --report "markdown=$GITHUB_STEP_SUMMARY")
    local code=0
    { "$CHATSPEC" "${args[@]}" 2>&1 1>&3 | tee "$work/log" >&2; } 3>&1 || code=$?
    find "$reports" -type f -empty -delete
    # A run that did not come about has written no annotation and no summary.
    if [ ! -e "$reports/chatspec.json" ]; then
        local why
        why=$(grep -m 1 -e '^chatspec: ' -e '^error: ' "$work/log" || tail -n 1 "$work/log")
        annotate "$why"
        printf '## ❌ chatspec could not run\n\n    %s\n' "$why" >>"$GITHUB_STEP_SUMMARY"
    fi
    local verdict
    case $code in
        0) verdict=conforms ;;
        1) verdict=fails ;;
        2) verdict=usage ;;
        130) verdict=interrupted ;;
        *) verdict=fault ;;
    esac
    output verdict "$verdict"
    output exit-code "$code"
    output reports "$reports"
}

case ${1:-} in
    find) find_kit ;;
    build) build_kit ;;
    run) run_kit ;;
    end) exit "$EXIT_CODE" ;;
    *) echo "usage: scripts/action.sh find | build | run | end" >&2; exit 2 ;;
esac
