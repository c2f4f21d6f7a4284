# SPDX-License-Identifier: MIT
"""The first line of a testee: who it is, what it can do, and what it offers.

All that the suite knows of a testee is said here. Nothing here starts a testee or
decides what a scenario needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from . import __version__, capabilities

PROTOCOL = "1"
FLAGS = ("threads", "tuples", "loose", "coarse", "leaks")
LISTS = ("offers", "lacks", "misuse", "names", "suite")
# Classes of errors that count as misuse, for a testee that does not list its own.
MISUSE = frozenset({"", "error", "misuse", "TypeError", "ValueError"})
_LIST = re.compile(r"[^\s,=]+(,[^\s,=]+)*\Z")


class GreetingError(Exception):
    """The first line is not one of the protocol."""


@dataclass(frozen=True)
class Greeting:
    """What a testee said; what it left out has the values here."""

    version: str = "?"
    flags: frozenset[str] = frozenset()
    offers: frozenset[str] | None = None  # None: everything, but what it lacks
    lacks: frozenset[str] = frozenset()
    names: dict[str, str] = field(default_factory=dict)
    misuse: frozenset[str] = MISUSE
    suite: str = ""  # the version of the suite that it was written for
    faults: tuple[str, ...] = ()

    def offered(self, capability: str) -> bool:
        if capability == capabilities.BASE:
            return True
        if capability in self.lacks:
            return False
        if self.offers is None or capability in self.offers:
            return True
        # Who offers options, and none by its name, offers them all.
        named = any(item.startswith(capabilities.OPTION) for item in self.offers)
        if capability == "options":
            return named
        option = capability.startswith(capabilities.OPTION)
        return option and not named and "options" in self.offers

    def words(self) -> list[str]:
        """What it said besides its version, in one order."""
        out = sorted(self.flags)
        if self.offers is not None:
            out.append("offers=" + ",".join(sorted(self.offers)))
        if self.lacks:
            out.append("lacks=" + ",".join(sorted(self.lacks)))
        return out


def _newer(version: str) -> bool:
    """Whether a testee wants a suite that is newer than this one, by its first number."""
    wanted, have = version.split(".")[0], __version__.split(".")[0]
    return not wanted.isdigit() or int(wanted) > int(have)


def read(words: list[str]) -> Greeting:
    """The greeting in the words of a line. What is not known in it is a fault that is
    reported: a word with a slip would change what is tested, and nobody would see it."""
    if len(words) < 3 or words[0] != "polysock-testee":
        raise GreetingError(
            f"its first line should be `polysock-testee {PROTOCOL} VERSION …`, "
            f"and is {' '.join(words)[:100]!r}"
        )
    if words[1] != PROTOCOL:
        raise GreetingError(f"it speaks protocol {words[1][:20]}, the suite {PROTOCOL}")
    lists: dict[str, frozenset[str]] = {}
    flags: set[str] = set()
    names: dict[str, str] = {}
    suite, faults = "", []
    for word in words[3:]:
        key, equals, value = word.partition("=")
        items = value.split(",")
        if not equals and key in FLAGS:
            flags.add(key)
        elif key == "suite" and value:
            suite = value
            if _newer(value):
                faults.append(f"it is made for suite {value}, this is {__version__}")
        elif key in ("offers", "lacks", "misuse", "names") and _LIST.match(value):
            if key == "names":
                names = dict((item + ":").split(":")[:2] for item in items)
                faults += [f"names: {item}" for item in items if ":" not in item]
            elif key == "misuse":
                lists[key] = frozenset(items)
            else:
                lists[key] = frozenset(items)
                unknown = sorted(item for item in items if not capabilities.find(item))
                faults += [f"no such capability: {item}" for item in unknown]
        else:
            faults.append(f"not a word of a greeting: {word}")
    return Greeting(
        words[2],
        frozenset(flags),
        lists.get("offers"),
        lists.get("lacks", frozenset()),
        names,
        lists["misuse"] | {"", "misuse"} if "misuse" in lists else MISUSE,
        suite,
        tuple(faults),
    )
