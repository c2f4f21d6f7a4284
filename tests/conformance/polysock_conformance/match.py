# SPDX-License-Identifier: MIT
"""What came back, and whether it is what the scenario says.

All leniency of the suite is in this file and each has its reason beside it; whatever is
not mentioned here is compared exactly. Nothing here talks to a testee or looks at a
clock.
"""

from __future__ import annotations

import fnmatch
import math
import random
import re
from dataclasses import dataclass, field

from . import interface
from .greeting import MISUSE
from .transcript import (
    AnyObject,
    Call,
    Expect,
    Expr,
    Fields,
    Hashed,
    Length,
    Like,
    Literal,
    Many,
    Numeral,
    Part,
    Pattern,
    Random,
    Repeat,
    Slot,
    Sum,
    Time,
    Typed,
    Var,
    Whatever,
)
from .values import (
    BYTES,
    EITHER,
    TEXT,
    Data,
    Obj,
    ProtocolError,
    Table,
    Tuple,
    Value,
    decode,
    digest,
    show,
    unescape,
)

# Methods of the testee itself: whether they are bytes, and the length of the tuple. An
# iterator raises what a tuple would tell.
OWN = {"tostring": (False, 0), "next": (True, 0)}

# What a compiler refuses cannot be called, so there is nothing to compare: it counts as
# any misuse, and a scenario in which nothing else is raised counts as skipped.
COMPILER = "compiler"


class Mismatch(Exception):
    """The answer is not the expected one; the text says what was expected and what
    came."""


@dataclass
class Env:
    """The variables of one run, and its source of randomness."""

    seed: str
    values: dict[str, Value] = field(default_factory=dict)
    drawn: int = 0

    def random(self, length: int) -> bytes:
        self.drawn += 1
        source = random.Random(f"{self.seed}/{self.drawn}")
        return source.getrandbits(8 * length).to_bytes(length, "little")


@dataclass
class Answer:
    """One answer in neutral form: what the language said, without its accent."""

    mark: str  # "=" values, "!" words and partial, "X" a raised error
    values: list[Value]
    cls: str = ""

    @property
    def timed_out(self) -> bool:
        words = self.values[0] if self.values else None
        return self.mark == "!" and isinstance(words, Data) and words.data == b"timeout"

    def show(self, brief: bool = True) -> str:
        parts = [show(value, brief) for value in self.values]
        return " ".join([self.mark + (f" {self.cls}" if self.cls else ""), *parts])


def shape_of(call: Call) -> tuple[bool, int | None]:
    """Whether the results of a call are bytes, and the length of its result tuple (0: a
    bare value); None when the interface does not know the function."""
    function = interface.find(call.slot, call.method)
    if call.method in OWN or function is None:
        return OWN.get(call.method, (False, None))
    return function.bytes, function.tuple


def read_answer(words: list[bytes], call: Call, tuples: bool) -> Answer:
    """The answer behind `ok …` or `error CLASS TEXT`."""
    if words[:1] == [b"error"] and len(words) in (2, 3):
        try:
            text = unescape(words[2][1:]) if len(words) == 3 else b""
        except KeyError:
            raise ProtocolError(f"cannot read {words[2][:60]!r}") from None
        return Answer("X", [Data(text, TEXT)], words[1].decode("utf-8", "replace"))
    if words[:1] != [b"ok"]:
        raise ProtocolError(f"neither ok nor error: {b' '.join(words)[:80]!r}")
    got = decode(words[1:])
    if isinstance(got, Tuple):
        values, length = got.items, len(got.items)
    else:
        values, length = got, 0
    wanted = shape_of(call)[1]
    if tuples and wanted is not None and length != wanted:
        # What cannot fail is bare, but a closed object may make it fail all the same.
        shape = "(" + ", ".join(show(value) for value in values) + ")"
        kind = f"a tuple of {wanted}" if wanted else "a bare value"
        raise Mismatch(f"{call.method} must return {kind}, not {shape}")
    while values and values[-1] is None:
        values = values[:-1]
    if values and values[0] is None:
        # nil and words; a longer tuple may keep several places free for values.
        while values[0] is None:
            values = values[1:]
        return Answer("!", values)
    return Answer("=", values)


# --- expressions ----------------------------------------------------------------------


def evaluate(expr: Expr, env: Env) -> Value:
    if isinstance(expr, Literal):
        return expr.value
    if isinstance(expr, Slot):
        return Obj(expr.name)
    if isinstance(expr, Var):
        if expr.name not in env.values:
            raise Mismatch(f"${expr.name} has no value yet")
        return env.values[expr.name]
    if isinstance(expr, Repeat):
        return Data(_data(expr.what, env) * _whole(expr.times, env))
    if isinstance(expr, Random):
        return Data(env.random(_whole(expr.length, env)))
    if isinstance(expr, Length):
        return len(_data(expr.what, env))
    if isinstance(expr, Numeral):
        return Data(str(_whole(expr.what, env)).encode())
    if isinstance(expr, Part):
        data = _data(expr.what, env)
        first = _whole(expr.first, env)
        last = len(data) if expr.last is None else _whole(expr.last, env)
        return Data(data[max(first - 1, 0) : max(last, 0)])
    if isinstance(expr, Sum):
        return _sum(expr, env)
    if isinstance(expr, Many):
        return [evaluate(_plain(item), env) for item in expr.items]
    return Table({name: evaluate(_plain(item), env) for name, item in expr.items})


