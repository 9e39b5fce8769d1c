# Sourced by the scripts beside it: what they build, and what they install. Each is made once, also where several scripts
# want it at the same time. Sets `target`, the folder for what is built.
# shellcheck shell=bash disable=SC2034

target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$PWD/$target ;; esac

# Builds both programs into $target/debug, as `cargo test` does, so that nothing is built twice.
build_programs() { cargo build --locked --quiet --features services --bin chatspec --bin chatspec-server; }

# Installs in FOLDER what the package-lock.json of SOURCE names; one may be the other.
install_npm() { # SOURCE FOLDER
    command -v npm >/dev/null || { echo "needs node 20 or later, with npm" >&2; return 1; }
    made_from "$1/package-lock.json" "$2/node_modules" fill_npm "$@"
}

fill_npm() {
    mkdir -p "$2"
    [ "$1" = "$2" ] || cp "$1"/package*.json "$2"
    npm --prefix "$2" ci --silent --no-audit --no-fund
}

# Makes FOLDER a Python environment with what REQUIREMENTS, a file, names.
install_pip() { made_from "$1" "$2" fill_pip "$@"; } # REQUIREMENTS FOLDER

fill_pip() {
    python3 -m venv --clear "$2"
    "$2/bin/pip" install --quiet --disable-pip-version-check -r "$1"
}

# Runs COMMAND, which makes FOLDER from what FILE says, unless it has been made from the same already.
made_from() ( # FILE FOLDER COMMAND...
    set -e
    exec 9<"$1"
    # Who comes second waits here, where there is a flock.
    ! command -v flock >/dev/null || flock 9
    if ! cmp -s "$1" "$2/.made-from"; then
        "${@:3}" 9<&-
        cp "$1" "$2/.made-from"
    fi
)
