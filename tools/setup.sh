#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what a target needs: setup.sh build|test|fuzz|lint|bench|net|wheels|
# systems|systems-short. On Debian and Ubuntu it installs what is missing, as root or by sudo;
# elsewhere it says which packages to install. It installs nothing that is there already, and
# with NO_SETUP it does nothing.
set -eu
[ -z "${NO_SETUP:-}" ] || exit 0

# package, and a command or a file that shows that it is there
build='
cc:gcc
make:make
swig:swig
lua5.4:lua5.4
/usr/include/lua5.4/lua.h:liblua5.4-dev
'
test='
/usr/include/cmocka.h:libcmocka-dev
/etc/services:netbase
busted:lua-busted
luarocks:luarocks
pkg-config:pkg-config
valgrind:valgrind
/usr/share/lua/5.4/socket.lua:lua-socket
/usr/share/lua/5.4/ltn12.lua:lua-socket
lfs:lua-filesystem
lua5.1:lua5.1
/usr/include/lua5.1/lua.h:liblua5.1-0-dev
lua5.2:lua5.2
/usr/include/lua5.2/lua.h:liblua5.2-dev
lua5.3:lua5.3
/usr/include/lua5.3/lua.h:liblua5.3-dev
luajit:luajit
/usr/include/luajit-2.1/luajit.h:libluajit-5.1-dev
/usr/share/lua/5.4/ssl.lua:lua-sec
/usr/share/doc/lua-copas:lua-copas
/usr/share/doc/lua-redis:lua-redis
redis-server:redis-server
/usr/sbin/nginx:nginx
/usr/lib/nginx/modules/ngx_http_echo_module.so:libnginx-mod-http-echo
openssl:openssl
/usr/include/openssl/ssl.h:libssl-dev
prosody:prosody
'
# What make test does without elsewhere.
optional='
ruby:ruby
ruby.h:ruby-dev
c++:g++
'
bench='
valgrind:valgrind
/usr/share/lua/5.4/socket.lua:lua-socket
/usr/share/doc/lua-cqueues:lua-cqueues
/usr/share/doc/lua-luv:lua-luv
/usr/share/doc/lua-copas:lua-copas
'
net='
ip:iproute2
unshare:util-linux
'
wheels='
qemu-aarch64:qemu-user
'
systems_short='
i686-linux-gnu-gcc:gcc-i686-linux-gnu
/usr/i686-linux-gnu/include/stdio.h:libc6-dev-i386-cross
musl-gcc:musl-tools
x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64
/usr/lib/wine/wine64:wine64
'
systems='
aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
/usr/aarch64-linux-gnu/include/stdio.h:libc6-dev-arm64-cross
s390x-linux-gnu-gcc:gcc-s390x-linux-gnu
/usr/s390x-linux-gnu/include/stdio.h:libc6-dev-s390x-cross
qemu-s390x:qemu-user
'
fuzz='
/usr/include/cmocka.h:libcmocka-dev
pkg-config:pkg-config
clang:clang
libfuzzer:libclang-rt-dev
'
lint='
luacheck:lua-check
clang:clang
clang-format:clang-format
clang-tidy:clang-tidy
cppcheck:cppcheck
/usr/i686-linux-gnu/include/stdio.h:libc6-dev-i386-cross
'

command -v apt-get >/dev/null 2>&1 && test="$test $optional"
wanted=$build
case ${1:-build} in
build) ;;
test) wanted="$build $test" ;;
fuzz) wanted="$build $fuzz" ;;
lint) wanted="$build $test $lint" ;;
bench) wanted="$build $bench" ;;
net) wanted="$build $test $net" ;;
wheels) wanted="$build $wheels" ;;
systems) wanted="$build $systems_short $systems" ;;
systems-short) wanted="$build $systems_short" ;;
*)
    echo "usage: $0 build|test|fuzz|lint|bench|net|wheels|systems|systems-short" >&2
    exit 2
    ;;
esac

has() {
    case $1 in
    /*) [ -e "$1" ] ;;
    libfuzzer) ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1 ;;
    ruby.h) ruby -rrbconfig -e 'exit File.exist?(RbConfig::CONFIG["rubyhdrdir"] + "/ruby.h")' 2>/dev/null ;;
    lfs) ls /usr/lib/*/lua/5.4/lfs.so >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=
for pair in $wanted; do
    has "${pair%%:*}" || missing="$missing ${pair#*:}"
done
# A virtual environment and the headers of the Python that is first in the path.
if ! command -v python3 >/dev/null 2>&1; then
    missing="$missing python3 python3-venv python3-dev"
else
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    python3 -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
        missing="$missing python3-dev"
fi
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
if command -v apt-get >/dev/null 2>&1 &&
    { [ -z "$as_root" ] || command -v sudo >/dev/null 2>&1; }; then
    echo "installing:$missing"
    # The servers that tests run are run by the tests: none is to start now, or at boot.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
        $as_root chmod +x $policy
        trap '$as_root rm -f $policy' EXIT
    fi
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $missing >/dev/null
else
    echo "Please install these first (Debian's names):$missing" >&2
    echo "that is a C compiler, make, SWIG 4.1 or newer, Lua 5.4 and Python 3.9 or newer with" >&2
    echo "their headers, and for the tests cmocka, busted, LuaRocks, valgrind, and the programs that" >&2
    echo "tests/compat runs: LuaSocket, LuaSec, copas, lua-redis, nginx, redis, openssl, prosody" >&2
    exit 1
fi