def _plain(pattern: Pattern) -> Expr:
    if isinstance(pattern, (Typed, Like, Hashed, AnyObject, Whatever)):
        raise Mismatch("a pattern cannot be an argument")
    return pattern


def _data(expr: Expr, env: Env) -> bytes:
    value = evaluate(expr, env)
    if not isinstance(value, Data):
        raise Mismatch(f"{show(value)} should be text or bytes")
    return value.data


def _whole(expr: Expr, env: Env) -> int:
    value = evaluate(expr, env)
    if not isinstance(value, int):
        raise Mismatch(f"{show(value)} should be an integer")
    return value


def _sum(expr: Sum, env: Env) -> Value:
    terms = [(sign, evaluate(term, env)) for sign, term in expr.terms]
    if all(isinstance(value, Data) for _, value in terms):
        return Data(b"".join(value.data for _, value in terms if isinstance(value, Data)))
    total: int | float = 0
    for sign, value in terms:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Mismatch(f"{show(value)} cannot be added")
        total += sign * value
    return total


def argument(call: Call, index: int, env: Env) -> Value:
    """Argument number `index` (from 0) of a call, with its text or bytes decided."""
    function = interface.find(call.slot, call.method)
    known = function.arguments[index : index + 1] if function else ()
    kind = BYTES if known and known[0].bytes else TEXT
    return _settle(evaluate(call.args[index], env), kind)


def _settle(value: Value, kind: str) -> Value:
    if isinstance(value, Data):
        return value if value.kind else Data(value.data, kind)
    if isinstance(value, list):
        return [_settle(item, kind) for item in value]
    if isinstance(value, Table):
        return Table({name: _settle(item, kind) for name, item in value.fields.items()})
    return value


# --- comparing ------------------------------------------------------------------------


