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

# run SERVER CLIENT...: the server prints its port first; what it says comes last.
talk() {
    server=$1
    client=$2
    mkfifo "$work/port"
    $server serve >"$work/port" &
    serving=$!
    {
        read -r port
        $client talk "$port"
        cat
    } <"$work/port"
    wait "$serving"
    serving=
    rm "$work/port"
}

echo "A Python client talks to a Lua server:"
talk "$lua $here/lua/examples/demo.lua" "$python $here/python/examples/demo.py"
echo
echo "A Lua client talks to a Python server:"
talk "$python $here/python/examples/demo.py" "$lua $here/lua/examples/demo.lua"
