#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs polysock in each way that the README names, into places that it makes and removes,
# and uses each once. The environment of the build must not help: it is left out.
set -eu
cd "$(dirname "$0")/.."
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LUA_PATH LUA_CPATH PYTHONPATH
passed=0
ok() {
    echo "ok: $1"
    passed=$((passed + 1))
}

# What git knows, and nothing that was built, as a clone would have it.
mkdir "$work/source"
git ls-files --cached --others --exclude-standard |
    tar --ignore-failed-read -T - -cf - | tar -xf - -C "$work/source"
cd "$work/source"

use_lua='local p = require("polysock")
local s = assert(p.bind("127.0.0.1", 0))
local c = assert(p.connect(select(1, s:getsockname()), (select(2, s:getsockname()))))
assert(s:accept():send("hello\n") == 6)
assert(c:receive() == "hello")
print(p._VERSION)'

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check .
(cd / && "$work/venv/bin/python" - <<'PY'
import importlib.metadata
import os

import polysock

s, _ = polysock.bind("127.0.0.1", 0)
c, _ = polysock.connect(*s.getsockname()[:2])
assert s.accept()[0].send(b"hello\n") == (6, None, None)
assert c.receive() == (b"hello", None, None)
assert importlib.metadata.version("polysock") == polysock.__version__
folder = os.path.dirname(polysock.__file__)
assert {"py.typed", "_core.pyi"} <= set(os.listdir(folder)), os.listdir(folder)
PY
)
ok "pip install ."

cmake -S . -B "$work/build" -DPOLYSOCK_PYTHON=OFF --log-level=WARNING
cmake --build "$work/build" >/dev/null
cmake --install "$work/build" --prefix "$work/prefix" >/dev/null
LUA_PATH="$work/prefix/share/lua/5.4/?.lua;$work/prefix/share/lua/5.4/?/init.lua" \
    LUA_CPATH="$work/prefix/lib/lua/5.4/?.so" lua5.4 -e "$use_lua" >/dev/null
ok "cmake --install, Lua"

PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig" && export PKG_CONFIG_PATH
cc core/examples/echo.c $(pkg-config --define-prefix --cflags --libs polysock) -o "$work/echo"
"$work/echo" | grep -q "hello from C"
ok "pkg-config, C"

mkdir "$work/user"
cp core/examples/echo.c "$work/user"
cat >"$work/user/CMakeLists.txt" <<'CM'
cmake_minimum_required(VERSION 3.25)
project(user C)
find_package(polysock 0.1 REQUIRED)
add_executable(echo echo.c)
target_link_libraries(echo PRIVATE polysock::polysock)
CM
cmake -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$work/prefix" --log-level=WARNING
cmake --build "$work/user/build" >/dev/null
"$work/user/build/echo" | grep -q "hello from C"
ok "find_package, C"

luarocks --lua-version 5.4 --tree "$work/rocks" make polysock-scm-1.rockspec >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}
eval "$(luarocks --lua-version 5.4 --tree "$work/rocks" path)"
lua5.4 -e "$use_lua" >/dev/null
ok "luarocks make"

echo "packages: $passed passed, 0 failed"
