#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the targets that it is given, each to its end whatever the others did, and then prints a
# line for each: how it ended, how long it took, and what it counted. Fails if one failed.
set -u
cd "$(dirname "$0")/.."
log=$(mktemp)
summary=$(mktemp)
trap 'rm -f "$log" "$summary"' EXIT
failed=0
for suite in "$@"; do
    began=$(date +%s)
    # The status of a pipe is that of its end, so it comes in a line of its own.
    { ${MAKE:-make} --no-print-directory "$suite" 2>&1 || echo "suite failed"; } | tee "$log"
    took=$(($(date +%s) - began))
    ended=ok
    if [ "$(tail -n 1 "$log")" = "suite failed" ]; then
        ended=FAILED
        failed=1
    fi
    counted=$(grep -E '^([a-z]+: )?[0-9]+ (passed|successes|runs)|^[0-9]+% tests passed' "$log" |
        paste -sd ';' - | sed 's/;/; /g' | cut -c 1-110)
    printf '%-7s %-14s %4d s  %s\n' "$ended" "$suite" "$took" "$counted" >>"$summary"
done
echo
cat "$summary"
exit $failed
