#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The conformance suite, from the command line: see docs/conformance.md.

It chooses scenarios and testees, runs them and reports. The last line of its output is
always `conformance: N passed, N failed, N skipped`. It must never need more than Python
itself.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import time
from pathlib import Path

import report
import requirements
from engine import Options
from suite import FAIL, Result, Suite, read_known
from testees import C_NAMES, PYTHON_NAMES, Spec, TesteeError
from transcript import Scenario, ScenarioError, load
from update import update

HERE = Path(__file__).resolve().parent
ALL = ("luasocket", "c", "lua", "python")


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py", description="Plays the conformance scenarios against the testees."
    )
    add = parser.add_argument
    add(
        "-k",
        metavar="EXPR",
        help="only scenarios whose name, or an id that they prove, "
        "contains a word; with and, or, not and parentheses",
    )
    add("-j", type=int, default=2, metavar="N", help="so many at a time (default: 2)")
    add("--seed", default="0", help="for random data (default: 0)")
    add("--slack", type=float, default=0.15, help="seconds that an answer may be late")
    add(
        "--report",
        type=Path,
        metavar="DIR",
        help="writes report.md, report.html and junit.xml",
    )
    add("--update", action="store_true", help="rewrites the expectations that differ")
    add(
        "--coverage",
        action="store_true",
        help="lists the ids without a scenario, and ends",
    )
    add("--list", action="store_true", help="lists the chosen scenarios, and ends")
    add("-v", action="store_true", help="a line for each result")
    add(
        "--scenarios",
        type=Path,
        default=HERE / "scenarios",
        metavar="DIR",
        help=argparse.SUPPRESS,
    )
    testee_arguments(parser)
    return parser.parse_args(argv)


def testee_arguments(parser: argparse.ArgumentParser) -> None:
    """What `specs` needs."""
    group = parser.add_argument_group("the testees")
    add = group.add_argument
    add(
        "--testee",
        metavar="NAMES",
        default=",".join(ALL),
        help="which testees, in the order of the columns (default: %(default)s)",
    )
    add("--lua", default="lua5.4", metavar="COMMAND", help="(default: %(default)s)")
    add("--lua-path", metavar="PATH", help="LUA_PATH of the testee lua")
    add("--lua-cpath", metavar="PATH", help="LUA_CPATH of the testee lua")
    add("--python", default=sys.executable, metavar="COMMAND", help="(default: this one)")
    add("--python-path", metavar="PATH", help="PYTHONPATH of the testee python")
    add("--c", default="testee-c", metavar="COMMAND", help="the built testee.c")
    add(
        "--command",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="a testee of your own, or one of ours started otherwise; may be repeated",
    )


def specs(options: argparse.Namespace) -> dict[str, Spec]:
    """How the chosen testees are started, in the order of the columns."""
    lua = shlex.split(options.lua)
    lua_env = {"LUA_PATH": options.lua_path, "LUA_CPATH": options.lua_cpath}
    python_env = {"PYTHONPATH": options.python_path}
    known = {
        "luasocket": Spec(
            "luasocket",
            [*lua, str(HERE / "testee.lua"), "socket"],
            loose=True,
            leaks=True,
        ),
        "c": Spec("c", shlex.split(options.c), names=C_NAMES),
        "lua": Spec(
            "lua",
            [*lua, str(HERE / "testee.lua"), "polysock"],
            env={name: path for name, path in lua_env.items() if path},
        ),
        "python": Spec(
            "python",
            [*shlex.split(options.python), str(HERE / "testee.py")],
            env={name: path for name, path in python_env.items() if path},
            names=PYTHON_NAMES,
        ),
    }
    for text in options.command:
        name, equals, command = text.partition("=")
        if not equals:
            raise SystemExit(f"--command wants NAME=COMMAND: {text}")
        spec = known.setdefault(name, Spec(name, []))
        spec.argv = shlex.split(command)
    chosen = [name for name in options.testee.split(",") if name]
    for name in chosen:
        if name not in known:
            raise SystemExit(f"no such testee: {name}; there are {', '.join(known)}")
    return {name: known[name] for name in chosen}


def chosen(scenario: Scenario, expression: str) -> bool:
    """Whether a `-k` expression holds: each word means "is contained"."""
    text = " ".join([scenario.name, *scenario.proves])
    words = re.findall(r"[()]|[^\s()]+", expression)
    python = " ".join(
        word if word in ("and", "or", "not", "(", ")") else str(word in text)
        for word in words
    )
    try:
        return bool(eval(python, {"__builtins__": {}}))
    except SyntaxError:
        raise SystemExit(f"-k {expression}: not an expression") from None


