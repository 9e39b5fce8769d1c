#!/usr/bin/env bash
# A Docker engine for one command, on machines that have none: for CI that is itself a virtual machine or a privileged
# container. Everything runs in namespaces of its own, so that nothing is left behind, however it ends.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() {
    cat <<'USAGE'
Runs a command with a private Docker engine, and takes the engine away afterwards.

  container-engine.sh run -- COMMAND [ARG...]   starts the engine and runs COMMAND
  container-engine.sh install                   fetches and builds what run needs, ahead of time

COMMAND sees DOCKER_HOST, a docker client that fits, and CHATSPEC_MONGO_IMAGE: the name of an image that holds the
server of mongo.sh and behaves like that of mongo (port 27017, data in /data/db). It has no network but loopback.

  container-engine.sh run -- cargo test --offline
  container-engine.sh run -- sh -c 'docker run --rm -d -p 27099:27017 "$CHATSPEC_MONGO_IMAGE"; sleep 3; docker ps'

Needs root, and the dockerd of this machine, or apt-get to fetch Debian's; nothing is installed in the system.

CHATSPEC_CACHE  where engine and image are kept; by default $XDG_CACHE_HOME/chatspec or ~/.cache/chatspec

Exit codes: that of COMMAND; 1 if the engine failed, 2 usage.
USAGE
}

note() { printf 'container-engine.sh: %s\n' "$*" >&2; }
die() { note "$@"; exit 1; }
misuse() { note "$*; see container-engine.sh --help"; exit 2; }

image=chatspec-mongo:local
api=tcp://127.0.0.1:2375
ours=(-u DOCKER_CONTEXT -u DOCKER_TLS_VERIFY -u DOCKER_CERT_PATH "DOCKER_HOST=$api")

