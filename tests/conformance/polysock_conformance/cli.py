# SPDX-License-Identifier: MIT
"""The command line of the suite: see docs/conformance.md.

`run` chooses scenarios and testees, plays and reports; `table` and `badge` read reports.
The last line of a run is always `conformance: N passed, N failed, N skipped`. It must
never need more than Python itself.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Callable

from . import __version__, capabilities, check, published, report, requirements
from .data import SCENARIOS, SCHEMA
from .engine import Options
from .greeting import PROTOCOL
from .suite import FAIL, Result, Suite, read_known
from .testees import Spec, TesteeError
from .transcript import LEVELS, Scenario, ScenarioError, load
from .update import update

_NAMED = re.compile(r"([a-z][a-z0-9_]*)=(.+)", re.S)


def run_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `run`, without those that say which testees there are."""
    add = parser.add_argument
    add(
        "--level",
        choices=LEVELS,
        default=LEVELS[-1],
        help="core: what the manual of LuaSocket promises; extended: and what it "
        "does not promise; strict: and misuse, with its words (default: %(default)s)",
    )
    add(
        "--section",
        action="append",
        default=[],
        metavar="NAME",
        help="only scenarios of this section; may be repeated",
    )
    add(
        "-k",
        metavar="EXPR",
        help="only scenarios whose name, or an id that they prove, "
        "contains a word; with and, or, not and parentheses",
    )
    add(
        "--known",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a list of expected failures; may be repeated",
    )
    add(
        "--retry",
        action="store_true",
        help="whatever failed is played again, at most twice: for an emulated system, "
        "whose own faults come and go",
    )
    add(
        "--scenarios",
        type=Path,
        default=SCENARIOS,
        metavar="DIR",
        help="other scenarios than those of the suite",
    )
    add(
        "--report",
        type=Path,
        metavar="DIR",
        help="writes report.md, report.html, report.json and junit.xml",
    )
    add("-j", type=int, default=2, metavar="N", help="so many at a time (default: 2)")
    add("--seed", default="0", help="for random data (default: 0)")
    add("--slack", type=float, default=0.15, help="seconds that an answer may be late")
    add("--check", action="store_true", help="tries a new testee, and says what is next")
    add("--list", action="store_true", help="lists the chosen scenarios, and ends")
    add(
        "--coverage",
        action="store_true",
        help="lists the ids without a scenario, and ends",
    )
    add("--update", action="store_true", help="rewrites the expectations that differ")
    add("-v", action="store_true", help="a line for each result")


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="polysock-conformance",
        description="Plays scenarios of TCP against a testee, in any language.",
    )
    parser.add_argument(
        "--version", action="version", version=f"polysock-conformance {__version__}"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="plays the scenarios and reports")
    run.add_argument(
        "--testee",
        action="append",
        default=[],
        metavar="[NAME=]COMMAND",
        help="how a testee is started; its name in reports is `testee` if it has none. "
        "May be repeated, with names: then they also talk to each other",
    )
    run_arguments(run)
    table = commands.add_parser("table", help="a Markdown table of several report.json")
    table.add_argument("reports", nargs="+", type=Path, metavar="REPORT")
    table.add_argument("-o", "--output", type=Path, metavar="FILE")
    badge = commands.add_parser("badge", help="a badge in SVG of a report.json")
    badge.add_argument("report", type=Path, metavar="REPORT")
    badge.add_argument("--testee", metavar="NAME", help="of one column only")
    badge.add_argument("-o", "--output", type=Path, metavar="FILE")
    show = commands.add_parser("show", help="prints a scenario of the suite")
    show.add_argument("names", nargs="+", metavar="SECTION/NAME")
    commands.add_parser("schema", help="prints the JSON schema of report.json")
    return parser.parse_args(argv)


def specs(commands: list[str]) -> dict[str, Spec]:
    """The testees by name, in the order given."""
    out: dict[str, Spec] = {}
    for text in commands:
        hit = _NAMED.match(text)
        name, command = (hit[1], hit[2]) if hit else ("testee", text)
        if name in out:
            raise SystemExit(
                f"two testees are called {name}: write --testee NAME=COMMAND"
            )
        argv = shlex.split(command)
        if not argv:
            raise SystemExit(f"--testee {text!r}: no command")
        out[name] = Spec(name, argv)
    return out


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


def select(scenarios: list[Scenario], options: argparse.Namespace) -> list[Scenario]:
    """Those that the options ask for."""
    out = [item for item in scenarios if capabilities.within(item, options.level)]
    if options.section:
        sections = {item.section for item in scenarios}
        for name in options.section:
            if name not in sections:
                known = ", ".join(sorted(sections))
                raise SystemExit(f"no such section: {name}; there are {known}")
        out = [item for item in out if item.section in options.section]
    if options.k:
        out = [item for item in out if chosen(item, options.k)]
    return out


def read_scenarios(folder: Path) -> tuple[list[Scenario], list[str]]:
    """All scenarios, and what is wrong with those that cannot be read."""
    found, faults = [], []
    for path in sorted(folder.rglob("*.t")):
        try:
            found.append(load(path, folder))
        except (ScenarioError, ValueError) as error:
            faults.append(str(error))
    faults += [
        f"{item.name}: no such capability: {name}"
        for item in found
        for name in item.uses
        if capabilities.find(name) is None
    ]
    return found, faults


