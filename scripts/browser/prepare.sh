# For the scripts beside this folder: what a browser needs, installed where it is missing. Sets `chromium`, the program,
# which is that of CHATSPEC_CHROMIUM, or the first that is found, and `target`, the folder for what is built.
# shellcheck shell=bash disable=SC2034

# shellcheck source=scripts/common.sh
. scripts/common.sh

prepare_browser() {
    chromium=$(find_chromium) || { [ -z "${CHATSPEC_CHROMIUM:-}" ] && install_chromium; } || return 1
    install_npm scripts/browser scripts/browser
}

find_chromium() {
    local candidate
    if [ -n "${CHATSPEC_CHROMIUM:-}" ]; then
        command -v "$CHATSPEC_CHROMIUM" && return
        echo "CHATSPEC_CHROMIUM is $CHATSPEC_CHROMIUM, which is no program" >&2
        return 1
    fi
    # First where Debian has it: elsewhere the name may lead to what only installs a snap.
    for candidate in /usr/bin/chromium chromium chromium-browser google-chrome; do
        command -v "$candidate" && return
    done
    return 1
}

install_chromium() {
    local how="install it (Debian: apt-get install chromium), or name one in CHATSPEC_CHROMIUM"
    if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
        echo "needs Chromium, which is not here: $how" >&2
        return 1
    fi
    echo "installing Chromium with apt-get, this once" >&2
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } >&2; then
        echo "apt-get could not install Chromium: $how" >&2
        return 1
    fi
    chromium=$(find_chromium)
}

# A target file: the reference server, as somebody else's. Its name and its own tables come from the caller.
target_file() {
    cat <<TOML
name = "$1"
[launch]
command = "exec $2 '$target/debug/chatspec-server' --listen 127.0.0.1:{{port}} --in-memory --log warn"
ready_line = '(http://\S+)'
TOML
    cat
}
