# SPDX-License-Identifier: MIT
"""The report of a run: report.md, report.html (one file, no network), report.json and
junit.xml.

It shows verdicts and never makes them. The files tell the same story, from the same
`Summary`; what report.json looks like is a promise (data/report.schema.json).
"""

from __future__ import annotations

import datetime
import html
import json
import platform
import re
import sys
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from pathlib import Path

from . import __version__, capabilities
from .greeting import PROTOCOL, Greeting
from .requirements import Coverage
from .suite import DEVIATION, FAIL, KNOWN, OK, SKIPPED, Result
from .transcript import Scenario

ORDER = (FAIL, KNOWN, DEVIATION, SKIPPED, OK)  # the worst first
LINES = 24


@dataclass
class Summary:
    """Everything that a report says."""

    greetings: dict[str, Greeting]  # by the name of the testee
    results: list[Result]
    seconds: float
    seed: str
    coverage: Coverage | None = None
    faults: list[str] = field(default_factory=list)  # of the run as a whole
    level: str = "strict"
    selected: bool = False  # not all scenarios of the level
    began: float = field(default_factory=time.time)

    @property
    def testees(self) -> dict[str, str]:
        """Their versions by name."""
        return {name: said.version for name, said in self.greetings.items()}

    @property
    def suite(self) -> str:
        part = ", a part of it" if self.selected else ""
        return f"polysock-conformance {__version__}, level {self.level}{part}"

    def count(self, *marks: str) -> int:
        return sum(result.mark in marks for result in self.results)

    @property
    def failed(self) -> int:
        return self.count(FAIL) + len(self.faults)

    def closing(self) -> str:
        passed = self.count(OK, DEVIATION, KNOWN)
        return (
            f"conformance: {passed} passed, {self.failed} failed, "
            f"{self.count(SKIPPED)} skipped"
        )

    def sections(self) -> dict[str, dict[str, list[Result]]]:
        """Results by section and scenario, in the order of the run."""
        out: dict[str, dict[str, list[Result]]] = {}
        for result in self.results:
            section = out.setdefault(result.scenario.section, {})
            section.setdefault(result.scenario.name, []).append(result)
        return out

    def cell(self, results: list[Result], testee: str) -> Result | None:
        """The result of a column: of several pairs, the worst in which the testee
        plays."""
        mine = [result for result in results if testee in result.cast.values()]
        return min(mine, key=lambda result: ORDER.index(result.mark), default=None)

    def columns(self) -> dict[str, dict[str, int]]:
        """How often each mark was given, by testee; pairs count for both."""
        out = {}
        for name in self.testees:
            marks = [item.mark for item in self.results if name in item.cast.values()]
            out[name] = {mark: marks.count(mark) for mark in ORDER}
        return out

    def pairs(self) -> list[Result]:
        return [result for result in self.results if len(result.cast) > 1]


def title(scenario: Scenario) -> str:
    return scenario.title.rstrip(".")


def mark(result: Result | None) -> str:
    if result is None:
        return "–"
    if result.mark == OK and result.retried:
        return "ok, retried"
    return result.mark


def dialogue(result: Result, lines: int = LINES) -> list[str]:
    """The last lines of what was said, with times, from both ends and in their order."""
    if result.outcome is None:
        return []
    said = sorted(result.outcome.dialogue, key=lambda item: item[0])
    shown = said[-lines:]
    width = max((len(who) for _, who, _ in shown), default=0)
    out = [f"{at:8.3f}  {who:{width}}  {text}" for at, who, text in shown]
    if len(said) > lines:
        out.insert(0, f"          … {len(said) - lines} lines before")
    return out


def steps_left(result: Result) -> str | None:
    """The step that failed, as it is written."""
    if result.outcome and result.outcome.problems:
        step = result.outcome.problems[0].step
        if step is not None:
            return f"{result.scenario.name}.t:{step.line}: {step.text.strip()}"
    return None


