# SPDX-License-Identifier: MIT
"""What is made of report.json: a table over several runs, and a badge.

Reports of earlier versions of the suite are read, too; nothing here plays a scenario.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1
MARKS = ("ok", "deviation", "known", "skipped", "FAIL")


class ReportError(Exception):
    """Not a report that can be read."""


@dataclass
class Column:
    """One testee of one run."""

    name: str
    version: str
    counts: dict[str, int]

    @property
    def failed(self) -> int:
        return self.counts["FAIL"]

    @property
    def passed(self) -> int:
        return sum(self.counts[mark] for mark in ("ok", "deviation", "known"))


@dataclass
class Published:
    suite: str
    level: str
    selected: bool
    date: str
    system: str
    columns: list[Column]
    sections: dict[str, dict[str, dict[str, int]]]  # section, testee, mark
    passed: int
    failed: int


def read(path: Path) -> Published:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ReportError(f"{path}: not a report of format {FORMAT}")
    try:
        return _published(data)
    except KeyError as error:
        why = f"{error} is missing or unknown"
    except TypeError as error:
        why = str(error)
    raise ReportError(f"{path}: not as the schema says: {why}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} should be text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} should be a number")
    return value


def _published(data: dict) -> Published:  # type: ignore[type-arg]
    columns = [
        Column(
            _text(item["name"]),
            _text(item["version"]),
            {mark: _number(item["counts"][mark]) for mark in MARKS},
        )
        for item in data["testees"]
    ]
    sections: dict[str, dict[str, dict[str, int]]] = {}
    for item in data["results"]:
        section = sections.setdefault(_text(item["scenario"]).rpartition("/")[0], {})
        for name in set(item["testees"]):
            counts = section.setdefault(name, dict.fromkeys(MARKS, 0))
            counts[item["mark"]] += 1
    run = data["run"]
    return Published(
        _text(data["suite"]["version"]),
        _text(run["level"]),
        run["selected"] is True,
        _text(run["date"])[:10],
        _text(run["system"]),
        columns,
        sections,
        _number(data["totals"]["passed"]),
        _number(data["totals"]["failed"]),
    )


def _cell(counts: dict[str, int] | None) -> str:
    """How much of a section passes, of what was played."""
    if counts is None:
        return ""
    passed = sum(counts[mark] for mark in ("ok", "deviation", "known"))
    played = passed + counts["FAIL"]
    if not played:
        return "–"
    return str(passed) if passed == played else f"**{passed} of {played}**"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def table(reports: list[Published]) -> str:
    """One column for each testee of each run: its sums, and how much of each section
    passes."""
    columns = [(item, column) for item in reports for column in item.columns]
    rows = [["", *(_escaped(column.name) for _, column in columns)]]
    rows += [["---", *("---:" for _ in columns)]]
    rows += [["version", *(_escaped(column.version) for _, column in columns)]]
    for label, values in (
        ("suite", [item.suite for item, _ in columns]),
        ("level", [item.level + " (part)" * item.selected for item, _ in columns]),
        ("system", [item.system for item, _ in columns]),
        ("date", [item.date for item, _ in columns]),
    ):
        rows += [[label, *map(_escaped, values)]]
    for mark in MARKS:
        counts = [column.counts[mark] for _, column in columns]
        shown = [f"**{n}**" if mark == "FAIL" and n else str(n) for n in counts]
        rows += [[mark, *shown]]
    names = dict.fromkeys(name for item in reports for name in item.sections)
    for name in names:
        cells = [
            _cell(item.sections.get(name, {}).get(column.name))
            for item, column in columns
        ]
        rows += [[f"`{name}`", *cells]]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def badge(report: Published, testee: str | None = None) -> str:
    """An SVG that says how many scenarios pass."""
    passed, failed = report.passed, report.failed
    if testee is not None:
        columns = {item.name: item for item in report.columns}
        if testee not in columns:
            raise ReportError(f"no such testee: {testee}; there are {', '.join(columns)}")
        passed, failed = columns[testee].passed, columns[testee].failed
    left = f"polysock {report.level}"
    right = f"{passed} passed" if not failed else f"{failed} failed"
    color = "#2a7d3c" if not failed else "#c22222"
    widths = [10 + round(6.6 * len(text)) for text in (left, right)]
    whole = sum(widths)
    text = html.escape(f"{left}: {right}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" '
        f'aria-label="{text}"><title>{text}</title>'
        f'<rect width="{widths[0]}" height="20" fill="#555"/>'
        f'<rect x="{widths[0]}" width="{widths[1]}" height="20" fill="{color}"/>'
        '<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" '
        'text-anchor="middle">'
        f'<text x="{widths[0] / 2:g}" y="14">{html.escape(left)}</text>'
        f'<text x="{widths[0] + widths[1] / 2:g}" y="14">{html.escape(right)}</text>'
        "</g></svg>\n"
    )
