#!/bin/sh
# SPDX-License-Identifier: MIT
# Lays out the distribution's Python for another machine, as qemu-user runs it, and nothing of this
# one changes: foreign_python.sh MACHINE FOLDER. It needs Debian or Ubuntu.
set -eu
case $1 in
aarch64) architecture=arm64 ;;
x86_64) architecture=amd64 ;;
*)
    echo "$0: no such machine: $1" >&2
    exit 2
    ;;
esac
command -v apt-get >/dev/null || {
    echo "$0: the system has no apt-get" >&2
    exit 1
}
mkdir -p "$2"
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
: >"$state/status" # nothing is installed
apt() {
    apt-get -qq -o APT::Architecture=$architecture -o APT::Architectures=$architecture \
        -o Dir::State::Lists="$state/lists" -o Dir::State::status="$state/status" \
        -o Dir::Cache="$state/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=true "$@"
}
apt update
apt -y --no-install-recommends --download-only install python3 >/dev/null
for package in "$state"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$2"
done