# --- Markdown -------------------------------------------------------------------------


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def markdown(summary: Summary) -> str:
    names = list(summary.testees)
    out = ["# Conformance", "", f"- {summary.suite}"]
    out += [f"- {name}: {version}" for name, version in summary.testees.items()]
    out += [f"- seed {summary.seed}, {summary.seconds:.1f} s", ""]
    out += [f"**{summary.closing()}**"]
    if summary.faults:
        out += ["", "## Faults of the run", ""]
        out += [f"- {_escaped(fault)}" for fault in summary.faults]
    failed = [result for result in summary.results if result.mark == FAIL]
    if failed:
        out += ["", "## Failures"]
        for result in failed:
            out += ["", f"### {result.scenario.name} [{result.testee}]", ""]
            out += [title(result.scenario) + ".", "", "```"]
            out += [line for line in [steps_left(result), result.reason] if line]
            out += ["", *dialogue(result), "```"]
    for section, scenarios in summary.sections().items():
        out += ["", f"## {section}", ""]
        out += ["| scenario | " + " | ".join(names) + " |"]
        out += ["| --- |" + " --- |" * len(names)]
        for name, results in scenarios.items():
            cells = [mark(summary.cell(results, testee)) for testee in names]
            what = _escaped(title(results[0].scenario))
            short = name.rpartition("/")[2]
            out += [f"| `{short}` {what} | " + " | ".join(cells) + " |"]
    if summary.pairs():
        out += ["", "## Between languages", ""]
        out += ["| scenario | pair | |", "| --- | --- | --- |"]
        for result in summary.pairs():
            name = result.scenario.name
            out += [f"| `{name}` | {result.testee} | {mark(result)} |"]
    headings = {DEVIATION: "Deviations", KNOWN: "Known", SKIPPED: "Skipped"}
    for kind, heading in headings.items():
        chosen = [result for result in summary.results if result.mark == kind]
        if chosen:
            out += ["", f"## {heading}", ""]
            for result in chosen:
                reason = _escaped(result.reason)
                out += [f"- `{result.scenario.name}` {result.testee}: {reason}"]
    if summary.coverage:
        out += ["", "## Requirements", "", *_coverage_lines(summary.coverage)]
    return "\n".join(out) + "\n"


def _coverage_lines(coverage: Coverage) -> list[str]:
    proved = sum(item.id in coverage.proofs for item in coverage.requirements)
    total = len(coverage.requirements)
    out = [f"{total} requirements, {proved} proved by scenarios.", ""]
    for item in coverage.requirements:
        if item.excuse:
            out.append(f"- `{item.id}` excused: {item.excuse}")
        elif item.id not in coverage.proofs:
            out.append(f"- `{item.id}` **not covered**")
    return out


# --- HTML -----------------------------------------------------------------------------

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --fail: #c22;
  --ok: #2a7d3c; --other: #96690a; --quiet: #777; }
