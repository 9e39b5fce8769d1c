#!/usr/bin/env bash
# Makes the pictures in docs/pictures anew: the HTML report and the terminal report of a run with failures. Needs what
# scripts/browser.sh needs; with the fonts Inter and JetBrains Mono (Debian: fonts-inter, fonts-jetbrains-mono) they look
# as they do in the repository.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/browser/prepare.sh
. scripts/browser/prepare.sh
prepare_browser
build_programs

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target_file 'my chat server' '' >"$work/chatspec.toml" <<'TOML'
[limits]
rate_max = 9
body_max_bytes = 120000
TOML

# Each ends with 1, since that is what is shown.
failing() { "$target/debug/chatspec" --target "$work/chatspec.toml" "$@" || [ $? -eq 1 ]; }
failing --report "html=$work/report.html" >/dev/null
failing --color always --only rooms --only typing --only messages/size >"$work/terminal.txt"

# What stands for the system's fonts.
cat >"$work/fonts.conf" <<'XML'
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <alias binding="strong"><family>system-ui</family><prefer><family>Inter</family></prefer></alias>
  <alias binding="strong"><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
  <alias binding="strong"><family>sans</family><prefer><family>Inter</family></prefer></alias>
  <alias binding="strong"><family>ui-monospace</family><prefer><family>JetBrains Mono</family></prefer></alias>
</fontconfig>
XML
mkdir -p docs/pictures
FONTCONFIG_FILE=$work/fonts.conf CHATSPEC_CHROMIUM=$chromium \
    node scripts/browser/pictures.mjs "$work/report.html" "$work/terminal.txt" docs/pictures
ls -l docs/pictures