@dataclass
class Comparison:
    """How answers of one testee are compared."""

    env: Env
    loose: bool = False  # integers may come as floats or numerals
    misuse: frozenset[str] = MISUSE  # the classes of errors that are misuse

    def answer(self, expect: Expect, got: Answer, call: Call) -> None:
        """Raises Mismatch unless the answer is the expected one; keeps what is named."""
        try:
            if expect.mark in "XE":
                self._raised(expect, got)
                return
            if expect.mark != got.mark:
                raise Mismatch("")
            self._values(expect, got, call)
        except Mismatch as why:
            because = f" ({why})" if str(why) else ""
            raise Mismatch(f"got {got.show()}{because}") from None

    def _raised(self, expect: Expect, got: Answer) -> None:
        if got.mark != "X":
            raise Mismatch("")
        if got.cls == COMPILER and expect.mark == "X":
            return
        # A language with one class of errors cannot tell misuse from a raised failure.
        if (got.cls in self.misuse) != (expect.mark == "X") and got.cls != "error":
            raise Mismatch(f"{got.cls} is the wrong class")
        text = got.values[0]
        assert isinstance(text, Data)
        pattern = expect.values[0]
        if isinstance(pattern, (Typed, Like)):
            self.value(pattern, text, TEXT)
        elif _data(_plain(pattern), self.env) not in text.data:
            # A part, since languages put position and type around the words.
            raise Mismatch("")

    def _values(self, expect: Expect, got: Answer, call: Call) -> None:
        wanted = list(expect.values)
        open_end = bool(wanted) and isinstance(wanted[-1], Whatever)
        if open_end:
            wanted.pop()
        values = list(got.values)
        # Trailing nils do not count, on either side: Lua cannot tell, and Python's tuples
        # are checked for their length before.
        while len(values) < len(wanted):
            values.append(None)
        if len(values) > len(wanted) and not open_end:
            raise Mismatch("more values than expected")
        for index, (pattern, value) in enumerate(zip(wanted, values)):
            self.value(pattern, value, self.kind(got, call, index))

    @staticmethod
    def kind(got: Answer, call: Call, index: int) -> str:
        words = got.mark == "!" and index == 0
        return BYTES if shape_of(call)[0] and not words else TEXT

    def fits(self, expect: Expect, got: Answer, call: Call) -> list[bool]:
        """Which values are as expected, one by one: the others are what is wrong."""
        out = []
        if expect.mark != got.mark:
            return []
        for index, (pattern, value) in enumerate(zip(expect.values, got.values)):
            try:
                self.value(pattern, value, self.kind(got, call, index))
                out.append(True)
            except Mismatch:
                out.append(False)
        return out

    def value(self, pattern: Pattern, got: Value, kind: str) -> None:
        if isinstance(pattern, Typed):
            self._typed(pattern, got, kind)
        elif isinstance(pattern, Like):
            self._kind(got, kind)
            glob = re.sub(r"([\[\]?])", r"[\1]", pattern.glob.decode("latin-1"))
            text = got.data.decode("latin-1") if isinstance(got, Data) else None
            if text is None or not fnmatch.fnmatchcase(text, glob):
                raise Mismatch("")
        elif isinstance(pattern, Hashed):
            self._kind(got, kind)
            if not isinstance(got, Data) or (
                (len(got.data), digest(got.data)) != (pattern.length, pattern.sha)
            ):
                raise Mismatch("")
        elif isinstance(pattern, AnyObject):
            if not isinstance(got, Obj):
                raise Mismatch("")
        elif isinstance(pattern, Many):
            if not isinstance(got, list) or len(got) != len(pattern.items):
                raise Mismatch("")
            for item, found in zip(pattern.items, got):
                self.value(item, found, kind)
        elif isinstance(pattern, Fields):
            names = dict(pattern.items)
            if not isinstance(got, Table) or set(names) != set(got.fields):
                raise Mismatch("")
            for name, item in pattern.items:
                self.value(item, got.fields[name], kind)
        elif isinstance(pattern, Whatever):
            raise Mismatch("... in the wrong place")
        else:
            self._equal(evaluate(pattern, self.env), got, kind)

    def _equal(self, wanted: Value, got: Value, kind: str) -> None:
        if isinstance(wanted, Data):
            self._kind(got, wanted.kind or kind)
            if not isinstance(got, Data) or got.data != wanted.data:
                raise Mismatch(difference(wanted, got))
        elif isinstance(wanted, bool) or wanted is None or isinstance(wanted, Obj):
            if type(got) is not type(wanted) or got != wanted:
                raise Mismatch("")
        elif isinstance(wanted, int):
            if self._integer(got) != wanted:
                raise Mismatch("" if type(got) is int else "not an integer")
        elif isinstance(wanted, float):
            if isinstance(got, bool) or not isinstance(got, (int, float)):
                raise Mismatch("not a number")
            if got != wanted and not (math.isnan(wanted) and math.isnan(got)):
                raise Mismatch("")
        elif isinstance(wanted, list):
            if not isinstance(got, list) or len(got) != len(wanted):
                raise Mismatch("")
            for one, other in zip(wanted, got):
                self._equal(one, other, kind)
        elif isinstance(wanted, Table):
            if not isinstance(got, Table) or set(got.fields) != set(wanted.fields):
                raise Mismatch("")
            for name, value in wanted.fields.items():
                self._equal(value, got.fields[name], kind)

    def _kind(self, got: Value, kind: str) -> None:
        if isinstance(got, Data) and got.kind not in (kind, EITHER):
            raise Mismatch("bytes expected" if kind == BYTES else "text expected")

    def _integer(self, got: Value) -> int | None:
        if type(got) is int:
            return got
        if self.loose and isinstance(got, float) and got.is_integer():
            return int(got)
        if self.loose and isinstance(got, Data) and got.data.isdigit():
            return int(got.data)
        return None

    def _typed(self, pattern: Typed, got: Value, kind: str) -> None:
        measure: float | None = None
        if pattern.type == "integer":
            got = measure = self._integer(got)
            right = measure is not None
        elif pattern.type == "number":
            right = isinstance(got, (int, float)) and not isinstance(got, bool)
            measure = got if isinstance(got, (int, float)) else None
        elif pattern.type == "text":
            self._kind(got, kind)
            right = isinstance(got, Data)
            measure = len(got.data) if isinstance(got, Data) else None
        else:
            types = {"boolean": bool, "list": list, "table": Table, "any": object}
            right = isinstance(got, types[pattern.type])
            measure = len(got) if isinstance(got, list) else None
        if not right:
            raise Mismatch(f"not of the type {pattern.type}")
        if pattern.low is not None and (measure is None or measure < pattern.low):
            raise Mismatch("too small")
        if pattern.high is not None and (measure is None or measure > pattern.high):
            raise Mismatch("too large")
        if pattern.keep:
            # Kept without its kind: another testee may take it, as bytes or as text.
            self.env.values[pattern.keep] = (
                Data(got.data) if isinstance(got, Data) else got
            )


def difference(wanted: Data, got: Value) -> str:
    """Where long data begin to differ."""
    if not isinstance(got, Data) or max(len(got.data), len(wanted.data)) < 40:
        return ""
    pairs = zip(wanted.data, got.data)
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
    if at is None:
        return f"{len(got.data)} bytes instead of {len(wanted.data)}"
    return f"different from byte {at + 1} on"


def late(
    time: Time | None, elapsed: float, slack: float, early: float = 0.001
) -> str | None:
    """What is wrong with an elapsed time, or None. Early is a fault at once: the driver
    measures around the call, so it never sees less than the call took."""
    if time is None:
        return None
    seen = f"took {elapsed:.3f} s, expected {time.mark}{time.seconds:g}s"
    if time.mark in "~>" and elapsed < time.seconds - early:
        return "too early: " + seen
    if time.mark == "~" and elapsed > time.seconds * 1.2 + slack:
        return "too late: " + seen
    if time.mark == "<" and elapsed >= time.seconds:
        return "too late: " + seen
    return None
