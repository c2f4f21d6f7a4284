#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the library offers, read from its interface: each function with the kind of its
result and the types of its arguments.

Two things are made from it, so that a new function of a known kind needs no line
elsewhere: the table that the suite takes its knowledge from (interface.json) and the
calls of the testee for C (testee_calls.h). It reads prototypes and nothing else.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
INTERFACE = HERE.parents[1] / "swig/polysock.i"
TABLE = HERE / "polysock_conformance/data/interface.json"

# Types of arguments that are bytes. All other text is text; only languages that tell the
# two apart notice.
BYTES_TYPES = ("ps_data", "ps_prefix")

# Kinds of results: the fixed length of the tuple in languages with result tuples (0 is a
# bare value), and which of them are bytes.
BYTES_KINDS = ("ps_bytes",)
SHAPES = {
    **dict.fromkeys(("ps_done", "ps_object", "ps_value", "ps_detached"), 2),
    **dict.fromkeys(("ps_hostname", "ps_addresses", "ps_limits"), 2),
    **dict.fromkeys(("ps_pollerobject", "ps_polled"), 2),
    **dict.fromkeys(("ps_bytes", "ps_sent", "ps_filled", "ps_address"), 3),
    **dict.fromkeys(("ps_ready", "ps_stats", "ps_resolved", "ps_names"), 3),
    **dict.fromkeys(("ps_always", "ps_nothing", "ps_lines", "ps_left", "ps_yes"), 0),
    **dict.fromkeys(("ps_size", "ps_fd", "ps_text", "ps_seconds", "ps_wants"), 0),
}
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


def check(found: list[Function]) -> None:
    """A scenario does not say of which class an object is, so methods of one name must
    be of one kind; and each kind needs a shape."""
    methods: dict[str, Function] = {}
    for item in found:
        if item.result not in SHAPES:
            raise SystemExit(f"{item.symbol}: SHAPES does not have {item.result}")
        other = methods.setdefault(item.name, item) if item.of_object else item
        if (other.result, other.arguments) != (item.result, item.arguments):
            raise SystemExit(f"{item.symbol} is of another kind than {other.symbol}")


# --- for the suite --------------------------------------------------------------------


def table(found: list[Function]) -> str:
    """interface.json: a line for each function."""
    rows = []
    for item in found:
        names = [argument.name for argument in item.arguments]
        data = [arg.name for arg in item.arguments if arg.type in BYTES_TYPES]
        owner = {"ps_socket": "object", "ps_poller": "poller"}.get(item.owner, item.owner)
        row: dict[str, object] = {"owner": owner, "name": item.name, "arguments": names}
        row["tuple"] = SHAPES[item.result]
        if item.result in BYTES_KINDS:
            row["bytes"] = True
        if data:
            row["bytes_arguments"] = data
        rows.append("    " + json.dumps(row))
    lines = ["{", '  "format": 1,', '  "functions": [', ",\n".join(rows), "  ]", "}", ""]
    return "\n".join(lines)


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compares the table only")
    parser.add_argument(
        "--calls", type=Path, metavar="FILE", help="writes the calls in C"
    )
    chosen = parser.parse_args()
    found = parse(INTERFACE.read_text(encoding="utf-8"))
    check(found)
    if chosen.calls:
        chosen.calls.write_text(header(found), encoding="utf-8")
    elif not chosen.check:
        TABLE.write_text(table(found), encoding="utf-8")
    elif TABLE.read_text(encoding="utf-8") != table(found):
        print(f"{TABLE.name} is not that of {INTERFACE.name}: make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
