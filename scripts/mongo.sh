#!/usr/bin/env bash
# A server for tests that speaks MongoDB's protocol, on this machine and without Docker: SecantusDB, from PyPI.
# It stands in for MongoDB where correctness is asked, never where speed is.
# This file works alone, from any folder: the kit carries it along and runs it from a temporary one.
set -euo pipefail

version=0.7.0b3

usage() {
    cat <<'USAGE'
A MongoDB stand-in for tests, on 127.0.0.1.

  mongo.sh install                                    installs it, once; prints the folder
  mongo.sh run [--port P] [--data DIR] [--until-eof]  runs it until SIGTERM, SIGINT or, if asked, the end of stdin
  mongo.sh start --port P --data DIR                  starts it in the background
  mongo.sh stop --data DIR                            stops it; what it holds stays in DIR
  mongo.sh program                                    prints the Python program that run and start use

run and start print one line on stdout as soon as connections are accepted: the connection string.
Without --port, or with 0, a free port is taken. Without --data, run keeps everything in a temporary folder
that goes away with it. The server's log is DIR/mongo.log.

  mongo.sh run
  mongo.sh start --port 27500 --data /tmp/store && mongo.sh stop --data /tmp/store

CHATSPEC_CACHE  where it is installed; by default $XDG_CACHE_HOME/chatspec or ~/.cache/chatspec
PYTHON          the Python to install it with, 3.10 to 3.13; by default the first that is found

Exit codes: 0 fine, 1 failed, 2 usage.
USAGE
}

note() { printf 'mongo.sh: %s\n' "$*" >&2; }
die() { note "$@"; exit 1; }
misuse() { note "$*; see mongo.sh --help"; exit 2; }

# The server's own command would do, but: it takes two seconds to stop, it reads settings from the home folder, and it
# can neither say where it listens nor notice that whoever started it is gone.
program=$(cat <<'PYTHON'
import argparse, errno, fcntl, logging, os, resource, select, shutil, signal, socket, sys, time

signal.alarm(30)  # ends the process, even one that hangs in native code
wake, waker = os.pipe()
for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(name, lambda *_: os.write(waker, b"!"))

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--data", required=True)
parser.add_argument("--parent", type=int)  # end when this process does
parser.add_argument("--until-eof", action="store_true")
parser.add_argument("--remove-data", action="store_true")  # if the parent is no more, and so cannot do it
parser.add_argument("--detach", action="store_true")
parser.add_argument("--errors", type=int, default=2)  # the descriptor for what the caller has to know
parser.add_argument("--like-mongod", action="store_true")  # say that it is ready as mongod does
args, _ = parser.parse_known_args()


def refuse(text):
    os.write(args.errors, f"mongo.sh: {text}\n".encode())
    os._exit(3)


def remove_data():
    if args.remove_data and os.getppid() != args.parent:
        shutil.rmtree(args.data, ignore_errors=True)


if args.detach:
    os.setsid()
if args.parent:
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != args.parent:
        remove_data()
        sys.exit(0)

os.makedirs(args.data, exist_ok=True)
# The lock, not the number, says whether a server runs: it goes away with the process, however that ends.
pid_file = open(os.path.join(args.data, "mongo.pid"), "a+")
try:
    fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    pid_file.seek(0)
    refuse(f"a server (pid {pid_file.read().strip()}) already uses {args.data}; mongo.sh stop --data {args.data} stops it")
pid_file.truncate(0)
pid_file.write(f"{os.getpid()}\n")
pid_file.flush()

most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # every collection and connection needs files

logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
from secantus import SecantusDBServer

server = SecantusDBServer(
    host=args.host, port=args.port, storage_path=os.path.join(args.data, "db"), sync_on_commit=True
)


def stop():
    signal.alarm(15)
    if server._socket is not None:
        server._socket.shutdown(socket.SHUT_RDWR)  # else it waits two seconds for its accept() to return
    server.stop()
    pid_file.truncate(0)
    remove_data()


try:
    server.start()
except OSError as error:
    stop()
    hint = "; choose another port, or 0 for a free one" if error.errno == errno.EADDRINUSE else ""
    refuse(f"cannot listen on {args.host}:{args.port}: {error.strerror}{hint}")

try:
    port = server.address[1]
    if not select.select([wake], [], [], 0)[0]:
        if args.like_mongod:
            now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
            print(f'{{"t":{{"$date":"{now}"}},"s":"I","c":"NETWORK","id":23016,"ctx":"listener",'
                  f'"msg":"Waiting for connections","attr":{{"port":{port},"ssl":"off"}}}}', flush=True)
        else:
            print(f"mongodb://127.0.0.1:{port}/?directConnection=true&maxPoolSize=10", flush=True)  # more connections only make it slower
    signal.alarm(0)
    if args.detach:  # whoever reads the caller's output to its end must not wait for the server
        quiet = os.open(os.devnull, os.O_RDWR)
        os.dup2(quiet, 1)
        os.dup2(quiet, args.errors)
    while True:
        ready = select.select([wake] + [0] * args.until_eof, [], [], 1)[0]
        if wake in ready or (0 in ready and not os.read(0, 65536)):
            break
        if not server._thread.is_alive():
            sys.exit("the server accepts no more connections")
finally:
    stop()
PYTHON
)

