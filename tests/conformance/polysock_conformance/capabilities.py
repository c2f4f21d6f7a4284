# SPDX-License-Identifier: MIT
"""Capabilities and levels: what a scenario uses, and so which testees can play it.

A scenario says little of this itself: the calls that it makes tell what it uses, by
data/capabilities.json. Nothing here knows any testee.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from . import interface
from .data import CAPABILITIES
from .transcript import (
    LEVELS,
    Call,
    Collect,
    Expect,
    Literal,
    Scenario,
    Start,
    Stop,
)
from .values import Data

CORE, EXTENDED, STRICT = LEVELS
BASE = "base"
OPTION = "option:"


@dataclass(frozen=True)
class Use:
    """A call that uses a capability: `OWNER METHOD [ARGUMENT [VALUE…]]`."""

    owner: str
    method: str
    argument: int = 0  # the number of an argument that is given; 0: any call
    values: tuple[bytes, ...] = ()  # ... and is one of these

    def made_by(self, call: Call) -> bool:
        owner = call.slot if call.slot in ("mod", "dns") else "object"
        mine = self.owner if self.owner in ("mod", "dns") else "object"
        if (owner, call.method) != (mine, self.method):
            return False
        if self.argument == 0:
            return True
        given = call.args[self.argument - 1 : self.argument]
        if not given or given[0] == Literal(None):
            return False
        return not self.values or _text(call, self.argument) in self.values


@dataclass(frozen=True)
class Capability:
    name: str
    level: str
    about: str
    uses: tuple[Use, ...] = ()


def _text(call: Call, argument: int) -> bytes | None:
    given = call.args[argument - 1 : argument]
    if given and isinstance(given[0], Literal) and isinstance(given[0].value, Data):
        return given[0].value.data
    return None


def _use(text: str) -> Use:
    owner, method, *rest = text.split()
    argument = int(rest[0]) if rest else 0
    return Use(owner, method, argument, tuple(word.encode() for word in rest[1:]))


@cache
def listed() -> dict[str, Capability]:
    """The capabilities by name, in the order in which a testee may grow."""
    data = json.loads(CAPABILITIES.read_text(encoding="utf-8"))
    out = {}
    for item in data["capabilities"]:
        uses = tuple(_use(text) for text in item["calls"])
        out[item["name"]] = Capability(item["name"], item["level"], item["about"], uses)
    # A function that no capability mentions is one by itself.
    told = {(use.owner, use.method) for item in out.values() for use in item.uses}
    for function in interface.functions():
        owner = "object" if function.owner == "poller" else function.owner
        if function.owner != "poller" and (owner, function.name) not in told:
            use = Use(owner, function.name)
            about = f"the function {function.name}"
            out[function.name] = Capability(function.name, EXTENDED, about, (use,))
    return out


def find(name: str) -> Capability | None:
    """The capability of that name; every option is one."""
    known = listed().get(name)
    if known is None and name.startswith(OPTION) and len(name) > len(OPTION):
        return Capability(name, CORE, f"the option {name.removeprefix(OPTION)}")
    return known


@cache
def _by_method() -> dict[str, list[tuple[Use, str]]]:
    out: dict[str, list[tuple[Use, str]]] = {}
    for item in listed().values():
        for use in item.uses:
            out.setdefault(use.method, []).append((use, item.name))
    return out


def of_call(call: Call) -> Iterator[str]:
    """The names of the capabilities that one call uses."""
    for use, name in _by_method().get(call.method, ()):
        if use.made_by(call):
            yield name
    if call.method in ("setoption", "getoption"):
        option = _text(call, 1)
        if option and option.isascii() and find(OPTION + option.decode()):
            yield OPTION + option.decode()


def used(scenario: Scenario, testee: str = "") -> list[str]:
    """What a scenario uses, each once: what its header says and what its calls tell. For
    a testee, without what it need not do: steps for which it has an expectation of its
    own, and those behind its `stop`."""
    out = dict.fromkeys(scenario.uses)
    for step in scenario.steps:
        call = step.what if isinstance(step, Start) else step
        others = step.others if isinstance(step, (Call, Collect)) else {}
        own = others.get(testee)
        if isinstance(own, Stop):
            break
        if isinstance(call, Call) and own is None:
            out.update(dict.fromkeys(of_call(call)))
        if isinstance(own, Expect) and own.stop:
            break
    return list(out)


def _misuse(scenario: Scenario) -> bool:
    """Whether the scenario is about misuse and its words."""
    return any(
        isinstance(step, (Call, Collect)) and step.expect and step.expect.mark == "X"
        for step in scenario.steps
    )


def level(scenario: Scenario) -> str:
    """The level of a scenario: what its header says, or what its steps tell."""
    if scenario.level:
        return scenario.level
    if _misuse(scenario):
        return STRICT
    found = [find(name) for name in used(scenario)]
    return EXTENDED if any(item and item.level == EXTENDED for item in found) else CORE


def within(scenario: Scenario, chosen: str) -> bool:
    """Whether a scenario belongs to a level; each level has those before it, too."""
    return LEVELS.index(level(scenario)) <= LEVELS.index(chosen)
