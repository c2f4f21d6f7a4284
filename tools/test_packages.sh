#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs polysock in each way that the README names, into places that it makes and removes,
# and uses each once. The environment of the build must not help: it is left out. All of it
# happens in a folder whose name has a blank.
set -eu
cd "$(dirname "$0")/.."
here=$PWD
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
work="$top/a b"
unset LUA_PATH LUA_CPATH PYTHONPATH PKG_CONFIG_PATH DESTDIR
passed=0
ok() {
    echo "ok: $1"
    passed=$((passed + 1))
}
fail() {
    echo "not ok: $1" >&2
    exit 1
}
# quietly COMMAND...: shows what a command said only if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        fail "$*"
    }
}
# absent FOLDER NAME...: fails if a file of such a name is in a folder.
absent() {
    folder=$1
    shift
    for name in "$@"; do
        [ -z "$(find "$folder" -name "$name")" ] || fail "$(find "$folder" -name "$name")"
    done
}
# exports FOLDER NAME: the only module below FOLDER exports the function that loads it.
exports() {
    module=$(find "$1" -name 'core.so' -o -name '_core*.so')
    [ "$(nm -D --defined-only "$module" | sed 's/.* //')" = "$2" ] || fail "$module exports more than $2"
}
# use_lua INTERPRETER TREE VERSION: a module below TREE works.
use_lua() {
    LUA_PATH="$2/share/lua/$3/?.lua;$2/share/lua/$3/?/init.lua" LUA_CPATH="$2/lib/lua/$3/?.so" \
        "$1" "$work/source/tests/lua/installed.lua" >/dev/null
}

# What git knows, and nothing that was built, as a clone would have it.
mkdir -p "$work/source"
git ls-files --cached --others --exclude-standard |
    tar --ignore-failed-read -T - -cf - | tar -xf - -C "$work/source"
cd "$work/source"

# ---- Python

python3 -m venv "$work/venv"
pip() { "$work/venv/bin/python" -m pip "$@" -q --disable-pip-version-check; }
use_python() {
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
}
pip install .
use_python
exports "$work/venv" PyInit__core
ok "pip install ."

pip install "scikit-build-core>=1.0" hatch-fancy-pypi-readme twine
for kind in sdist wheel; do
    quietly "$work/venv/bin/python" -W error -c \
        "import scikit_build_core.build as backend; backend.build_$kind('$work/$kind')"
    ! grep -iE 'warning|deprecated' "$work/log" || fail "the build of the $kind warns"
done
ok "sdist and wheel are built without a warning"

tar -tzf "$work"/sdist/*.tar.gz | sed 's|^[^/]*/||' | LC_ALL=C sort >"$work/has"
{
    printf '%s\n' CMakeLists.txt LICENSE PKG-INFO README.md pyproject.toml
    ls core/*.c core/*.h core/*.def swig/*.i swig/python/*
    find python/polysock -type f ! -path '*/__pycache__/*'
    ls swig/*.h 2>/dev/null || :
} | LC_ALL=C sort >"$work/needs"
diff "$work/needs" "$work/has" || fail "the sdist has what a build needs, and nothing else"
pip install --force-reinstall --no-deps "$work"/sdist/*.tar.gz
use_python
ok "pip install of the sdist, which has what it needs and nothing else"


# What an index shows: no link is to a file beside the text.
quietly "$work/venv/bin/python" -m twine check --strict "$work"/sdist/* "$work"/wheel/*
"$work/venv/bin/python" - "$work"/wheel/*.whl <<'PY'
import email.parser
import re
import sys
import zipfile

wheel = zipfile.ZipFile(sys.argv[1])
(name,) = (its for its in wheel.namelist() if its.endswith(".dist-info/METADATA"))
told = email.parser.Parser().parsestr(wheel.read(name).decode())
text = told.get_payload()
links = re.findall(r"\]\(([^)]*)\)|(?:href|src)=[\"']([^\"']*)", text)
assert len(links) > 5, links
assert all(re.match(r"https?://|#", either or other) for either, other in links), links
assert told["License-Expression"] == "MIT", told["License-Expression"]
assert name.replace("METADATA", "licenses/LICENSE") in wheel.namelist()
PY
ok "what an index shows of them"

# Another implementation of Python, by its name, is refused with the reason.
python3 -m venv "$work/other"
(
    cd "$work"/other/lib/python*/site-packages
    echo 'import sys; sys.implementation.name = "pypy"' >pretend.py
    echo 'import pretend' >pretend.pth
    (cd "$work"/venv/lib/python*/site-packages && pwd) >>pretend.pth
)
for command in 'cmake -B "$work/refused" -DPython_EXECUTABLE="$work/other/bin/python"' \
    '"$work/other/bin/python" -m pip install --no-build-isolation "$work"/sdist/*.tar.gz'; do
    ! eval "$command" >"$work/log" 2>&1 || fail "polysock is built for PyPy: $command"
    tr -s ' \n' ' ' <"$work/log" | grep -q "made for CPython, .* is pypy.* Ctrl-C" || {
        cat "$work/log"
        fail "no reason: $command"
    }