# A signal ends what is being waited for, and whoever waits sees `stopping`.
stopping='' child=''
# shellcheck disable=SC2317,SC2329  # called by traps
on_signal() { stopping=1; [ -z "$child" ] || kill "$child" 2>/dev/null || true; }
trap on_signal TERM INT HUP

# Runs a command that a signal to this script ends at once. Bash would hold the signal back until the command is done.
patiently() {
    "$@" &
    attend
    [ -z "$stopping" ] || exit 143
    return "$status"
}

# Waits for the last background process, through signals; leaves its exit code in `status`.
attend() {
    child=$!
    [ -z "$stopping" ] || on_signal
    while status=0; wait "$child" 2>/dev/null || status=$?; kill -0 "$child" 2>/dev/null; do :; done
    # A signal may have come at the very end: then this is its number, and the true one is still to be had.
    status=0; wait "$child" 2>/dev/null || status=$?
    child=''
}

places() {
    if [ -z "${CHATSPEC_CACHE:-}${XDG_CACHE_HOME:-}${HOME:-}" ]; then
        die "no home folder is known: set CHATSPEC_CACHE to a folder for the installation"
    fi
    cache=${CHATSPEC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/chatspec}
    case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
    venv=$cache/secantusdb-$version
}

# False as well after the Python below it went away or became another one.
installed() {
    local check='import sys; from importlib.util import find_spec; sys.exit(not find_spec("secantus"))'
    [ -e "$venv/complete" ] && "$venv/bin/python" -I -c "$check" 2>/dev/null
}

find_python() {
    local candidate found='' usable='import sys, ensurepip, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
        command -v "$candidate" >/dev/null || continue
        "$candidate" -c "$usable" 2>/dev/null && { printf '%s\n' "$candidate"; return; }
        found="$found $("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)"
    done
    note "needs Python 3.10 to 3.13 with its venv module; found:${found:- none}"
    die "install one (Debian and Ubuntu: apt-get install python3 python3-venv), or name one in PYTHON"
}

install() {
    installed && return
    command -v flock >/dev/null || die "needs flock, a part of util-linux"
    mkdir -p "$cache" || die "set CHATSPEC_CACHE to a folder that can be written to"
    # Processes that come at once wait here for the first. Pip holds the lock too, so that nobody meddles while it ends.
    exec 9>"$venv.lock"
    flock -n 9 || { note "waiting for another process that installs SecantusDB"; patiently flock 9; }
    if ! installed; then
        local python
        python=$(find_python)
        note "installing SecantusDB $version in $venv, this once (150 MB)"
        rm -rf "$venv"
        patiently "$python" -m venv "$venv" >&2 ||
            die "no virtual environment: see above (Debian and Ubuntu: apt-get install python3-venv)"
        patiently "$venv/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input \
            --only-binary :all: "SecantusDB==$version" >&2 ||
            die "pip failed: see above; it needs PyPI, or a mirror named in PIP_INDEX_URL, and a platform with wheels"
        touch "$venv/complete"
    fi
    exec 9>&-
}

