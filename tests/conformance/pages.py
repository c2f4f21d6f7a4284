#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The parts of docs/ that are made from the suite: the table of capabilities, and the
published results.

`pages.py` writes the table, `pages.py --results REPORT` the page of results from the
report.json of a run. With --check nothing is written: what is published must be true.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from polysock_conformance import capabilities, published
from polysock_conformance.cli import read_scenarios
from polysock_conformance.data import SCENARIOS
from polysock_conformance.suite import lacking

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/conformance.md"
RESULTS = ROOT / "docs/conformance-results.md"
BADGE = ROOT / "docs/conformance.svg"
BEGIN, END = "<!-- capabilities: made by make docs -->\n", "<!-- end of capabilities -->"

HEAD = """<!-- SPDX-License-Identifier: MIT -->
# Results of the conformance suite

<!-- made by tests/conformance/pages.py from a report; make conformance compares it -->

![conformance](conformance.svg)

Four testees play the scenarios: LuaSocket, and polysock in C, Lua and Python. The row of
a section has the number of its scenarios that pass; a scenario for two testees counts for
both. What a testee does not offer is skipped. `make conformance` checks that every line
here is true; new scenarios may have added numbers and lines since.

"""


def calls(item: capabilities.Capability) -> str:
    """The calls that use a capability, for a reader."""
    found: dict[str, list[str]] = {}
    for use in item.uses:
        owner = f"{use.owner} " if use.owner in ("mod", "dns") else ""
        arguments = found.setdefault(f"`{owner}{use.method}`", [])
        text = " or ".join(f"`{value.decode()}`" for value in use.values)
        arguments += [f"{use.argument} {text}".strip()] if use.argument else []
    return ", ".join(
        f"{name} with argument {' or '.join(arguments)}" if arguments else name
        for name, arguments in found.items()
    )


def table() -> str:
    rows = ["| capability | level | calls | is |", "| --- | --- | --- | --- |"]
    for item in capabilities.listed().values():
        rows.append(f"| `{item.name}` | {item.level} | {calls(item)} | {item.about} |")
    return "\n".join(rows) + "\n\n"


def with_table(text: str) -> str:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE}: no place for the table of capabilities")
    return f"{before}{BEGIN}\n{table()}{END}{after}"


# ---- Results -------------------------------------------------------------------------


def machine() -> set[str]:
    """The reasons why a scenario is skipped on this machine, whoever plays it."""
    needs = {need for scenario in read_scenarios(SCENARIOS)[0] for need in scenario.needs}
    found = (lacking(need) for need in needs - {"threads"})
    return {reason for reason in found if reason}


# Skipped by a rule, and so told once and not for each scenario.
RULES = {
    "no threads in one state of this language": "has no threads",
    "the compiler refuses these calls": "has a compiler that refuses some misuse",
}


def exceptions(
    report: dict[str, Any], without: Iterable[str] = ()
) -> dict[str, list[str]]:
    """By testee: what it does not offer, and each other result that is not ok."""
    out: dict[str, dict[str, None]] = {}
    for item in report["testees"]:
        lines = [f"does not offer `{name}`" for name in item["lacks"]]
        out[item["name"]] = dict.fromkeys(lines)
    for item in report["results"]:
        mark, reason = item["mark"], item["reason"]
        plain = mark in ("ok", "FAIL") or reason in without
        if plain or reason.startswith("it does not offer "):
            continue
        # Of two testees it is told of the pair.
        lines_of = out.setdefault("+".join(item["testees"]), {})
        rule = RULES.get(reason)
        lines_of[rule or f"{mark}: `{item['scenario']}`: {reason}"] = None
    return {name: list(lines) for name, lines in out.items()}


def columns(report: dict[str, Any], path: Path) -> str:
    """The table, without what differs from machine to machine."""
    rows = published.table([published.read(path)]).splitlines(True)
    return "".join(row for row in rows if not re.match(r"\| (system|date) \|", row))


