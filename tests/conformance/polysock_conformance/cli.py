# SPDX-License-Identifier: MIT
"""The command line of the suite: see docs/conformance.md.

`run` chooses scenarios and testees, plays and reports; `table` and `badge` read reports.
The last line of a run is always `conformance: N passed, N failed, N skipped`. It must
never need more than Python itself.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import re
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Callable

from . import __version__, capabilities, check, published, report, requirements, testees
from .data import SCENARIOS, SCHEMA
from .engine import Options
from .greeting import PROTOCOL
from .suite import FAIL, Result, Suite, read_known
from .testees import Spec, TesteeError
from .transcript import LEVELS, Scenario, ScenarioError, load
from .update import update

_NAMED = re.compile(r"([a-z][a-z0-9_]*)=(.+)", re.S)


def refuse(text: str) -> SystemExit:
    """To be raised for what no run can be made of."""
    print(f"conformance: {text}", file=sys.stderr)
    return SystemExit(2)


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of jobs")
    return int(text)


def _seconds(text: str) -> float:
    try:
        if 0 <= float(text) < math.inf:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")


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
    add("-j", type=_jobs, default=2, metavar="N", help="so many at a time (default: 2)")
    add("--seed", default="0", help="for random data (default: 0)")
    add(
        "--slack",
        type=_seconds,
        default=0.15,
        help="seconds that an answer may be late",
    )
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
            raise refuse(f"two testees are called {name}: write --testee NAME=COMMAND")
        try:
            argv = shlex.split(command)
        except ValueError as error:
            raise refuse(f"--testee {text!r}: {error}") from None
        if not argv:
            raise refuse(f"--testee {text!r}: no command")
        if re.match(r"[\w-]+=", argv[0]):
            raise refuse(f"--testee {text!r}: NAME has lower-case letters, digits and _")
        out[name] = Spec(name, argv)
    return out


def chosen(scenario: Scenario, expression: str) -> bool:
    """Whether a `-k` expression holds: each word means "is contained"."""
    text = " ".join([scenario.name, *scenario.proves])
    words = re.findall(r"[()]|[^\s()]+", expression)
    marks = ("and", "or", "not", "(", ")")
    python = " ".join(word if word in marks else str(word in text) for word in words)
    # Two operands beside each other would be a call, or a tuple, in the language below.
    if (
        any(
            one not in marks[:4] and (two == "(" or two not in marks)
            for one, two in zip(words, words[1:])
        )
        or "( )" in python
    ):
        python = ""
    try:
        return bool(eval(python, {"__builtins__": {}}))
    except SyntaxError:
        raise refuse(f"-k {expression}: not an expression") from None


def select(scenarios: list[Scenario], options: argparse.Namespace) -> list[Scenario]:
    """Those that the options ask for."""
    out = [item for item in scenarios if capabilities.within(item, options.level)]
    if options.section:
        sections = {item.section for item in scenarios}
        for name in options.section:
            if name not in sections:
                known = ", ".join(sorted(sections))
                raise refuse(f"no such section: {name}; there are {known}")
        out = [item for item in out if item.section in options.section]
    if options.k:
        out = [item for item in out if chosen(item, options.k)]
    return out


def read_scenarios(folder: Path) -> tuple[list[Scenario], list[str]]:
    """All scenarios, and what is wrong with those that cannot be read."""
    found, faults = [], []
    if not folder.is_dir():
        raise refuse(f"{folder}: no such folder")
    for path in sorted(folder.rglob("*.t")):
        try:
            found.append(load(path, folder))
        except ScenarioError as error:
            faults.append(str(error))
        except (OSError, ValueError) as error:
            faults.append(f"{path}: {error}")
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


def play(options: argparse.Namespace, specs: dict[str, Spec]) -> int:
    """`run`, with these testees."""
    began = time.monotonic()
    print(f"polysock-conformance {__version__}, protocol {PROTOCOL}", flush=True)
    scenarios, faults = read_scenarios(options.scenarios)
    listed = options.scenarios / "requirements.md"
    coverage = None
    if listed.exists():
        try:
            coverage = requirements.cover(requirements.read(listed), scenarios)
        except (OSError, ValueError) as error:
            raise refuse(f"{listed}: {error}") from None
        faults += coverage.faults
    if coverage and not (options.k or options.section):
        faults += [f"{item.id}: no scenario proves it" for item in coverage.uncovered()]
    if options.coverage:
        return list_coverage(coverage, faults)
    known = []
    for path in options.known:
        try:
            known += read_known(path)
        except OSError as error:
            raise refuse(f"{path}: {error.strerror}") from None
        except ValueError as error:
            raise refuse(str(error)) from None
    names = {scenario.name for scenario in scenarios}
    faults += [
        f"{item.path.name}:{item.line}: no such scenario: {item.scenario}"
        for item in known
        if item.scenario not in names
    ]
    everything = scenarios
    scenarios = select(scenarios, options)
    if not scenarios and not faults:
        if everything:
            raise refuse("no scenario is chosen by these options")
        raise refuse(f"{options.scenarios}: no scenario in it, a file SECTION/NAME.t")
    if options.list:
        for scenario in scenarios:
            print(f"{scenario.name} ({capabilities.level(scenario)}): {scenario.title}")
        for fault in faults:
            print(f"FAULT {fault}")
        return 1 if faults else 0
    if not specs:
        raise refuse("no testee: write --testee COMMAND")
    if options.check:
        return check.run(specs, everything)

    if options.report:  # not to be found out after minutes
        options.report.mkdir(parents=True, exist_ok=True)
    settings = Options(seed=options.seed, slack=options.slack)
    suite = Suite(specs, settings, options.j, options.retry)
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
            raise refuse(f"no such scenario: {name}; `run --list` has them all")
        print(path.read_text(encoding="utf-8"), end="")
    return 0


def put(text: str, output: Path | None) -> int:
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


class Terminated(KeyboardInterrupt):
    """Who supervises the run wants it to end, as somebody with Ctrl-C does."""


def terminate(*_: object) -> None:
    raise Terminated


def guarded(command: Callable[[], int]) -> int:
    """What a command returns, or the status of one that could not be carried out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not every one can show an arrow
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, terminate)
    try:
        status = command()
        sys.stdout.flush()
        return status
    except KeyboardInterrupt as reason:
        testees.kill_all()
        print("\nconformance: interrupted", file=sys.stderr)
        return 143 if isinstance(reason, Terminated) else 130
    except BrokenPipeError:  # `| head`: nobody wants to know any more
        testees.kill_all()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        raise refuse(f"{error.filename or 'system'}: {error.strerror}") from None


def main(argv: list[str] | None = None) -> int:
    options = arguments(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: command(options))


def command(options: argparse.Namespace) -> int:
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