def read_scenarios(folder: Path) -> tuple[list[Scenario], list[str]]:
    """All scenarios, and what is wrong with those that cannot be read."""
    found, faults = [], []
    for path in sorted(folder.rglob("*.t")):
        try:
            found.append(load(path, folder))
        except (ScenarioError, ValueError) as error:
            faults.append(str(error))
    return found, faults


def list_coverage(coverage: requirements.Coverage) -> int:
    for item in coverage.uncovered():
        print(f"{item.id}: {item.text}")
    for fault in coverage.faults:
        print(fault)
    missing = len(coverage.uncovered())
    print(
        f"coverage: {len(coverage.requirements)} ids, {missing} without a scenario, "
        f"{len(coverage.faults)} faults"
    )
    return 1 if missing or coverage.faults else 0


def print_failure(result: Result) -> None:
    print(f"FAIL {result.scenario.name} [{result.testee}] {result.scenario.title}")
    for line in [report.steps_left(result), result.reason]:
        if line:
            print("  " + line)
    for line in report.dialogue(result):
        print("    " + line)
    print(flush=True)


def print_columns(summary: report.Summary) -> None:
    """One line per testee; pairs count for both."""
    width = max(len(name) for name in summary.testees)
    marks = list(reversed(report.ORDER))
    print(f"{'':{width}}  " + "  ".join(f"{mark:>9}" for mark in marks))
    for name, counts in summary.columns().items():
        cells = "  ".join(f"{counts[mark]:>9}" for mark in marks)
        print(f"{name:{width}}  {cells}")


def main(argv: list[str]) -> int:
    options = arguments(argv)
    began = time.monotonic()
    scenarios, faults = read_scenarios(options.scenarios)
    root = options.scenarios.parent
    listed = root / "requirements.md"
    coverage = requirements.cover(
        requirements.read(listed) if listed.exists() else [], scenarios
    )
    if options.coverage:
        for fault in faults:
            print(fault)
        return list_coverage(coverage) or bool(faults)
    known = read_known(root / "known.txt")
    names = {scenario.name for scenario in scenarios}
    faults += [
        f"known.txt:{item.line}: no such scenario: {item.scenario}"
        for item in known
        if item.scenario not in names
    ]
    faults += coverage.faults
    if options.k:
        scenarios = [item for item in scenarios if chosen(item, options.k)]
    else:
        faults += [f"{item.id}: no scenario proves it" for item in coverage.uncovered()]
    if options.list:
        for scenario in scenarios:
            print(f"{scenario.name}: {scenario.title}")
        return 0

    play = Options(seed=options.seed, slack=options.slack)
    suite = Suite(specs(options), play, options.j)
    try:
        versions = suite.start()
    except TesteeError as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    if options.update:
        for name in update(suite, scenarios, play):
            print(f"updated {name}")

    tty = sys.stdout.isatty()

    def progress(result: Result, done: int, total: int) -> None:
        if tty:
            print(f"\r{done}/{total} \x1b[K", end="", flush=True)
        if options.v:
            reason = f": {result.reason}" if result.reason else ""
            print(f"{result.mark:9} {result.scenario.name} [{result.testee}]{reason}")
        if result.mark == FAIL:
            print_failure(result)

    if options.update:
        scenarios = [
            load(item.path, options.scenarios) for item in scenarios if item.path
        ]
    results = suite.run(scenarios, known, progress)
    faults += suite.complaints
    seconds = time.monotonic() - began
    summary = report.Summary(versions, results, seconds, options.seed, coverage, faults)
    if tty:
        print("\r\x1b[K", end="")
    for fault in faults:
        print(f"FAULT {fault}")
    for result in results:
        if result.mark == FAIL and result.outcome is None:
            print(f"FAIL {result.scenario.name} [{result.testee}] {result.reason}")
        if result.retried and result.mark != FAIL:
            print(f"ok, retried {result.scenario.name} [{result.testee}]")
    print_columns(summary)
    if options.report:
        report.write(summary, options.report)
        print(f"report: {options.report / 'report.html'}")
    print(f"{seconds:.1f} s, seed {options.seed}")
    print(summary.closing())
    return 1 if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