def list_coverage(coverage: requirements.Coverage | None, faults: list[str]) -> int:
    for fault in faults:
        print(fault)
    if coverage is None:
        print("coverage: no requirements.md")
        return 2
    print(
        f"coverage: {len(coverage.requirements)} ids, "
        f"{len(coverage.uncovered())} without a scenario, {len(faults)} faults"
    )
    return 1 if faults else 0


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


def play(options: argparse.Namespace, testees: dict[str, Spec]) -> int:
    """`run`, with these testees."""
    began = time.monotonic()
    print(f"polysock-conformance {__version__}, protocol {PROTOCOL}", flush=True)
    scenarios, faults = read_scenarios(options.scenarios)
    listed = options.scenarios / "requirements.md"
    coverage = None
    if listed.exists():
        coverage = requirements.cover(requirements.read(listed), scenarios)
        faults += coverage.faults
    if coverage and not (options.k or options.section):
        faults += [f"{item.id}: no scenario proves it" for item in coverage.uncovered()]
    if options.coverage:
        return list_coverage(coverage, faults)
    known = []
    for path in options.known:
        if not path.exists():
            faults.append(f"{path}: no such file")
        known += read_known(path)
    names = {scenario.name for scenario in scenarios}
    faults += [
        f"{item.path.name}:{item.line}: no such scenario: {item.scenario}"
        for item in known
        if item.scenario not in names
    ]
    everything = scenarios
    scenarios = select(scenarios, options)
    if not scenarios and not faults:
        print(f"conformance: no scenario of {options.scenarios} is chosen")
        return 2
    if options.list:
        for scenario in scenarios:
            print(f"{scenario.name} ({capabilities.level(scenario)}): {scenario.title}")
        return 0
    if not testees:
        print("conformance: no testee: write --testee COMMAND", file=sys.stderr)
        return 2
    if options.check:
        return check.run(testees, everything)

    settings = Options(seed=options.seed, slack=options.slack)
    suite = Suite(testees, settings, options.j, options.retry)
    try:
        suite.start()
    except TesteeError as error:
        print(f"conformance: {error}", file=sys.stderr)
        print("polysock-conformance run --check says more", file=sys.stderr)
        return 2
    if options.update:
        for name in update(suite, scenarios, settings):
            print(f"updated {name}")
        scenarios = [
            load(item.path, options.scenarios) for item in scenarios if item.path
        ]
    results = suite.run(scenarios, known, progress(options.v))
    faults += suite.complaints
    summary = report.Summary(
        suite.greetings,
        results,
        time.monotonic() - began,
        options.seed,
        coverage,
        faults,
        options.level,
        selected=bool(options.k or options.section),
    )
    return tell(summary, options.report)


def progress(verbose: bool) -> Callable[[Result, int, int], None]:
    """What is printed while the scenarios are played."""
    tty = sys.stdout.isatty()

    def each(result: Result, done: int, total: int) -> None:
        if tty:
            print(f"\r{done}/{total} \x1b[K", end="", flush=True)
        if verbose:
            reason = f": {result.reason}" if result.reason else ""
            print(f"{result.mark:9} {result.scenario.name} [{result.testee}]{reason}")
        if result.mark == FAIL:
            print_failure(result)

    return each


def tell(summary: report.Summary, folder: Path | None) -> int:
    """What is printed at the end of a run, and its reports."""
    if sys.stdout.isatty():
        print("\r\x1b[K", end="")
    for fault in summary.faults:
        print(f"FAULT {fault}")
    for result in summary.results:
        if result.mark == FAIL and result.outcome is None:
            print(f"FAIL {result.scenario.name} [{result.testee}] {result.reason}")
        if result.retried and result.mark != FAIL:
            print(f"ok, retried {result.scenario.name} [{result.testee}]")
    print_columns(summary)
    if folder:
        report.write(summary, folder)
        print(f"report: {folder / 'report.html'}")
    print(f"{summary.seconds:.1f} s, seed {summary.seed}, level {summary.level}")
    print(summary.closing())
    return 1 if summary.failed else 0


def show(names: list[str]) -> int:
    for name in names:
        path = SCENARIOS / f"{name}.t"
        if not path.exists():
            print(f"conformance: no such scenario: {name}", file=sys.stderr)
            return 2
        print(path.read_text(encoding="utf-8"), end="")
    return 0


def put(text: str, output: Path | None) -> int:
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


def main(argv: list[str] | None = None) -> int:
    options = arguments(sys.argv[1:] if argv is None else argv)
    if options.command == "run":
        return play(options, specs(options.testee))
    if options.command == "show":
        return show(options.names)
    try:
        if options.command == "table":
            reports = [published.read(path) for path in options.reports]
            return put(published.table(reports), options.output)
        if options.command == "badge":
            found = published.read(options.report)
            return put(published.badge(found, options.testee), options.output)
    except published.ReportError as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    return put(SCHEMA.read_text(encoding="utf-8"), None)