done
ok "PyPy is refused with a reason"

# ---- C, and Lua by CMake

cmake -S . -B "$work/build" -DPOLYSOCK_PYTHON=OFF --log-level=WARNING >/dev/null
quietly cmake --build "$work/build"
quietly cmake --install "$work/build" --prefix "$work/first"
use_lua lua5.4 "$work/first" 5.4
[ -s "$work/first/share/polysock/meta/polysock.lua" ] || fail "no annotations"
[ -s "$work/first/share/doc/polysock/reference-lua.md" ] || fail "no reference"
ok "cmake --install, Lua"

mv "$work/first" "$work/moved"
cat >"$work/flags" <<'SH'
flags=$(pkg-config --cflags --libs polysock)
eval "cc core/examples/echo.c $flags -o \"\$1\""
SH
PKG_CONFIG_PATH="$work/moved/lib/pkgconfig" sh "$work/flags" "$work/echo"
"$work/echo" | grep -q "hello from C"
ok "pkg-config in a prefix that was moved"

mkdir "$work/user"
cp core/examples/echo.c "$work/user"
cat >"$work/user/CMakeLists.txt" <<'CM'
cmake_minimum_required(VERSION 3.18)
project(user C)
find_package(polysock 0.1 REQUIRED)
add_executable(echo echo.c)
target_link_libraries(echo PRIVATE polysock::polysock)
CM
cmake -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$work/moved" \
    --log-level=WARNING >/dev/null
quietly cmake --build "$work/user/build"
"$work/user/build/echo" | grep -q "hello from C"
ok "find_package in a prefix that was moved"

DESTDIR="$work/stage" quietly cmake --install "$work/build" --prefix /opt/polysock
(cd "$work/stage/opt/polysock" && find . -type f | sort) >"$work/staged"
(cd "$work/moved" && find . -type f | sort) | diff - "$work/staged" || fail "DESTDIR"
! grep -rF "$work" "$work/stage" --include='*.cmake' --include='*.pc' || fail "a path of the build"
PKG_CONFIG_PATH="$work/stage/opt/polysock/lib/pkgconfig" sh "$work/flags" "$work/echo"
"$work/echo" | grep -q "hello from C"
ok "DESTDIR"

quietly cmake --install "$work/build" --prefix "$work/part" --component lua
absent "$work/part" '*.h' '*.a' '*.pc' '*.cmake'
use_lua lua5.4 "$work/part" 5.4
ok "cmake --install --component lua"

cp -r "$work/source" "$work/elsewhere"
cmake -S "$work/elsewhere" -B "$work/elsewhere/out" -DPOLYSOCK_LUA=OFF -DPOLYSOCK_PYTHON=OFF \
    --log-level=WARNING >/dev/null
quietly cmake --build "$work/elsewhere/out"
cmp "$work/build/libpolysock.a" "$work/elsewhere/out/libpolysock.a" || fail "libpolysock.a"
ok "the static library is the same from another folder"

# The oldest CMake, and a library that is shared.
pip install "cmake==3.18.*"
(
    PATH="$work/venv/bin:$PATH"
    cmake --version | grep -q ' 3\.18'
    cmake -S . -B "$work/shared" -DPOLYSOCK_PYTHON=OFF -DBUILD_SHARED_LIBS=ON \
        --log-level=WARNING >/dev/null
    quietly cmake --build "$work/shared"
    quietly cmake --install "$work/shared" --prefix "$work/shared-prefix"
)
use_lua lua5.4 "$work/shared-prefix" 5.4
PKG_CONFIG_PATH="$work/shared-prefix/lib/pkgconfig" sh "$work/flags" "$work/echo"
LD_LIBRARY_PATH="$work/shared-prefix/lib" "$work/echo" | grep -q "hello from C"
ok "CMake 3.18, a shared library"

