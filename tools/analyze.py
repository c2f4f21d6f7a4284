#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Static analysis of the core by gcc -fanalyzer, clang-tidy and cppcheck. Prints each
finding that tools/analyze.txt does not list with a reason, and fails if there is one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterator, List, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DIALECT = ["-std=c11", "-Icore"]
ANALYZERS = {
    "gcc": ["gcc", *DIALECT, "-O1", "-fanalyzer", "-c", "-o", os.devnull, "FILE"],
    "clang-tidy": ["clang-tidy", "--quiet", "FILE", "--", *DIALECT],
    "cppcheck": [
        *("cppcheck", "--quiet", "--std=c11", "-Icore", "FILE"),
        "--enable=warning,performance,portability,style",
        "--template={file}:{line}:{column}: warning: {message} [{id}]",
    ],
}
FINDING = re.compile(r"(\S+?):(\d+):\d+: (?:warning|error): (.*) \[([^\[\]]+)\]$")


class Finding(NamedTuple):
    file: str
    line: int
    text: str
    checks: str  # apart by commas


class Reason(NamedTuple):
    check: str
    file: str
    source: str
    words: str


def reasons() -> List[Reason]:
    lines = (ROOT / "tools" / "analyze.txt").read_text().splitlines()
    return [
        Reason(*re.split(r" +\| +", line))
        for line in lines
        if line and not line.startswith("#")
    ]


def is_listed(finding: Finding, listed: List[Reason]) -> bool:
    source = (ROOT / finding.file).read_text().splitlines()[finding.line - 1].strip()
    return any(
        one.check in finding.checks.split(",")
        and one.file in {"*", finding.file}
        and one.source in {"*", source}
        for one in listed
    )


def findings(text: str) -> Iterator[Finding]:
    for line in text.splitlines():
        found = FINDING.match(line)
        if found:
            path = os.path.relpath(os.path.join(ROOT, found[1]), ROOT)
            yield Finding(path, int(found[2]), found[3], found[4])


def analyze(command: List[str]) -> str:
    """Returns what an analyzer says; fails if it cannot analyze the file."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0 and not FINDING.search(done.stdout + done.stderr):
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout + "\n" + done.stderr


def main() -> int:
    files = sorted(str(one.relative_to(ROOT)) for one in (ROOT / "core").glob("*.c"))
    listed, count = reasons(), 0
    for name, words in ANALYZERS.items():
        commands = [[file if w == "FILE" else w for w in words] for file in files]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            said = "\n".join(pool.map(analyze, commands))
        for one in dict.fromkeys(findings(said)):
            if not is_listed(one, listed):
                count += 1
                print(f"{one.file}:{one.line}: {one.text} [{name}: {one.checks}]")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
