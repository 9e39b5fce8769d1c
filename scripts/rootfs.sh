#!/usr/bin/env bash
# Makes the files of an image that holds one program and nothing else: the program without its debug info, the libraries
# that it is linked with, the certificates by which it knows others, a user that is not root, and folders to write to.
#
# Usage: scripts/rootfs.sh FOLDER PROGRAM
set -euo pipefail
[ $# = 2 ] || { echo "usage: scripts/rootfs.sh FOLDER PROGRAM" >&2; exit 2; }
root=$1 program=$2

mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/tmp" "$root/data" "$root/work"
# A container may run as any user.
chmod 1777 "$root/tmp" "$root/data" "$root/work"
strip -o "$root/usr/local/bin/${program##*/}" "$program"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'chatspec:x:65532:65532::/data:/sbin/nologin' >"$root/etc/passwd"
echo 'chatspec:x:65532:' >"$root/etc/group"
# Each under the path by which it is found; what the kernel provides has none.
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$root${library%/*}"
    cp -L "$library" "$root$library"
done
