# Sourced by the scripts that try out what is packaged: tools, which are installed under target/packaging, and the commands
# of docs/install.md.
# shellcheck shell=bash
# shellcheck source=scripts/common.sh
. scripts/common.sh
packaging=$target/packaging

prepare_packaging() { install_pip scripts/packaging/requirements.txt "$packaging/venv"; }

# The commands of docs/install.md that are of this kind, which stands behind `sh` where a block of them begins.
commands() {
    awk -v begin="\`\`\`sh $1" '
        $0 == begin { on = 1; next }
        /^```/ { on = 0 }
        on { print; found = 1 }
        END { if (!found) exit 1 }' docs/install.md
}
