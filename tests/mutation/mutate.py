#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the tests find faults: it makes small faults in the sources, one at a time,
and each must fail a test. See README.md beside this file.

All of them are built at once, in a copy of the tree (schema.py), and each is given to the
tests that reach its function (suites.py). Those that nothing notices are listed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import shutil
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests/conformance"))

import suites  # noqa: E402
from mutants import Mutant, excuse, mutants, read_excuses  # noqa: E402
from same import FOLDERS, SameCode  # noqa: E402
from schema import Build  # noqa: E402

EQUIVALENT = HERE / "equivalent.txt"
SURVIVORS = HERE / "survivors.txt"
COPIED = ("core", "swig", "lua", "python", "ruby", "tests", "tools", "docs")
ELSEWHERE = ("core/os_windows.c", "core/poll_kqueue.c")  # not for this system
FILES = tuple(
    name
    for pattern in ("core/*.[ch]", "swig/*.h", "swig/*/*.h", "swig/*/lang.i")
    for name in sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern))
    if name not in ELSEWHERE
)
# Who has to notice a mutant, by where it is: those before the code is compared, and those
# after. The Lua module reads by way of views, which the C testee does not.
SUITES = {
    "core": (("units",), ("c", "lua")),
    "lua": (("lua",), ("tests/lua", "units")),
    "python": (("python",), ("tests/python",)),
    "ruby": (("ruby",), ("tests/ruby",)),
    "swig": (
        ("tests/lua", "lua"),
        ("python", "ruby", "tests/ruby", "tests/python"),
    ),
}
EVERY = ("units", "c", "lua", "ruby", "python", "tests/lua", "tests/ruby", "tests/python")
COLUMNS = ("killed", "survived", "equivalent", "same", "invalid", "open")

MEMORY = 8 << 30  # bytes, for each process