def render(report: dict[str, Any], path: Path) -> str:
    out = [HEAD, columns(report, path)]
    for name, lines in exceptions(report).items():
        if lines:
            out.append(f"\n## {name}\n\n")
            out += [f"- {line}\n" for line in lines]
    return "".join(out)


def told(page: str) -> tuple[dict[tuple[str, str], str], dict[str, set[str]]]:
    """The numbers of a page, by row and column, and the lists by testee."""
    numbers: dict[tuple[str, str], str] = {}
    lists: dict[str, set[str]] = {}
    names: list[str] = []
    section = ""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if line.startswith("## "):
            section = line.removeprefix("## ")
            lists[section] = set()
        elif line.startswith("- ") and section:
            lists[section].add(line.removeprefix("- "))
        elif cells and not names:
            names = cells[1:]
        elif cells and cells[0] != "---":
            numbers.update({(cells[0], name): it for name, it in zip(names, cells[1:])})
    return numbers, lists


def contradictions(
    report: dict[str, Any], path: Path, page: str
) -> tuple[list[str], list[str]]:
    """What a page says and a run does not, and what it does not say yet."""
    away = machine()
    numbers, lists = told(page)
    now, _ = told(columns(report, path))
    wrong = []
    for key, value in numbers.items():
        seen = now.get(key, "nothing")
        # Where scenarios cannot be played, numbers are less, and that is no news.
        if key[0] == "version" or away:
            continue
        if value.isdigit() and seen.isdigit():
            if int(seen) < int(value) and key[0] not in ("skipped", "deviation", "known"):
                wrong.append(f"{key[0]} of {key[1]}: {value}, and now {seen}")
        elif seen != value:
            wrong.append(f"{key[0]} of {key[1]}: {value}, and now {seen}")
    shown = int(re.findall(r"(\d+) passed", BADGE.read_text(encoding="utf-8"))[0])
    if shown > report["totals"]["passed"] and not away:
        wrong.append(f"{BADGE.name}: {shown}, and now {report['totals']['passed']}")
    found = {name: set(lines) for name, lines in exceptions(report, away).items()}
    unplayed = {
        ("+".join(item["testees"]), item["scenario"])
        for item in report["results"]
        if item["reason"] in away
    }
    new = []
    for name in dict.fromkeys([*found, *lists]):
        have, had = found.get(name, set()), lists.get(name, set())
        new += [f"{name}: {line}" for line in sorted(have - had)]
        for line in sorted(had - have):
            scenario = (line.split("`")[1:2] or [""])[0]
            if (name, scenario) not in unplayed:
                wrong.append(f"{name}: not any more: {line}")
    return wrong, new


def results(path: Path, check: bool) -> int:
    report = json.loads(path.read_text(encoding="utf-8"))
    if check:
        page = RESULTS.read_text(encoding="utf-8")
        wrong, new = contradictions(report, path, page)
        for line in new:
            print(f"{RESULTS.name} does not have yet: {line}")
        for line in wrong:
            print(f"{RESULTS.name}: {line}")
        if wrong:
            print(f"write it anew: tests/conformance/pages.py --results {path}")
        print(f"results: {0 if wrong else 1} passed, {len(wrong)} failed")
        return 1 if wrong else 0
    if report["totals"]["failed"] or report["run"]["selected"] or machine():
        raise SystemExit("published is a whole run without failures, on a machine for it")
    RESULTS.write_text(render(report, path), encoding="utf-8")
    BADGE.write_text(published.badge(published.read(path)), encoding="utf-8")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="writes nothing")
    parser.add_argument("--results", type=Path, metavar="REPORT", help="a report.json")
    chosen = parser.parse_args()
    if chosen.results:
        return results(chosen.results, chosen.check)
    text = PAGE.read_text(encoding="utf-8")
    if not chosen.check:
        PAGE.write_text(with_table(text), encoding="utf-8")
    elif with_table(text) != text:
        print(f"{PAGE.name}: the table of capabilities is an old one: make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
