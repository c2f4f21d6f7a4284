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
_NOISE = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"')
_CLASS = re.compile(r"%extend\s+(\w+)\s*\{")
_RENAMED = re.compile(r"%rename\((\w+)\)\s+(\w+)\s*;")
_PROTOTYPE = re.compile(r"(?:^|[;{}]|\s)(ps_\w+)\s+(\w+)\(([^()]*)\)\s*;")


@dataclass(frozen=True)
class Argument:
    type: str
    name: str


@dataclass(frozen=True)
class Function:
    owner: str  # "mod", "dns", or the type of the object
    name: str  # as scenarios call it
    symbol: str  # as C calls it
    result: str  # its kind
    arguments: tuple[Argument, ...]  # without the object and the host
    host: bool = False

    @property
    def of_object(self) -> bool:
        return self.owner not in ("mod", "dns")


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
    names = {symbol: name for name, symbol in _RENAMED.findall(text)}
    out = []
    for hit in _PROTOTYPE.finditer(text):
        result, name = hit[1], hit[2]
        arguments = _arguments(hit[3])
        plain = tuple(item for item in arguments if item.type != "ps_host *")
        host = len(plain) < len(arguments)
        owners = [kind for begin, end, kind in classes if begin <= hit.start() < end]
        if owners:
            symbol = f"{owners[0]}_{name}"
            function = Function(owners[0], name, symbol, result, plain, host)
        else:
            bare = name.removeprefix("ps_")
            owner = "dns" if bare.startswith("dns_") else "mod"
            bare = names.get(name, bare.removeprefix("dns_"))
            function = Function(owner, bare, name, result, plain, host)
        out.append(function)
    return out


@cache
def functions() -> dict[tuple[str, str], Function]:
    """All functions by owner and name."""
    found = parse(INTERFACE.read_text(encoding="utf-8"))
    return {(item.owner, item.name): item for item in found}


@cache
def methods() -> dict[str, Function]:
    """All methods by name. A scenario does not say of which class an object is, and need
    not: classes that share a name give it one kind of result and the same arguments."""
    out: dict[str, Function] = {}
    for item in functions().values():
        if item.of_object:
            other = out.setdefault(item.name, item)
            if (other.result, other.arguments) != (item.result, item.arguments):
                raise ValueError(f"{item.symbol} is of another kind than {other.symbol}")
    return out


def find(slot: str, method: str) -> Function | None:
    """The function that a step of a scenario calls, if it is one of the library's."""
    if slot in ("mod", "dns"):
        return functions().get((slot, method))
    return methods().get(method)


# --- for the testee of C --------------------------------------------------------------


def _call(function: Function) -> str:
    """A C function that reads the arguments, makes the call and prints the result."""
    words = [f"self_{function.owner}(c)"] if function.of_object else []
    for index, item in enumerate(function.arguments):
        words += [f"take_{item.type.replace(' *', '_pointer')}(c, {index})"]
    words += ["&c->host"] if function.host else []
    return (
        f"static void play_{function.symbol}(call *c) {{\n"
        f"  put_{function.result}(c, {function.symbol}({', '.join(words)}));\n}}\n"
    )


def header(found: list[Function]) -> str:
    out = ["/* Made by interface.py from swig/polysock.i: not to be edited. */\n"]
    out += [_call(function) for function in found]
    out += ["static const struct operation calls[] = {"]
    for item in found:
        words = f'"{item.owner}", "{item.name}", {len(item.arguments)}'
        out += [f"    {{{words}, play_{item.symbol}}},"]
    return "\n".join([*out, "};", ""])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: interface.py OUTPUT")
    Path(sys.argv[1]).write_text(header(list(functions().values())), encoding="utf-8")
