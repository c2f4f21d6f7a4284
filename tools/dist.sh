#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes what a release consists of in build/dist: the sources as git knows them; and a rock of type
# builtin, an archive and its rockspec, with the generated wrapper, so that it needs neither SWIG
# nor CMake. The rock has an archive of its own because LuaRocks installs all that is in lua/.
# URL is the folder where the archives will be found; without it, they are beside the rockspec.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^#define PS_VERSION "\(.*\)"$/\1/p' core/polysock.h)
name=polysock-$version
rock=$name-rock
out=$PWD/build/dist
rm -rf "$out"
mkdir -p "$out/$name" "$out/$rock/share/polysock"

git ls-files | tar -T - -cf - | tar -xf - -C "$out/$name"

cmake -S . -B build/wrapper -DPOLYSOCK_C=OFF -DPOLYSOCK_PYTHON=OFF --log-level=WARNING >/dev/null
cmake --build build/wrapper --target polysock_lua_wrapper >/dev/null
git ls-files LICENSE README.md docs/reference.md docs/reference-lua.md lua/polysock lua/rock tests/lua/installed.lua \
    ':(glob)core/*.[ch]' ':(glob)core/*.def' ':(glob)swig/*.h' ':(glob)swig/lua/*.h' |
    tar -T - -cf - | tar -xf - -C "$out/$rock"
mv "$out/$rock/lua/rock" "$out/$rock/rock"
cp build/wrapper/lua_wrap.c "$out/$rock/rock"
cp -r lua/meta "$out/$rock/share/polysock" # where CMake installs it

cd "$out/$rock"
{
    sed -e '/^-- Builds a clone/,/^-- from this one/d' -e "s|scm-1|$version-1|" \
        -e "s|git+file://\.|${URL:-file:/}/$rock.tar.gz|" -e '/^build = {/,$d' \
        ../../../polysock-scm-1.rockspec
    printf 'build = {\n   type = "builtin",\n   modules = {\n'
    for file in lua/polysock/*.lua; do
        module=$(echo "${file%.lua}" | cut -c 5- | tr / .)
        printf '      ["%s"] = "%s",\n' "${module%.init}" "$file"
    done
    printf '      ["polysock.core"] = {\n         sources = {\n'
    printf '            "%s",\n' rock/*.c core/*.c
    printf '         },\n         incdirs = { "core", "swig", "swig/lua" },\n'
    printf '         defines = { "PS_EMBEDDED", "_FORTIFY_SOURCE=2" },\n'
    printf '         libraries = { "pthread", "m", "dl" },\n      },\n   },\n'
    printf '   copy_directories = { "docs", "share" },\n}\n'
} >"$name-1.rockspec"
cp "$name-1.rockspec" "$out"

# The same commit gives the same archives.
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
cd "$out"
for archive in "$name" "$rock"; do
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
        --mode=u=rwX,go=rX -cf - "$archive" | gzip -n9 >"$archive.tar.gz"
    rm -r "${archive:?}"
done
ls -1 "$out"