# Takes Debian's packages apart without installing them: an install would start services, and replace a docker client.
fetch_engine() {
    engine=$cache/docker-engine
    if command -v dockerd >/dev/null && command -v containerd >/dev/null && command -v runc >/dev/null; then
        engine=''
        return
    fi
    [ ! -e "$engine/complete" ] || return 0
    { command -v apt-get && command -v dpkg-deb; } >/dev/null || die "there is no dockerd here: install Docker's engine, or podman"
    note "fetching Debian's docker.io into $engine, this once (250 MB)"
    rm -rf "$engine"
    mkdir -p "$engine/packages/partial"
    local packages=(docker.io)
    if apt-cache show docker-cli >/dev/null 2>&1; then packages+=(docker-cli); fi # newer releases have it apart
    local fetch=(apt-get -qq -o "Dir::Cache::archives=$engine/packages" -o APT::Sandbox::User=root
        install --yes --no-install-recommends --download-only "${packages[@]}")
    "${fetch[@]}" >&2 2>/dev/null || { apt-get -qq update && "${fetch[@]}"; } >&2 ||
        die "the packages cannot be fetched: see above"
    for package in "$engine"/packages/*.deb; do dpkg-deb -x "$package" "$engine"; done
    rm -rf "$engine/packages"
    touch "$engine/complete"
}

# The image's files, as one archive: a Python, the libraries it is linked with, SecantusDB, and mongo.sh's program.
build_image() {
    local venv python library site
    venv=$(bash "$here/mongo.sh" install)
    { read -r python && read -r library && read -r site; } < <("$venv/bin/python" -I -c '
import os, sys, sysconfig
print(os.path.realpath(sys.executable), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sep="\n")')
    # The image goes with what it is made of.
    tar=$cache/chatspec-mongo-$(cat "$0" "$here/mongo.sh" "$venv/pyvenv.cfg" | sha256sum | cut -c1-12).tar
    local program
    program=$(printf ', "%s"' "$python" /program.py --like-mongod --host 0.0.0.0 --port 27017 --data /data/db)
    changes=(-c "ENV PYTHONPATH=/secantusdb" -c "EXPOSE 27017" -c "ENTRYPOINT [${program#, }]")
    [ ! -e "$tar" ] || return 0
    note "building the image's files, $tar"
    rm -f "$cache"/chatspec-mongo-*.tar*
    mkdir -p "$work/image/data/db" "$work/image/tmp"
    chmod 1777 "$work/image/tmp"
    bash "$here/mongo.sh" program >"$work/image/program.py"
    {
        printf '%s\n' "$python"
        { printf '%s\n' "$python"; find "$library/lib-dynload" "$site" -name '*.so*' -type f ! -name '_tkinter*'; } |
            { xargs ldd 2>/dev/null || true; } | grep -o '/[^ ]*\.so[^ ]*' | grep -v -e "^$site" -e ':$' | sort -u
    } | sed 's,^/,,' >"$work/linked"
    local leave_out=(--exclude=test --exclude=tests --exclude=idlelib --exclude=tkinter --exclude=ensurepip --exclude=lib2to3
        --exclude='config-3*' --exclude='_tkinter*' --exclude='*.pyi' --exclude='*.h')
    tar -cf "$tar.new" -C "$work/image" .
    tar -rhf "$tar.new" -C / --files-from "$work/linked" # the files themselves, under the names they are linked by
    tar -rf "$tar.new" -C / "${leave_out[@]}" --exclude=site-packages --exclude=dist-packages "${library#/}"
    tar -rf "$tar.new" -C "$site" "${leave_out[@]}" --exclude=./pip --exclude=./setuptools --exclude=./pkg_resources \
        --transform 's,^\.,./secantusdb,' .
    mv "$tar.new" "$tar"
}

prepare() {
    [ "$(id -u)" = 0 ] || die "needs root, for namespaces and mounts"
    local tool
    for tool in unshare nsenter setpriv flock ip; do
        command -v "$tool" >/dev/null || die "needs $tool (Debian and Ubuntu: apt-get install util-linux iproute2)"
    done
    cache=${CHATSPEC_CACHE:-${XDG_CACHE_HOME:-${HOME:?set CHATSPEC_CACHE or HOME}/.cache}/chatspec}
    mkdir -p "$cache" || die "set CHATSPEC_CACHE to a folder that can be written to"
    cache=$(cd "$cache" && pwd)
    work=$(mktemp -d "${TMPDIR:-/tmp}/chatspec-engine.XXXXXX")
    exec 9>"$cache/container-engine.lock"
    flock 9
    fetch_engine
    build_image
    exec 8<"$tar" 9>&- # open, in case another version of this script replaces it
}

# The engine's own folders in the system: it cannot be told to use others, so it sees empty ones in memory in their place.
own_folders=(/run /etc/docker /opt/containerd)

# Kills the first process in the engine's namespace: all others go with it, and so do mounts and network.
keeper='' child='' network='' work='' made=()
# shellcheck disable=SC2317,SC2329  # called here and by a trap
end_engine() {
    [ -n "$keeper" ] || return 0
    local first=''
    { read -r first <"/proc/$keeper/task/$keeper/children" || true; } 2>/dev/null
    kill -KILL "${first:-$keeper}" 2>/dev/null || true
    wait "$keeper" 2>/dev/null || true
    keeper=''
}

# shellcheck disable=SC2317,SC2329  # called by a trap
leave() {
    local process try folder
    end_engine
    # What the command has left in the background has no network any more.
    if [ -n "$network" ]; then
        for process in /proc/[0-9]*; do
            if [ "$(readlink "$process/ns/net" 2>/dev/null)" = "$network" ]; then
                kill -KILL "${process#/proc/}" 2>/dev/null || true
            fi
        done
    fi
    for try in 1 2 3 4 5 6 7 8 9 10; do # the last processes may still be going
        find /sys/fs/cgroup -depth -type d -path "*/chatspec-$$*" -exec rmdir {} + 2>/dev/null || true
        rm -rf "$work" 2>/dev/null && break
        [ "$try" != 10 ] || note "cannot remove $work"
        sleep 0.1
    done
    for folder in "${made[@]}"; do rmdir "$folder" 2>/dev/null || true; done
}

# The first signal goes on to the command, a second one is final.
stopping=''
# shellcheck disable=SC2317,SC2329  # called by traps
on_signal() {
    [ -n "$child" ] || exit 143
    kill "-${stopping:-TERM}" "$child" 2>/dev/null || true
    stopping=KILL
}

