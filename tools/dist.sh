#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the archive of a release and its rockspec in build/dist. The archive is what git knows,
# with the generated Lua wrapper and a rockspec of type builtin, which needs neither SWIG nor
# CMake. URL is where the archive will be found; without it, beside the rockspec.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^#define PS_VERSION "\(.*\)"$/\1/p' core/polysock.h)
name=polysock-$version
out=$PWD/build/dist
rm -rf "$out"
mkdir -p "$out/$name"

git ls-files | grep -vx 'polysock-scm-1.rockspec' | tar -T - -cf - | tar -xf - -C "$out/$name"

cmake -S . -B build/wrapper -DPOLYSOCK_C=OFF -DPOLYSOCK_PYTHON=OFF --log-level=WARNING >/dev/null
cmake --build build/wrapper --target polysock_lua_wrapper >/dev/null
cp build/wrapper/lua_wrap.c "$out/$name/lua/rock/lua_wrap.c"
# Where CMake installs them; below lua/ they would become modules.
mkdir -p "$out/$name/share/polysock"
cp -r "$out/$name/lua/meta" "$out/$name/share/polysock"

{
    sed -e "/^-- Builds a clone/,/^-- from this one/d" -e "s|scm-1|$version-1|" \
        -e "s|git+file://\.|${URL:-file://$name.tar.gz}|" -e '/^build = {/,$d' \
        polysock-scm-1.rockspec
    printf 'build = {\n   type = "builtin",\n   modules = {\n'
    for file in lua/polysock/*.lua; do
        module=${file#lua/}
        module=$(echo "${module%.lua}" | tr / .)
        printf '      ["%s"] = "%s",\n' "${module%.init}" "$file"
    done
    printf '      ["polysock.core"] = {\n         sources = {\n'
    for file in lua/rock/builtin.c lua/rock/lua_wrap.c core/*.c; do
        printf '            "%s",\n' "$file"
    done
    printf '         },\n         incdirs = { "core", "swig", "swig/lua" },\n'
    printf '         libraries = { "pthread", "m", "dl" },\n      },\n   },\n'
    printf '   copy_directories = { "docs", "share" },\n}\n'
} >"$out/$name/$name-1.rockspec"
cp "$out/$name/$name-1.rockspec" "$out"

# The same commit gives the same archive.
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
    --mode=u=rwX,go=rX -C "$out" -cf - "$name" | gzip -n9 >"$out/$name.tar.gz"
rm -rf "${out:?}/$name"
echo "build/dist/$name.tar.gz"
