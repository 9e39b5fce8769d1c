#!/usr/bin/env bash
# Runs the commands of docs/install.md that take no Docker, as they stand there: both programs are installed, which is quick
# without optimisation, and then asked for what the guide asks of them, in a home of their own. Needs groff.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/packaging/prepare.sh
. scripts/packaging/prepare.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unknown=$(grep -n '^```sh' docs/install.md | grep -vxE '[0-9]+:```sh (cargo|run|server|docker|compose|manual)' || true)
[ -z "$unknown" ] || { printf 'install.sh: nobody runs what is in docs/install.md at line\n%s\n' "$unknown" >&2; exit 1; }

cargo() { command cargo "$@" --quiet --debug --root "$work"; }
for kind in cargo run server; do
    echo "==> the $kind commands of docs/install.md  (after $SECONDS s)"
    commands "$kind" | tee "$work/commands"
    (
        [ "$kind" = cargo ] || export PATH="$work/bin:$PATH" HOME="$work"
        # shellcheck source=/dev/null
        . "$work/commands"
    )
done
pages=("$work"/.local/share/man/man1/chatspec*.1)
[ "${#pages[@]}" -gt 15 ] || { echo "install.sh: there are ${#pages[@]} manual pages" >&2; exit 1; }
for page in "${pages[@]}"; do
    warnings=$(groff -man -Tutf8 -ww "$page" 2>&1 >/dev/null)
    [ -z "$warnings" ] || { printf 'install.sh: %s\n' "$warnings" >&2; exit 1; }
done
for program in chatspec chatspec-server; do
    bash --norc -c '. "$1" && complete -p "$2"' bash "$work/.local/share/bash-completion/completions/$program" "$program"
done
echo "==> installed, with ${#pages[@]} manual pages  (after $SECONDS s)"