failure() {
    case $status in
        3) exit 1 ;; # the server has said why
        142) note "the server did not come up within 30 s, or did not stop within 15 s" ;;
        *) note "the server ended by itself, with code $status" ;;
    esac
    if [ -s "$log" ]; then
        note "the end of its log:"
        tail -n 20 "$log" >&2
    fi
    exit 1
}

# shellcheck disable=SC2317,SC2329  # called by a trap
leave() {
    [ -z "$child" ] || { kill "$child" 2>/dev/null && wait "$child"; } || true
    [ -z "$scratch" ] || rm -rf "$scratch"
}

prepare() {
    places
    install
    scratch=''
    trap leave EXIT
    if [ -z "$data" ]; then
        scratch=$(mktemp -d "${TMPDIR:-/tmp}/chatspec-mongo.XXXXXX")
        data=$scratch
        options+=(--remove-data)
    fi
    mkdir -p "$data" || die "choose a --data folder that can be written to"
    log=$data/mongo.log
    options+=(--port "$port" --data "$data" --errors 3)
}

run() {
    prepare
    [ -z "$stopping" ] || exit 0
    { true 3<&0; } 2>/dev/null || exec </dev/null # a stdin that is closed has ended
    "$venv/bin/python" -I -c "$program" "${options[@]}" --parent $$ <&0 3>&2 2>>"$log" &
    attend
    case $status:$stopping in
        0:* | 143:1) exit 0 ;; # 143: it was told before it could listen to that
        *) failure ;;
    esac
}

start() {
    local uri
    prepare
    # The server writes to a pipe: if this script is killed before it has read, the server notices and ends.
    exec 4< <(exec "$venv/bin/python" -I -c "$program" "${options[@]}" --detach </dev/null 3>&2 2>>"$log")
    child=$!
    [ -z "$stopping" ] || on_signal
    if read -r uri <&4 && [ -z "$stopping" ]; then
        child=''
        printf '%s\n' "$uri"
    else
        attend
        [ -z "$stopping" ] || exit 143
        failure
    fi
}

stop() {
    local pid_file=$data/mongo.pid pid
    if [ ! -e "$pid_file" ] || flock -n "$pid_file" true; then
        note "no server runs on $data"
        return
    fi
    pid=$(<"$pid_file")
    kill "$pid" || true
    flock -w 20 "$pid_file" true || die "the server on $data did not end within 20 s"
    for _ in {1..50}; do # the lock goes a moment before the process; one that is only not reaped yet has no exe
        readlink "/proc/$pid/exe" >/dev/null || break
        sleep 0.02
    done
}

main() {
    local command=${1:-} port='' data='' options=()
    case $command in
        -h | --help | help) usage; exit 0 ;;
        install | run | start | stop | program) shift ;;
        '') usage >&2; exit 2 ;;
        *) misuse "there is no command $command" ;;
    esac

    while [ $# -gt 0 ]; do
        case $command:$1 in
            *:-h | *:--help) usage; exit 0 ;;
            run:--port | start:--port)
                port=${2:-}
                if ! [[ $port =~ ^[0-9]{1,5}$ ]] || [ "$((10#$port))" -gt 65535 ]; then
                    misuse "--port needs a number up to 65535"
                fi
                shift 2 ;;
            run:--data | start:--data | stop:--data)
                data=${2:-}
                [ -n "$data" ] || misuse "--data needs a folder"
                shift 2 ;;
            run:--until-eof) options+=(--until-eof); shift ;;
            *) misuse "$command does not know $1" ;;
        esac
    done
    case $command in start | stop) [ -n "$data" ] || misuse "$command needs --data DIR" ;; esac
    port=${port:-0}

    case $command in
        install) places; install; printf '%s\n' "$venv" ;;
        program) printf '%s\n' "$program" ;;
        run) run ;;
        start) start ;;
        stop) stop ;;
    esac
}

# In one piece, so that bash has read all of it before a long run, whatever becomes of the file meanwhile.
main "$@"; exit
