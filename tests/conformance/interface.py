#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the library offers, read from its interface: each function with the kind of its
result and the types of its arguments.

Whatever in the suite depends on a function's kind or types asks here, so that a new
function of a known kind needs no line in any testee or table. As a program it writes
testee_calls.h, the calls of the testee for C. It reads prototypes and nothing else.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

INTERFACE = Path(__file__).resolve().parents[2] / "swig/polysock.i"
OBJECT = "object"  # owner of what is called on an object, beside "mod" and "dns"

_NOISE = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"')
_CLASS = re.compile(r"%extend\s+(\w+)\s*\{")
_PROTOTYPE = re.compile(r"(?:^|[;{}]|\s)(ps_\w+)\s+(\w+)\(([^()]*)\)\s*;")


@dataclass(frozen=True)
class Argument:
    type: str
    name: str


@dataclass(frozen=True)
class Function:
    owner: str  # "mod", "dns" or OBJECT
    name: str  # as scenarios call it
    symbol: str  # as C calls it
    result: str  # its kind
    arguments: tuple[Argument, ...]  # without the object and the host
    self: str = ""  # the type of the object
    host: bool = False


def _arguments(text: str) -> tuple[Argument, ...]:
    out = []
    for item in text.split(","):
        words = item.replace("*", " * ").split()
        if words and words != ["void"]:
            out.append(Argument(" ".join(words[:-1]), words[-1]))
    return tuple(out)


def _classes(text: str) -> list[tuple[int, int, str]]:
    """Where the members of each class begin and end, and its type."""
    out = []
    for hit in _CLASS.finditer(text):
        depth, at = 1, hit.end()
        while depth and at < len(text):
            depth += (text[at] == "{") - (text[at] == "}")
            at += 1
        out.append((hit.end(), at, hit[1]))
    return out


def parse(text: str) -> list[Function]:
    """The functions of an interface file, in its order."""
    text = _NOISE.sub("", text)
    classes = _classes(text)
    out = []
    for hit in _PROTOTYPE.finditer(text):
        result, name = hit[1], hit[2]
        arguments = _arguments(hit[3])
        plain = tuple(item for item in arguments if item.type != "ps_host *")
        host = len(plain) < len(arguments)
        owners = [kind for begin, end, kind in classes if begin <= hit.start() < end]
        if owners:
            symbol = f"{owners[0]}_{name}"
            function = Function(OBJECT, name, symbol, result, plain, owners[0], host)
        else:
            bare = name.removeprefix("ps_")
            owner = "dns" if bare.startswith("dns_") else "mod"
            bare = bare.removeprefix("dns_")
            function = Function(owner, bare, name, result, plain, "", host)
        out.append(function)
    return out


@cache
def functions() -> dict[tuple[str, str], Function]:
    """All functions by owner and name."""
    found = parse(INTERFACE.read_text(encoding="utf-8"))
    return {(item.owner, item.name): item for item in found}


def find(slot: str, method: str) -> Function | None:
    """The function that a step of a scenario calls, if it is one of the library's."""
    return functions().get((slot if slot in ("mod", "dns") else OBJECT, method))


# --- for the testee of C --------------------------------------------------------------


def _call(function: Function) -> str:
    """A C function that reads the arguments, makes the call and prints the result."""
    words = [f"self_{function.self}(c)"] if function.self else []
    words += [
        f"take_{item.type}(c, {index})" for index, item in enumerate(function.arguments)
    ]
    words += ["&c->host"] if function.host else []
    return (
        f"static void {function.owner}_{function.name}(call *c) {{\n"
        f"  put_{function.result}(c, {function.symbol}({', '.join(words)}));\n}}\n"
    )


def header(found: list[Function]) -> str:
    out = ["/* Made by interface.py from swig/polysock.i: not to be edited. */\n"]
    out += [_call(function) for function in found]
    out += ["static const struct operation calls[] = {"]
    for item in found:
        words = f'"{item.owner}", "{item.name}", {len(item.arguments)}'
        out += [f"    {{{words}, {item.owner}_{item.name}}},"]
    return "\n".join([*out, "};", ""])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: interface.py OUTPUT")
    Path(sys.argv[1]).write_text(header(list(functions().values())), encoding="utf-8")
