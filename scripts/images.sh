#!/usr/bin/env bash
# Builds the images of the Dockerfile from programs that are built already, and runs them: the kit, the server with its
# volume, and the server on MongoDB as docker-compose.yml has it. The stage that compiles is left out.
# Needs a Docker engine, or the root and apt-get to have one for this time; binutils, and Python 3.10 or newer for docker
# compose, which is installed under target/packaging.
#
# Usage: scripts/images.sh              with the programs of target/debug, which are built if need be
#        scripts/images.sh FOLDER       with those in FOLDER, as in target/release; each image has to be below 60 MB then
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/packaging/prepare.sh
. scripts/packaging/prepare.sh

programs=${1:-}
limit=60
if [ -z "$programs" ]; then
    build_programs
    programs=$target/debug
    limit=''
fi
prepare_packaging # before there is an engine of our own, which has no network
if ! docker info >/dev/null 2>&1; then
    exec scripts/container-engine.sh run -- scripts/images.sh "$@"
fi

work=$(mktemp -d)
# shellcheck disable=SC2317,SC2329  # called by a trap
clean_up() {
    docker rm --force try-server >/dev/null 2>&1 || true
    docker volume rm try-data >/dev/null 2>&1 || true
    docker compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT
say() { printf '==> %s  (after %s s)\n' "$*" "$SECONDS"; }
fail() { printf 'images.sh: %s\n' "$*" >&2; exit 1; }

# The docker of the commands below and of docs/install.md: it takes the programs from the image that holds them, and has
# docker compose whether the client has it or not.
stand_in=()
docker() {
    case $1 in
        build) DOCKER_BUILDKIT=1 command docker build --quiet --build-arg BINARIES=chatspec-binaries:local "${@:2}" ;;
        compose) "$packaging/venv/bin/docker-compose" -f docker-compose.yml "${stand_in[@]}" "${@:2}" ;;
        *) command docker "$@" ;;
    esac
}

# The image that scripts/container-engine.sh has in place of MongoDB's own knows neither its options nor its shell, and calls
# its set as it likes. The engine that goes with it has no iptables, and so resolves no names.
if [[ ${CHATSPEC_MONGO_IMAGE:-} == chatspec-mongo:* ]]; then
    python=$(docker inspect --format '{{ index .Config.Entrypoint 0 }}' "$CHATSPEC_MONGO_IMAGE")
    cat >"$work/stand-in.yml" <<YAML
services:
  mongodb:
    command: !reset []
    healthcheck:
      test: ["CMD", "$python", "-c", "import socket; socket.create_connection((\"127.0.0.1\", 27017), 2)"]
      interval: 500ms
    networks: { default: { ipv4_address: 172.31.253.2 } }
  server:
    environment:
      CHATSPEC_MONGODB_URI: mongodb://mongodb:27017/chat?directConnection=true
    extra_hosts: ["mongodb:172.31.253.2"]
    healthcheck: { interval: 500ms }
networks:
  default: { ipam: { config: [{ subnet: 172.31.253.0/24 }] } }
YAML
    stand_in=(-f "$work/stand-in.yml")
fi

say "the programs of $programs become the image chatspec-binaries:local"
scripts/rootfs.sh "$work/files/kit" "$programs/chatspec"
scripts/rootfs.sh "$work/files/server" "$programs/chatspec-server"
tar -C "$work/files" -c . | docker import - chatspec-binaries:local >/dev/null

say "the images are built"
docker build --target kit -t chatspec .
docker build --target server -t chatspec-server .
for image in chatspec chatspec-server; do
    bytes=$(docker inspect --format '{{ .Size }}' "$image")
    user=$(docker inspect --format '{{ .Config.User }}' "$image")
    echo "$image has $((bytes / 1000000)) MB, and runs as $user"
    [ "$user" = 65532:65532 ] || fail "$image does not run as a user of its own"
    [ -z "$limit" ] || [ "$bytes" -lt "${limit}000000" ] || fail "$image is not below $limit MB"
done

say "the kit holds the server to the contract"
docker run --rm chatspec --version
docker run -d --name try-server --health-interval 500ms --read-only -v try-data:/data chatspec-server >/dev/null
await_healthy() {
    local state
    for _ in {1..150}; do
        state=$(docker inspect --format '{{ .State.Health.Status }}' "$1")
        [ "$state" != healthy ] || return 0
        sleep 0.2
    done
    docker logs "$1" >&2
    fail "$1 is $state"
}
await_healthy try-server
mkdir -m 777 "$work/reports"
docker run --rm --network container:try-server -v "$work/reports:/work" chatspec \
    --url http://127.0.0.1:4000 --only rooms --quiet --report json=chatspec.json
grep -q '"verdict": "pass"' "$work/reports/chatspec.json"
docker stop --time 10 try-server >/dev/null
[ "$(docker inspect --format '{{ .State.ExitCode }}' try-server)" = 0 ] || fail "the server did not end with 0 on SIGTERM"
docker start try-server >/dev/null # with what was in its volume
await_healthy try-server
docker rm --force try-server >/dev/null

for kind in docker compose; do
    say "the $kind commands of docs/install.md"
    commands "$kind" | tee "$work/commands"
    # shellcheck source=/dev/null
    . "$work/commands"
done
say "the images do what docs/install.md says"
