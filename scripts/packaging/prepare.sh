# Sourced by the scripts that try out what is packaged: tools, which are installed under target/packaging, and the commands
# of docs/install.md.
# shellcheck shell=bash
packaging=$(realpath -m "${CARGO_TARGET_DIR:-target}")/packaging

prepare_packaging() {
    local wanted=scripts/packaging/requirements.txt installed=$packaging/venv/requirements.txt
    if ! cmp --silent "$wanted" "$installed"; then
        mkdir -p "$packaging"
        python3 -m venv "$packaging/venv"
        "$packaging/venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
        cp "$wanted" "$installed"
    fi
}

# The commands of docs/install.md that are of this kind, which stands behind `sh` where a block of them begins.
commands() {
    awk -v begin="\`\`\`sh $1" '
        $0 == begin { on = 1; next }
        /^```/ { on = 0 }
        on { print; found = 1 }
        END { if (!found) exit 1 }' docs/install.md
}
