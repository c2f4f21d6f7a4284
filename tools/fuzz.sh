#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the fuzzers of tests/fuzz, two at a time: fuzz.sh short | MINUTES [TARGET...]. The short
# form plays the seeds and a few thousand inputs made of them; where CI is set only the seeds, so
# that a change is not judged by chance. The long one goes on from what build/fuzz/corpus has.
# What a fuzzer finds is printed, with the command that plays it again.
set -eu
cd "$(dirname "$0")/.."
built=build/fuzz/tests/fuzz
found=build/fuzz/found

# one HOW TARGET: runs one fuzzer, silently if it finds nothing.
one() {
    how=$1 target=$2 log=build/fuzz/$target.log corpus=build/fuzz/corpus/$target
    case $how in
    short)
        case $target in
        reader) runs=20000 ;;
        core) runs=6000 ;;
        lua) runs=2000 ;;
        *) runs=1200 ;;
        esac
        [ -z "${CI-}" ] || runs=0
        corpus=$(mktemp -d)
        trap 'rm -rf "$corpus"' EXIT
        set -- -seed=1 -runs=$runs -max_total_time=12
        ;;
    *) set -- -max_total_time=$((how * 60)) -print_final_stats=1 ;;
    esac
    mkdir -p "$found" "$corpus"
    status=0
    "$built/fuzz_$target" "$@" -max_len=600 -len_control=20 -timeout=60 \
        -artifact_prefix="$found/$target-" "$corpus" "tests/fuzz/seeds/$target" >"$log" 2>&1 ||
        status=$?
    done=$(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) .*/\1 runs in \2 s/p' "$log")
    if [ $status -eq 0 ] && [ -n "$done" ]; then
        echo "ok: $target, $done"
        return
    fi
    grep -vE '^#[0-9]|NEW_FUNC' "$log" | tail -n 60
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    echo "not ok: $target found something; to play it again:"
    if [ -n "$input" ]; then
        echo "    echo $(base64 -w 0 "$input") | base64 -d >input; $built/fuzz_$target input"
    else
        echo "    $built/fuzz_$target $*"
    fi
    return 1
}

if [ "${1-}" = one ]; then
    one "$2" "$3"
    exit
fi
how=${1:?short or MINUTES}
shift
[ $# -gt 0 ] || set -- python lua core address reader
status=0
printf '%s\n' "$@" | xargs -P 2 -I TARGET "$0" one "$how" TARGET || status=1
[ $status -ne 0 ] || echo "fuzz: $# passed, 0 failed"
exit $status
