#!/bin/sh
# SPDX-License-Identifier: MIT
# Lines of core/*.c that the C units, the conformance suite in C and the seeds of the fuzzers run,
# per file. Fails if fewer than 97 % of all lines are run. kqueue is another system's.
set -eu
cd "$(dirname "$0")/.."
python=build/venv/bin/python
cmake --preset coverage --log-level=WARNING
cmake --build --preset coverage
find build/coverage -name '*.gcda' -delete
ctest --preset coverage -j 2
$python tests/conformance/run.py --report build/coverage/conformance --testee c \
    --c build/coverage/tests/testee_c
for target in reader core address lua; do
    "build/coverage/tests/fuzz/fuzz_$target" "tests/fuzz/seeds/$target"
done
build/venv/bin/gcovr --root . --filter 'core/[a-z_]*\.c' --exclude core/poll_kqueue.c \
    --merge-mode-functions=merge-use-line-min --gcov-ignore-parse-errors=negative_hits.warn \
    --txt --html build/coverage/lines.html --fail-under-line 97 build/coverage
