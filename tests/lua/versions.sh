#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the module for other versions of Lua and runs the specs and the examples under each:
# versions.sh [--build] VERSION..., as in POLYSOCK_LUA_VERSION. Each is built in
# build/lua-VERSION and installed in its folder prefix. --build: and no more than that.
set -eu
cd "$(dirname "$0")/../.."

only_build=
if [ "$1" = --build ]; then
    only_build=1
    shift
fi
for version in "$@"; do
    folder=$PWD/build/lua-$version
    lua=lua$version
    modules=$version
    if [ "$version" = jit ]; then
        lua=luajit
        modules=5.1
    fi
    except=
    case $version in
    5.1 | 5.2 | 5.3 | jit) except=--exclude-pattern=to_be_closed ;;
    esac
    echo "== $("$lua" -v 2>&1)"
    cmake -B "$folder" -G Ninja --log-level=WARNING -DCMAKE_BUILD_TYPE=Release \
        -DPOLYSOCK_STRICT=ON -DPOLYSOCK_PYTHON=OFF -DPOLYSOCK_LUA_VERSION="$version" >/dev/null
    cmake --build "$folder" >"$folder/log" || { cat "$folder/log"; exit 1; }
    cmake --install "$folder" --component lua --prefix "$folder/prefix" >/dev/null
    [ -z "$only_build" ] || continue
    LUA_PATH="$folder/prefix/share/lua/$modules/?.lua;$folder/prefix/share/lua/$modules/?/init.lua;;" \
        LUA_CPATH="$folder/prefix/lib/lua/$modules/?.so;;" \
        busted --lua="$(command -v "$lua")" -o plainTerminal $except tests/lua
done