@media (prefers-color-scheme: dark) { :root { --fail: #ff7b72; --ok: #5fcb7a;
  --other: #e0b050; --quiet: #999; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;
  padding: 0 1rem; }
h1 { margin-bottom: .2rem } h2 { margin: 2.2rem 0 .6rem; font-size: 1.15rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top }
thead th { position: sticky; top: 0; background: Canvas }
th.t, td.t { width: 7rem; white-space: nowrap }
td .about { color: var(--quiet); display: block }
code, pre { font: 13px/1.45 ui-monospace, monospace }
pre { background: var(--soft); padding: .8rem; overflow-x: auto; border-radius: 6px }
.ok { color: var(--ok) } .FAIL { color: var(--fail); font-weight: 700 }
.deviation, .known { color: var(--other) } .skipped, .none { color: var(--quiet) }
.why { display: block; font-size: 12px; white-space: normal; font-weight: 400 }
.total { font-size: 1.1rem; font-weight: 600 } .bad { color: var(--fail) }
.good { color: var(--ok) } summary { cursor: pointer }
nav { columns: 9rem; margin: 1rem 0 }
.overview { width: auto } .overview td { text-align: right }
"""


def _cell(result: Result | None) -> str:
    if result is None:
        return '<td class="t none">–</td>'
    reason = result.reason if result.mark not in (OK, FAIL) else ""
    why = f'<span class="why">{html.escape(reason)}</span>' if reason else ""
    text = html.escape(mark(result))
    if result.mark == FAIL:
        text = f'<a class="FAIL" href="#{_anchor(result)}">{text}</a>'
    return f'<td class="t {result.mark}">{text}{why}</td>'


def _anchor(result: Result) -> str:
    return html.escape(f"{result.scenario.name}-{result.testee}".replace("/", "-"))


def _failures(summary: Summary) -> list[str]:
    out = []
    for result in summary.results:
        if result.mark != FAIL:
            continue
        told = [line for line in [steps_left(result), result.reason] if line]
        text = "\n".join([*told, "", *dialogue(result)])
        out.append(
            f'<details open id="{_anchor(result)}"><summary><b>'
            f"{html.escape(result.scenario.name)}</b> [{html.escape(result.testee)}] "
            f"{html.escape(title(result.scenario))}</summary>"
            f"<pre>{html.escape(text)}</pre></details>"
        )
    # Many at once are told by their titles first.
    if len(out) > 5:
        out = [item.replace("<details open", "<details", 1) for item in out]
    return ["<h2>Failures</h2>", *out] if out else []


def _overview(summary: Summary) -> list[str]:
    """One row per testee; pairs count for both."""
    head = "".join(f"<th>{name}</th>" for name in reversed(ORDER))
    out = [f'<table class="overview"><thead><tr><th></th>{head}</tr></thead><tbody>']
    for name, counts in summary.columns().items():
        cells = "".join(
            f'<td class="{mark if count else "none"}">{count}</td>'
            for mark, count in reversed(counts.items())
        )
        version = html.escape(summary.testees[name])
        out.append(f"<tr><th title='{version}'>{html.escape(name)}</th>{cells}</tr>")
    return [*out, "</tbody></table>"]


def _tables(summary: Summary) -> list[str]:
    names = list(summary.testees)
    head = "".join(f'<th class="t">{html.escape(name)}</th>' for name in names)
    out = []
    for section, scenarios in summary.sections().items():
        out.append(f'<h2 id="s-{html.escape(section)}">{html.escape(section)}</h2>')
        out.append(f"<table><thead><tr><th>scenario</th>{head}</tr></thead><tbody>")
        for name, results in scenarios.items():
            cells = "".join(_cell(summary.cell(results, testee)) for testee in names)
            short = html.escape(name.rpartition("/")[2])
            about = html.escape(title(results[0].scenario))
            proves = html.escape(" ".join(results[0].scenario.proves))
            out.append(
                f'<tr><td title="{proves}"><code>{short}</code>'
                f'<span class="about">{about}</span></td>{cells}</tr>'
            )
        out.append("</tbody></table>")
    return out


def page(summary: Summary) -> str:
    state = "bad" if summary.failed else "good"
    date = time.strftime("%Y-%m-%d %H:%M", time.localtime(summary.began))
    versions = ", ".join(f"{name} ({text})" for name, text in summary.testees.items())
    out = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{html.escape(summary.closing())}</title><style>{STYLE}</style>",
        "<h1>Conformance</h1>",
        f'<p class="total {state}">{html.escape(summary.closing())}</p>',
        (
            f"<p>{html.escape(summary.suite)}<br>{html.escape(versions)}<br>"
            f"seed {html.escape(summary.seed)}, {summary.seconds:.1f} s, {date}</p>"
        ),
    ]
    out += _overview(summary)
    if summary.faults:
        items = "".join(f"<li>{html.escape(fault)}" for fault in summary.faults)
        out += ["<h2>Faults of the run</h2>", f'<ul class="bad">{items}</ul>']
    links = []
    for section, scenarios in summary.sections().items():
        count = sum(r.mark == FAIL for results in scenarios.values() for r in results)
        note = f' <span class="FAIL">{count}</span>' if count else ""
        name = html.escape(section)
        links.append(f'<a href="#s-{name}">{name}</a>{note}')
    out += ["<nav>", *[f"<div>{link}</div>" for link in links], "</nav>"]
    out += _failures(summary)
    out += _tables(summary)
    if summary.pairs():
        out.append("<h2>Between languages</h2><table><tbody>")
        for result in summary.pairs():
            name = html.escape(result.scenario.name)
            pair = html.escape(" with ".join(result.cast.values()))
            out.append(
                f"<tr><td><code>{name}</code></td><td>{pair}</td>{_cell(result)}</tr>"
            )
        out.append("</tbody></table>")
    if summary.coverage:
        out += ["<h2>Requirements</h2>", *_requirements(summary.coverage)]
    return "\n".join(out) + "\n"


def _requirements(coverage: Coverage) -> list[str]:
    out = ["<details><summary>every id and its scenarios</summary><table><tbody>"]
    for item in coverage.requirements:
        where = ", ".join(coverage.proofs.get(item.id, []))
        if item.excuse:
            state = f'<span class="skipped">excused: {html.escape(item.excuse)}</span>'
        else:
            state = html.escape(where) or '<span class="FAIL">not covered</span>'
        out.append(
            f"<tr><td><code>{html.escape(item.id)}</code><span class=about>"
            f"{html.escape(item.text)}</span></td><td>{state}</td></tr>"
        )
    return [*out, "</tbody></table></details>"]


# --- JUnit ----------------------------------------------------------------------------


_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml_safe(text: str) -> str:
    return _NOT_XML.sub("?", text)


def junit(summary: Summary) -> bytes:
    root = xml.Element("testsuites", name="conformance", time=f"{summary.seconds:.3f}")
    told = {"suite": __version__, "level": summary.level, "seed": summary.seed}
    told.update({f"testee.{name}": text for name, text in summary.testees.items()})
    for section, scenarios in summary.sections().items():
        cells = [result for results in scenarios.values() for result in results]
        suite = xml.SubElement(
            root,
            "testsuite",
            name=section,
            tests=str(len(cells)),
            failures=str(sum(result.mark == FAIL for result in cells)),
            skipped=str(sum(result.mark in (SKIPPED, KNOWN) for result in cells)),
        )
        properties = xml.SubElement(suite, "properties")
        for name, value in told.items():
            xml.SubElement(properties, "property", name=name, value=_xml_safe(value))
        for result in cells:
            seconds = result.outcome.seconds if result.outcome else 0.0
            case = xml.SubElement(
                suite,
                "testcase",
                classname=f"conformance.{section}.{result.testee}",
                name=result.scenario.name.rpartition("/")[2],
                time=f"{seconds:.3f}",
            )
            if result.mark == FAIL:
                node = xml.SubElement(case, "failure", message=_xml_safe(result.reason))
                node.text = _xml_safe("\n".join(dialogue(result)))
            elif result.mark in (SKIPPED, KNOWN):
                xml.SubElement(case, "skipped", message=_xml_safe(result.reason))
            elif result.reason:
                xml.SubElement(case, "system-out").text = _xml_safe(
                    f"{mark(result)}: {result.reason}"
                )
    if summary.faults:
        count = str(len(summary.faults))
        suite = xml.SubElement(root, "testsuite", name="run", tests=count, failures=count)
        for fault in summary.faults:
            name = _xml_safe(fault)
            case = xml.SubElement(suite, "testcase", classname="conformance", name=name)
            xml.SubElement(case, "failure", message=_xml_safe(fault))
    text: bytes = xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


# --- JSON -----------------------------------------------------------------------------


def document(summary: Summary) -> dict[str, object]:
    """report.json: what another program needs to know of a run."""
    began = datetime.datetime.fromtimestamp(summary.began, datetime.timezone.utc)
    return {
        "format": 1,
        "suite": {"version": __version__, "protocol": int(PROTOCOL)},
        "run": {
            "date": began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "seconds": round(summary.seconds, 1),
            "seed": summary.seed,
            "level": summary.level,
            "selected": summary.selected,
            "system": f"{platform.system()} {platform.machine()}".strip(),
            "python": ".".join(map(str, sys.version_info[:3])),
        },
        "testees": [
            {
                "name": name,
                "version": said.version,
                "suite": said.suite,
                "flags": sorted(said.flags),
                "offers": None if said.offers is None else sorted(said.offers),
                "lacks": sorted(said.lacks),
                "counts": summary.columns()[name],
            }
            for name, said in summary.greetings.items()
        ],
        "totals": {
            "passed": summary.count(OK, DEVIATION, KNOWN),
            "failed": summary.failed,
            "skipped": summary.count(SKIPPED),
        },
        "faults": list(summary.faults),
        "results": [_result(result) for result in summary.results],
    }


def _result(result: Result) -> dict[str, object]:
    scenario = result.scenario
    return {
        "scenario": scenario.name,
        "title": title(scenario),
        "level": capabilities.level(scenario),
        "proves": list(scenario.proves),
        "testees": list(result.cast.values()),
        "mark": result.mark,
        "reason": result.reason,
        "retried": result.retried,
        "seconds": round(result.outcome.seconds, 3) if result.outcome else 0.0,
    }


def write(summary: Summary, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("report.md", markdown(summary)),
        ("report.html", page(summary)),
        ("report.json", json.dumps(document(summary), indent=1, ensure_ascii=False)),
    ):
        # The name of a file, or a seed, may be what is no text.
        data = (text.rstrip("\n") + "\n").encode("utf-8", "backslashreplace")
        (folder / name).write_bytes(data)
    (folder / "junit.xml").write_bytes(junit(summary))