# Both compilers optimize while linking.
for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    cmake -S . -B "$work/$compiler" -DPOLYSOCK_PYTHON=OFF -DPOLYSOCK_STRICT=ON \
        -DCMAKE_C_COMPILER=$compiler --log-level=WARNING >/dev/null
    quietly cmake --build "$work/$compiler"
    grep -qa -e '\.gnu\.lto' -e '^BC' "$work/$compiler"/CMakeFiles/polysock_inlined.dir/core/error.c.o ||
        fail "$compiler: the core is not optimized while linking"
    quietly cmake --install "$work/$compiler" --prefix "$work/$compiler-prefix"
    use_lua lua5.4 "$work/$compiler-prefix" 5.4
    PKG_CONFIG_PATH="$work/$compiler-prefix/lib/pkgconfig" sh "$work/flags" "$work/echo"
    "$work/echo" | grep -q "hello from C"
    ok "$compiler"
done

# ---- LuaRocks

luarocks54() { luarocks --lua-version 5.4 --tree "$work/$tree" "$@"; }
tree=rocks
quietly luarocks54 make
absent "$work/rocks" '*.h' '*.a' '*.pc' '*.cmake'
[ -n "$(find "$work/rocks" -path '*/polysock/meta/polysock.lua')" ] || fail "no annotations"
eval "$(luarocks54 path)"
quietly luarocks54 test
unset LUA_PATH LUA_CPATH LUA_PATH_5_4 LUA_CPATH_5_4
use_lua lua5.4 "$work/rocks" 5.4
ok "luarocks --lua-version 5.4 make"

# The version that is LuaRocks' own default.
version=$(luarocks config lua_version)
quietly luarocks --tree "$work/default" make
use_lua "lua$version" "$work/default" "$version"
ok "luarocks make, for Lua $version"

# ---- The rock of a release. SWIG and CMake are as good as absent: each call of them fails.

(cd "$here" && tools/dist.sh >/dev/null)
mkdir "$work/release" "$work/tools"
tar -xzf "$here"/build/dist/polysock-*-rock.tar.gz -C "$work/release" --strip-components=1
for tool in swig swig4.0 cmake make ninja; do
    printf '#!/bin/sh\nexit 127\n' >"$work/tools/$tool"
done
chmod +x "$work"/tools/*
cd "$work/release"
tree=release-rocks
(PATH="$work/tools:$PATH" && export PATH && ! cmake --version && quietly luarocks54 make)
use_lua lua5.4 "$work/$tree" 5.4
exports "$work/$tree" luaopen_polysock_core
(cd "$work/$tree" && find . -type f | sed 's|[0-9.]*-1\([./]\)|V\1|g' | sort) >"$work/has"
sort >"$work/needs" <<'FILES'
./lib/lua/5.4/polysock/core.so
./lib/luarocks/rocks-5.4/manifest
./lib/luarocks/rocks-5.4/polysock/V/docs/reference-lua.md
./lib/luarocks/rocks-5.4/polysock/V/docs/reference.md
./lib/luarocks/rocks-5.4/polysock/V/polysock-V.rockspec
./lib/luarocks/rocks-5.4/polysock/V/rock_manifest
./lib/luarocks/rocks-5.4/polysock/V/share/polysock/meta/polysock.lua
./share/lua/5.4/polysock/init.lua
./share/lua/5.4/polysock/luasocket.lua
FILES
diff "$work/needs" "$work/has" || fail "the rock installs the module, annotations and reference"
# An abandoned look-up outlives the state that began it.
LUA_CPATH="$work/$tree/lib/lua/5.4/?.so" LD_DEBUG=files LD_DEBUG_OUTPUT="$work/loader" \
    lua5.4 -e 'require("polysock.core")'
cat "$work"/loader.* >"$work/loaded"
grep -q 'polysock/core.so' "$work/loaded" || fail "the loader says nothing"
! grep -q 'polysock/core.so.*destroying link map' "$work/loaded" || fail "the module is unloaded"
ok "a release by luarocks, without SWIG and CMake"

(PATH="$work/tools:$PATH" && export PATH && quietly luarocks --tree "$work/release-default" make)
use_lua "lua$version" "$work/release-default" "$version"
ok "the same for Lua $version"

echo "packages: $passed passed, 0 failed"
