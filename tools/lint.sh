#!/bin/sh
# SPDX-License-Identifier: MIT
# Formatters, linters and the invariants that a machine can see. Changes nothing.
set -eu
cd "$(dirname "$0")/.."

echo "clang-format"
git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror

echo "clang -Weverything that we mean"
for file in core/*.c core/examples/*.c; do
    # Also for 32 bits: there a size or a long is narrower than other numbers are.
    for target in "" "--target=i686-linux-gnu -isystem /usr/i686-linux-gnu/include"; do
        clang $target -std=c11 -Icore -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
            -Werror -pedantic -fsyntax-only "$file"
    done
done
clang -x c++ -std=c++11 -Wall -Wextra -pedantic -Werror -fsyntax-only core/polysock.h

echo "gcc -fanalyzer, clang-tidy, cppcheck"
python tools/analyze.py

echo "ruff"
ruff format --check .
ruff check .

echo "mypy"
mypy python/polysock swig/stubs.py swig/generator python/examples tools
(cd tests/conformance && mypy --config-file ../../pyproject.toml \
    polysock_conformance run.py interface.py pages.py test_package.py)
(cd tests/mutation && MYPYPATH=../conformance mypy --config-file ../../pyproject.toml \
    mutate.py test_mutation.py watch.py)

echo "luacheck"
luacheck -q lua tests

echo "ruby"
if tools/ruby.sh --check; then
    git ls-files '*.rb' | xargs -n 1 ruby -wc >/dev/null
fi

echo "generated files"
python swig/stubs.py --check
python tests/conformance/interface.py --check
python tests/conformance/pages.py --check

echo "site"
python tools/site/build.py --quiet

echo "invariants"
fails() {
    echo "$1" >&2
    exit 1
}
! git grep -nE '#include *[<"](lua|lauxlib|lualib|Python|ruby)\.h' -- core ||
    fails "a language header in the core"
! git grep -nE '%pythoncode|%luacode|#if' -- swig/polysock.i swig/kinds.i ||
    fails "language code in the neutral interface"
python tools/layers.py || fails "the core is not in shape"
python tools/interface.py || fails "polysock.i and polysock.h differ"
echo "lint: clean"
