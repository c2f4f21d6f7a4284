# SPDX-License-Identifier: MIT
"""The values that scenarios, the driver and the testees have in common.

Here is how a value looks on the line between driver and testee (`encode`, `decode`) and
how it looks to a person (`show`). Nothing here knows what a call means, and nothing is
ever rounded, trimmed or made equal: that is for match.py, where it can be seen.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

TEXT, BYTES, EITHER = "s", "b", "a"
DEEPEST = 20  # lists within lists


@dataclass(frozen=True)
class Data:
    """Text or bytes; `kind` is TEXT, BYTES, EITHER (a language with one string type) or
    "" where the scenario leaves it to the operation."""

    data: bytes
    kind: str = ""


@dataclass(frozen=True)
class Obj:
    """An object of the testee, by the name of its slot; "" when it was not kept."""

    name: str


@dataclass(frozen=True)
class Table:
    """A table with named fields, in no particular order."""

    fields: dict[str, Value]

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.fields)))


# Evaluated at run time, where Python 3.9 has no `X | Y` yet.
Value = Union[None, bool, int, float, Data, Obj, Table, list["Value"]]


class ProtocolError(Exception):
    """The testee said something that is not in the protocol."""


_UNPLAIN = re.compile(rb"[^!-$&-~]")
_WRITTEN = {bytes([byte]): b"%%%02X" % byte for byte in range(256)}
_READ = {b"%02X" % byte: bytes([byte]) for byte in range(256)}


def escape(data: bytes) -> bytes:
    return _UNPLAIN.sub(lambda hit: _WRITTEN[hit[0]], data)


def unescape(data: bytes) -> bytes:
    first, *rest = data.split(b"%")
    return b"".join([first, *[_READ[part[:2].upper()] + part[2:] for part in rest]])


def encode(value: Value) -> bytes:
    """One value as the testee reads it: a letter for the type, then the value."""
    if value is None:
        return b"n"
    if value is True:
        return b"t"
    if value is False:
        return b"f"
    if isinstance(value, int):
        return b"i%d" % value
    if isinstance(value, float):
        if math.isinf(value):  # every strtod reads this, and not every one "inf"
            return b"d1e999" if value > 0 else b"d-1e999"
        return b"d" + repr(value).encode()
    if isinstance(value, Data):
        return (value.kind or TEXT).encode() + escape(value.data)
    if isinstance(value, Obj):
        return b"o" + value.name.encode()
    if isinstance(value, Table):
        inner = b"".join(
            b"s%s %s " % (escape(name.encode()), encode(item))
            for name, item in value.fields.items()
        )
        return b"{ " + inner + b"}"
    return b"[ " + b"".join(encode(item) + b" " for item in value) + b"]"


@dataclass
class Tuple:
    """What a language with fixed result tuples returned, before it is unpacked."""

    items: list[Value]


def decode(words: list[bytes]) -> list[Value] | Tuple:
    """The values of one answer; a lone `( … )` is a tuple, kept apart for its length."""
    rest = iter(words)
    if words and words[0] == b"(":
        next(rest)
        items = _sequence(rest, b")")
        if next(rest, None) is not None:
            raise ProtocolError("values after the result tuple")
        return Tuple(items)
    return [_value(word, rest) for word in rest]


def _sequence(rest: Iterator[bytes], end: bytes, depth: int = 0) -> list[Value]:
    if depth == DEEPEST:
        raise ProtocolError(f"more than {DEEPEST} lists within lists")
    items: list[Value] = []
    for word in rest:
        if word == end:
            return items
        items.append(_value(word, rest, depth + 1))
    raise ProtocolError(f"no {end.decode()} in the answer")


def _value(word: bytes, rest: Iterator[bytes], depth: int = 0) -> Value:
    mark, body = word[:1], word[1:]
    try:
        if mark == b"n":
            return None
        if mark in (b"t", b"f"):
            return mark == b"t"
        if mark == b"i":
            return int(body)
        if mark == b"d":
            return float(body)
        if mark in (b"s", b"b", b"a"):
            return Data(unescape(body), mark.decode())
        if mark == b"o":
            return Obj(body.decode())
        if mark == b"[":
            return _sequence(rest, b"]", depth)
        if mark == b"(":  # a tuple inside of something is as good as a list
            return _sequence(rest, b")", depth)
        if mark == b"{":
            flat = _sequence(rest, b"}", depth)
            names = [item.data.decode() for item in flat[::2] if isinstance(item, Data)]
            return Table(dict(zip(names, flat[1::2])))
    except (ValueError, KeyError):
        pass
    raise ProtocolError(f"cannot read {word[:60]!r}")


_ESCAPES = {0: "\\0", 9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\"}
LONG = 120


def quote(data: bytes) -> str:
    """Bytes as a scenario writes them, all of them."""
    out = []
    for index, byte in enumerate(data):
        if byte == 0 and data[index + 1 : index + 2].isdigit():
            out.append("\\x00")
        elif byte in _ESCAPES:
            out.append(_ESCAPES[byte])
        else:
            out.append(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")
    return '"' + "".join(out) + '"'


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


def show(value: Value, brief: bool = True) -> str:
    """A value for a person. Long data are cut for the report (`brief`), and otherwise
    become a pattern that a scenario can hold."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Data):
        data = value.data
        if len(data) <= LONG:
            return quote(data)
        if brief:
            return f"{quote(data[:24])}… ({len(data)} bytes, sha256 {digest(data)})"
        return f"<bytes {len(data)} sha256:{digest(data)}>"
    if isinstance(value, Obj):
        return value.name or "object"
    if isinstance(value, Table):
        fields = sorted(value.fields.items())
        return "{" + " ".join(f"{k}={show(v, brief)}" for k, v in fields) + "}"
    return "[" + " ".join(show(item, brief) for item in value) + "]"
