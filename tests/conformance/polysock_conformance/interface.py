# SPDX-License-Identifier: MIT
"""What the library offers: its functions, what of them is bytes and how long a result
tuple is, as data/interface.json says.

Whatever in the suite depends on a function asks here. Nothing here reads the sources of
the library: the table is made from them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from .data import INTERFACE


@dataclass(frozen=True)
class Argument:
    name: str
    bytes: bool = False  # bytes, and not text


@dataclass(frozen=True)
class Function:
    owner: str  # "mod", "dns", "object" or "poller"
    name: str  # as scenarios call it
    arguments: tuple[Argument, ...]
    tuple: int  # the length of its result tuple; 0: a bare value
    bytes: bool = False  # whether its results are bytes, failures aside


@cache
def functions() -> tuple[Function, ...]:
    data = json.loads(INTERFACE.read_text(encoding="utf-8"))
    return tuple(
        Function(
            item["owner"],
            item["name"],
            tuple(
                Argument(name, name in item.get("bytes_arguments", ()))
                for name in item["arguments"]
            ),
            item["tuple"],
            item.get("bytes", False),
        )
        for item in data["functions"]
    )


@cache
def _by_name() -> dict[tuple[str, str], Function]:
    """A scenario does not say of which class an object is, and need not: classes that
    share a name give it one kind of result and the same arguments."""
    out: dict[tuple[str, str], Function] = {}
    for item in functions():
        owner = item.owner if item.owner in ("mod", "dns") else ""
        out.setdefault((owner, item.name), item)
    return out


def find(slot: str, method: str) -> Function | None:
    """The function that a step of a scenario calls, if it is one of the library's."""
    return _by_name().get((slot if slot in ("mod", "dns") else "", method))
