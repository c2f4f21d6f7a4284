#!/bin/sh
# SPDX-License-Identifier: MIT
# Formatters, linters and the invariants that a search can see. Changes nothing.
set -eu
cd "$(dirname "$0")/.."

echo "clang-format"
git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror

echo "clang -Weverything that we mean"
for file in core/*.c core/examples/*.c; do
    clang -std=c11 -Icore -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror \
        -fsyntax-only "$file"
done

echo "ruff"
ruff format --check .
ruff check .

echo "mypy"
mypy python/polysock swig/stubs.py

echo "luacheck"
luacheck -q lua tests

echo "generated files"
python swig/stubs.py --check

echo "invariants"
fails() {
    echo "$1" >&2
    exit 1
}
! git grep -nE '#include *[<"](lua|lauxlib|lualib|Python)\.h' -- core ||
    fails "a language header in the core"
! git grep -nE '\b(printf|puts|exit|abort|longjmp|raise)\(' -- ':(glob)core/*.c' ||
    fails "the core prints, exits or jumps"
! git grep -nE '%pythoncode|%luacode|#if' -- swig/polysock.i swig/kinds.i ||
    fails "language code in the neutral interface"
object=$(mktemp)
for file in core/*.c; do
    # What the process is and what its threads share belongs to the system's files alone.
    case $file in core/os_*.c) continue ;; esac
    cc -std=c11 -Icore -fPIC -c -o "$object" "$file"
    ! size -A "$object" | grep -E '^\.t?(data|bss)' | grep -vE '\.rel\.ro|^\S+ +0 ' ||
        fails "$file has a mutable global"
done
rm "$object"
echo "lint: clean"
