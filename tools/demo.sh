#!/bin/sh
# SPDX-License-Identifier: MIT
# Lets a Lua and a Python program talk to each other, both ways round. Arguments: the Lua and
# the Python interpreter; both must find polysock. Any failure ends it.
set -eu
lua=$1
python=$2
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
serving=
trap 'rm -rf "$work"; [ -z "$serving" ] || kill "$serving" || :' EXIT

# Each half of the demonstration, in each language.
in_lua() { "$lua" "$here/lua/examples/demo.lua" "$@"; }
in_python() { "$python" "$here/python/examples/demo.py" "$@"; }

# talk SERVER CLIENT: the server prints its port first; what it says comes last.
talk() {
    mkfifo "$work/port"
    "$1" serve >"$work/port" &
    serving=$!
    {
        read -r port
        "$2" talk "$port"
        cat
    } <"$work/port"
    wait "$serving"
    serving=
    rm "$work/port"
}

echo "A Python client talks to a Lua server:"
talk in_lua in_python
echo
echo "A Lua client talks to a Python server:"
talk in_python in_lua
