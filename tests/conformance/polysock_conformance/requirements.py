# SPDX-License-Identifier: MIT
"""The ids of requirements.md and the scenarios that prove them.

This is bookkeeping only: it finds promises without a proof and proofs without a promise.
It never decides whether a proof is any good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .transcript import Scenario

_SECTION = re.compile(r"## (.+)")
_ITEM = re.compile(r"- `([a-z0-9.-]+)`\s*(.*)")
_EXCUSE = re.compile(r"\(excused: (.+)\)\s*$")


@dataclass
class Requirement:
    id: str
    section: str
    text: str
    excuse: str | None


def read(path: Path) -> list[Requirement]:
    """The requirements in their order; an item may go on in indented lines."""
    out: list[Requirement] = []
    section, inside = "", False
    for line in path.read_text(encoding="utf-8").splitlines():
        heading, item = _SECTION.match(line), _ITEM.match(line)
        if heading:
            section, inside = heading[1].strip(), False
        elif item:
            out.append(Requirement(item[1], section, item[2], None))
            inside = True
        elif inside and line.startswith("  "):
            out[-1].text += " " + line.strip()
        else:
            inside = False
    for requirement in out:
        excuse = _EXCUSE.search(requirement.text)
        requirement.excuse = excuse[1] if excuse else None
    return out


@dataclass
class Coverage:
    requirements: list[Requirement]
    proofs: dict[str, list[str]]  # scenarios by id
    faults: list[str]

    def uncovered(self) -> list[Requirement]:
        return [
            item
            for item in self.requirements
            if item.id not in self.proofs and item.excuse is None
        ]


def cover(requirements: list[Requirement], scenarios: list[Scenario]) -> Coverage:
    proofs: dict[str, list[str]] = {}
    for scenario in scenarios:
        for name in scenario.proves:
            proofs.setdefault(name, []).append(scenario.name)
    known = {item.id: item for item in requirements}
    faults = [
        f"{name}: not in requirements.md, but proved by {', '.join(where)}"
        for name, where in proofs.items()
        if name not in known
    ]
    faults += [
        f"{name}: excused in requirements.md, but proved by {', '.join(where)}"
        for name, where in proofs.items()
        if name in known and known[name].excuse
    ]
    faults += [f"{s.name}: proves nothing" for s in scenarios if not s.proves]
    seen: set[str] = set()
    for item in requirements:
        if item.id in seen:
            faults.append(f"{item.id}: twice in requirements.md")
        seen.add(item.id)
    return Coverage(requirements, proofs, faults)