def copy(tree: Path, plain: Path) -> None:
    """The tree that gets the mutants, and its sources for same.py."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.rmtree(plain, ignore_errors=True)
    tree.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.so", ".*")
    for name in (*COPIED, "CMakeLists.txt", "pyproject.toml"):
        if (ROOT / name).is_dir():
            # With times of their own, or an old mutant's object would stay.
            shutil.copytree(ROOT / name, tree / name, False, ignored, shutil.copyfile)
        else:
            shutil.copyfile(ROOT / name, tree / name)
    for name in FOLDERS:
        shutil.copytree(tree / name, plain / name)


def stages(mutant: Mutant, options: Options) -> tuple[list[str], list[str]]:
    """The suites for a mutant, before its code is compared and after."""
    parts = mutant.file.split("/")
    first, then = SUITES[parts[1] if len(parts) > 2 else parts[0]]
    if options.every:
        then = tuple(name for name in EVERY if name not in first)
    allowed = options.suite or EVERY
    return [n for n in first if n in allowed], [n for n in then if n in allowed]


# --- the verdicts ---------------------------------------------------------------------


def tests_state(tree: Path) -> str:
    """Changes with every test, so that survivors are tried again."""
    digest = hashlib.sha256()
    for path in sorted((tree / "tests").rglob("*")):
        own = "mutation" in path.parts[len(tree.parts) :]
        if not own and path.suffix in (".t", ".c", ".h", ".py", ".lua", ".rb"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Verdicts:
    """What is known of the mutants, kept in a file."""

    def __init__(self, path: Path, again: bool) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.saved = 0.0
        self.known: dict[str, dict[str, str]] = {}
        if path.exists() and not again:
            self.known = json.loads(path.read_text(encoding="utf-8"))

    def of(self, mutant: Mutant) -> str:
        return self.known.get(mutant.key, {}).get("verdict", "open")

    def put(self, mutant: Mutant, verdict: str, by: str = "", state: str = "") -> None:
        self.known[mutant.key] = {"verdict": verdict, "by": by, "state": state}

    def done(self, mutant: Mutant, state: str) -> bool:
        """One that survived is tried again when there is any new test."""
        seen = self.known.get(mutant.key, {})
        if seen.get("verdict") == "survived":
            return seen.get("state") == state
        return seen.get("verdict") in ("killed", "same", "invalid")

    def save(self, now: bool = True) -> None:
        """Writes the file; a moment later will do, unless it is for now."""
        if not now and time.monotonic() < self.saved + 5:
            return
        self.saved = time.monotonic()
        self.path.write_text(json.dumps(self.known, indent=0), encoding="utf-8")


def try_all(todo: list[Mutant], verdicts: Verdicts, state: str, options: Options) -> None:
    """Builds those that have no verdict yet, and finds it."""
    place = suites.Place(options.work.resolve())
    wanted = {name for item in todo for part in stages(item, options) for name in part}
    ruby = any(name.endswith("ruby") for name in wanted) and shutil.which("ruby")
    if not ruby:
        wanted = {name for name in wanted if not name.endswith("ruby")}
        todo = [item for item in todo if not item.file.startswith("swig/ruby")]
    more = ["-DPOLYSOCK_TESTS=ON", f"-DPython_EXECUTABLE={sys.executable}"]
    more += [f"-DPOLYSOCK_RUBY={'ON' if ruby else 'OFF'}"]
    began = time.monotonic()
    build = Build(place.tree, place.build, todo, more)
    build.make()
    place.links()
    print(f"built {len(todo)} mutants in {time.monotonic() - began:.0f} s", flush=True)
    names = [name for name in EVERY if name in wanted]
    made = [suites.make(place, name, options.every) for name in names]
    bench = suites.Bench(made, options.j)
    bench.discover()
    same = SameCode(place.tree, place.build, options.work / "plain")
    counter = iter(range(1, len(todo) + 1))

    def find(mutant: Mutant) -> None:
        if options.budget and time.monotonic() - began > options.budget:
            return
        since = time.monotonic()
        number = build.number(mutant)
        by = ""
        if number in build.invalid:
            verdict, by = "invalid", build.invalid[number]
        elif number in build.outside:
            verdict, by = "invalid", "not within one function"
        else:
            probes = build.reached_by[number]
            first, then = stages(mutant, options)
            verdict, by = bench.verdict(number, mutant.file, probes, first)
            if verdict == "survived" and same.as_without(mutant):
                verdict = "same"
            elif verdict == "survived":
                verdict, by = bench.verdict(number, mutant.file, probes, then)
        with verdicts.lock:
            verdicts.put(mutant, verdict, by, state)
            verdicts.save(now=False)
            print(
                f"{next(counter)}/{len(todo)} {verdict} {mutant.file}:{mutant.line} "
                f"{mutant.change} [{by}] {time.monotonic() - since:.1f} s",
                flush=True,
            )

    with ThreadPoolExecutor(options.j) as pool:
        list(pool.map(find, todo))
    verdicts.save()


# --- the report -----------------------------------------------------------------------


def table(chosen: list[Mutant], verdicts: Verdicts) -> list[str]:
    out = [f"| file | {' | '.join(COLUMNS)} | score |"]
    out += [f"| --- | {'---: | ' * len(COLUMNS)}---: |"]
    for name in sorted({mutant.file for mutant in chosen}):
        counts = Counter(verdicts.of(item) for item in chosen if item.file == name)
        numbers = " | ".join(str(counts[column]) for column in COLUMNS)
        out.append(f"| {name} | {numbers} | {score(counts)} |")
    return out


def score(counts: Counter[str]) -> str:
    tried = counts["killed"] + counts["survived"]
    return f"{100 * counts['killed'] / tried:.1f} %" if tried else "-"


def report(
    chosen: list[Mutant], verdicts: Verdicts, reasons: dict[str, str], to: Path
) -> Counter[str]:
    """Writes the page with the survivors, and prints its table."""
    rows = table(chosen, verdicts)
    out = ["# Mutation run", "", *rows, "", "## Survivors", ""]
    for mutant in sorted(chosen, key=lambda item: (item.file, item.line)):
        if verdicts.of(mutant) == "survived":
            out += [f"{mutant.file}:{mutant.line} ({mutant.kind})", ""]
            out += [f"    {mutant.place}: {mutant.change}"]
            out += [f"    - {mutant.before}", f"    + {mutant.after}", ""]
            out += [reasons[mutant.key], ""] if mutant.key in reasons else []
    killers: Counter[str] = Counter()
    for mutant in chosen:
        known = verdicts.known.get(mutant.key, {})
        if known.get("verdict") == "killed":
            killers[known["by"].split(" ")[0]] += 1
    out += ["## What killed them", ""]
    out += [f"- {name}: {count}" for name, count in killers.most_common()]
    to.write_text("\n".join(out) + "\n", encoding="utf-8")
    print("\n".join(rows))
    return Counter(verdicts.of(mutant) for mutant in chosen)


class Options(argparse.Namespace):
    sample: int
    seed: str
    file: list[str] | None
    suite: list[str] | None
    every: bool
    budget: float
    fail_under: float
    j: int
    again: bool
    report: bool
    list: bool
    work: Path


def arguments(argv: list[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="mutate.py", description="Puts faults into the sources; the tests must see."
    )
    add = parser.add_argument
    add("--sample", type=int, default=0, metavar="N", help="only N, chosen by the seed")
    add("--seed", default="0", help="for the choice and the order (default: 0)")
    add("--file", action="append", metavar="FILE", help="only of this file; repeatable")
    add("--every", action="store_true", help="all tests for all mutants: much slower")
    add("--suite", action="append", choices=EVERY, help="only these tests; repeatable")
    add("--budget", type=float, default=0, metavar="SECONDS", help="then stop")
    add(
        "--fail-under",
        type=float,
        default=0,
        metavar="PERCENT",
        help="the score that is wanted of all together",
    )
    add("-j", type=int, default=4, metavar="N", help="mutants at a time (default: 4)")
    add("--again", action="store_true", help="forget the verdicts of earlier runs")
    add("--report", action="store_true", help="what is known already, and no more")
    add("--list", action="store_true", help="lists the mutants, and ends")
    add(
        "--work",
        type=Path,
        default=ROOT / "build/mutation",
        metavar="DIR",
        help="for the copy, the cache and report.md (default: build/mutation)",
    )
    return parser.parse_args(argv, namespace=Options())


def main(argv: list[str]) -> int:
    options = arguments(argv)
    began = time.monotonic()
    options.work.mkdir(parents=True, exist_ok=True)
    tree = options.work / "tree"  # of one moment, for the mutants and for the tests
    if options.list or options.report:
        tree = ROOT
    else:
        copy(tree, options.work / "plain")
    found = [item for name in options.file or FILES for item in mutants(tree, name)]
    chosen = sorted(found, key=lambda item: (item.file, item.line, item.after))
    random.Random(options.seed).shuffle(chosen)
    if options.sample:
        chosen = chosen[: options.sample]
    if options.list:
        for mutant in sorted(chosen, key=lambda item: (item.file, item.line)):
            print(f"{mutant.file}:{mutant.line} ({mutant.kind})")
            print(f"  {mutant.place}: {mutant.change}")
            print(f"  - {mutant.before}\n  + {mutant.after}")
        print(f"{len(chosen)} of {len(found)} mutants")
        return 0
    excuses, known = read_excuses(EQUIVALENT), read_excuses(SURVIVORS)
    verdicts = Verdicts(options.work / "cache.json", options.again)
    state = tests_state(tree)
    excused, reasons = excuse(found, excuses), excuse(found, known)
    todo = []
    for mutant in chosen:
        if mutant.key in excused:
            verdicts.put(mutant, "equivalent", excused[mutant.key])
        elif not verdicts.done(mutant, state):
            todo.append(mutant)
    # All files at once: an excuse does not say in which file its function is.
    wrong = [
        f"{path.name}:{item.line}: it is for {item.count} mutants, not for {item.found}"
        for path, items in ((EQUIVALENT, excuses), (SURVIVORS, known))
        for item in items
        if item.found != item.count and not options.file
    ]
    for words in wrong:
        print(f"FAULT {words}")
    if todo and not options.report:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # A mutant that asks for ever more memory must not take the machine along.
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))
        try_all(todo, verdicts, state, options)
    totals = report(chosen, verdicts, reasons, options.work / "report.md")
    survived = [item for item in chosen if verdicts.of(item) == "survived"]
    unexplained = [item for item in survived if item.key not in reasons]
    for item in unexplained:
        print(f"survived, without a reason: {item.file}:{item.line} {item.change}")
    print(f"{options.work / 'report.md'}: {time.monotonic() - began:.0f} s")
    numbers = ", ".join(f"{totals[column]} {column}" for column in COLUMNS)
    print(f"mutate: {numbers}; score {score(totals)}")
    tried = totals["killed"] + totals["survived"]
    low = tried and 100 * totals["killed"] < options.fail_under * tried
    # A sample has a bound instead: a change may bring a mutant that nobody has seen.
    return 1 if wrong or low or (unexplained and not options.sample) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