client() {
    nsenter --net="/proc/$keeper/ns/net" -- env "${ours[@]}" "$docker" "$@"
}

# With a storage driver; false when the engine does not come up.
start_engine() {
    local files folder data=$work/data-$1 in_memory=''
    mkdir "$data"
    # Memory is faster, most of all at the end, and overlay2 works there even if this machine is a container itself. Vfs
    # takes too much of it, with a copy of the image for each container.
    if [ "$1" = overlay2 ] && [ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" -gt 4000000 ]; then in_memory=$data; fi
    files=$(ulimit -Hn)
    for folder in "${own_folders[@]}"; do
        if [ ! -d "$folder" ]; then mkdir -p "$folder" && made+=("$folder"); fi
    done
    # shellcheck disable=SC2016  # for the inner shell
    setpriv --pdeathsig KILL unshare --net --mount --pid --mount-proc --fork --kill-child=KILL \
        env PATH="${engine:+$engine/usr/sbin:$engine/usr/bin:}$PATH" LD_LIBRARY_PATH="$libraries" sh -ec '
            ip link set lo up
            for folder in $0 ${1:+"$1"}; do mount -n -t tmpfs tmpfs "$folder"; done
            shift
            dockerd "$@" & wait $! # the shell takes note of all that end, dockerd would not
            ' "${own_folders[*]}" "$in_memory" \
        --host "$api" --tls=false --data-root "$data" --storage-driver "$1" \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/chatspec-$$" --default-ulimit "nofile=$files:$files" \
        --iptables=false --ip-masq=false \
        </dev/null >>"$work/dockerd.log" 2>&1 &
    keeper=$!
    for _ in {1..300}; do
        kill -0 "$keeper" 2>/dev/null || break
        network=$(readlink "/proc/$keeper/ns/net" || true)
        if [ "$network" != "$(readlink /proc/$$/ns/net)" ]; then
            client version >/dev/null 2>&1 && return
        else
            network=''
        fi
        sleep 0.1
    done
    end_engine
    return 1
}

run() {
    trap leave EXIT
    trap on_signal TERM INT HUP
    prepare
    docker=$engine/usr/bin/docker
    [ -x "$docker" ] || docker=$(command -v docker) || die "needs a docker client beside dockerd"
    libraries=${engine:+$(printf '%s:' "$engine"/usr/lib/*-linux-* "$engine"/lib/*-linux-*)}${LD_LIBRARY_PATH:-}
    start_engine overlay2 || start_engine vfs || {
        note "the engine did not come up; the end of its log:"
        tail -n 20 "$work/dockerd.log" >&2
        exit 1
    }
    client import "${changes[@]}" - "$image" <&8 >/dev/null || die "the image cannot be imported: see above"
    exec 8<&-

    mkdir "$work/bin"
    ln -s "$docker" "$work/bin/docker" # a newer client may refuse an engine as old as Debian's
    # What runs in the background of a script ignores SIGINT, unless told otherwise.
    nsenter --net="/proc/$keeper/ns/net" -- setpriv --pdeathsig TERM env --default-signal=INT,QUIT \
        "${ours[@]}" CHATSPEC_MONGO_IMAGE="$image" PATH="$work/bin:$PATH" "$@" <&0 &
    child=$!
    while status=0; wait "$child" 2>/dev/null || status=$?; kill -0 "$child" 2>/dev/null; do :; done
    status=0; wait "$child" 2>/dev/null || status=$?
    child=''
    exit "$status"
}

case ${1:-} in
    -h | --help | help) usage ;;
    install)
        [ $# = 1 ] || misuse "install takes nothing"
        trap leave EXIT
        prepare ;;
    run)
        shift
        case ${1:-} in -h | --help) usage; exit 0 ;; --) shift ;; -*) misuse "run does not know $1" ;; esac
        [ $# -gt 0 ] || misuse "run needs a command"
        run "$@" ;;
    '') usage >&2; exit 2 ;;
    *) misuse "there is no command $1" ;;
esac
