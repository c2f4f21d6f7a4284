# SPDX-License-Identifier: MIT
"""Programs in C, Lua and Python that a test lets make calls, one by one.

They are the testees of the conformance suite, with what the tests here need besides: how
much memory, time, threads and descriptors they use, and limits that are set while they
run. Answers are those of Lua in each language, and all bytes and texts are latin-1.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, List, NamedTuple, Sequence

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "conformance"))

from polysock_conformance.testees import Spec, Testee  # noqa: E402
from polysock_conformance.values import (  # noqa: E402
    Data,
    Obj,
    Table,
    Tuple,
    Value,
    decode,
)

CONFORMANCE = ROOT / "tests" / "conformance"
C_TESTEE = os.environ.get("TESTEE_C", str(ROOT / "build" / "dev" / "tests" / "testee_c"))
LUA = os.environ.get("LUA", "lua5.4")

SPECS = {
    "c": Spec("c", [C_TESTEE]),
    "lua": Spec("lua", [LUA, str(CONFORMANCE / "testee.lua"), "polysock"]),
    "python": Spec("python", [sys.executable, str(CONFORMANCE / "testee.py")]),
}
LANGUAGES = tuple(SPECS)
LONG = 4096
PATIENCE = 60.0
"""Seconds after which a call that does not come back is a failure of the test."""


class Answer(NamedTuple):
    """What a call gave, as in Lua and without trailing nils; the seconds that it took."""

    values: List[Any]
    seconds: float

    @property
    def value(self) -> Any:
        """The first value; fails when the call did."""
        assert self.values and self.values[0] is not None, self.values
        return self.values[0]

    @property
    def error(self) -> str:
        """The words of the failure; fails when the call succeeded."""
        return str(self._failure()[0])

    @property
    def partial(self) -> Any:
        """What follows the words of the failure."""
        return [*self._failure(), ""][1]

    def _failure(self) -> List[Any]:
        assert len(self.values) > 1 and self.values[0] is None, self.values
        return self.values[1:] if self.values[1] is not None else self.values[-1:]


class Object(NamedTuple):
    """An object of a program, as an argument and in an answer."""

    name: str


def _write(value: Any) -> Value:
    if isinstance(value, bytes):
        return Data(value, "b")
    if isinstance(value, str):
        return Data(value.encode("latin-1"), "s")
    if isinstance(value, Object):
        return Obj(value.name)
    if isinstance(value, list):
        return [_write(item) for item in value]
    if isinstance(value, dict):
        return Table({name: _write(item) for name, item in value.items()})
    assert value is None or isinstance(value, (bool, int, float)), value
    return value


def _read(value: Value | Tuple) -> Any:
    if isinstance(value, Data):
        return value.data.decode("latin-1")
    if isinstance(value, Obj):
        return Object(value.name)
    if isinstance(value, Table):
        return {name: _read(item) for name, item in value.fields.items()}
    if isinstance(value, list):
        return [_read(item) for item in value]
    return value


class Program:
    """A running program. Objects are known by their names, as in `one.receive`."""

    def __init__(
        self, language: str, prefix: Sequence[str] = (), **environment: str
    ) -> None:
        spec = SPECS[language]
        self.language = language
        self.testee = Testee(
            replace(spec, argv=[*prefix, *spec.argv], env={**spec.env, **environment})
        )
        self.pid = self.testee.process.pid
        self.began: dict[str, float] = {}
        self.at_first = self.threads()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.testee.kill()

    # Calls

    def call(self, slot: str, method: str, *args: Any, into: str = "") -> Answer:
        """Makes a call, and gives its answer. A misuse fails the test."""
        words = self._words(args)
        began = self.testee.request("0", into or None, slot, method, words)
        return self._answer("0", began)

    def _words(self, args: Sequence[Any]) -> List[Value]:
        """Long arguments go ahead of a call, so that their time is not the call's."""
        words = []
        for number, item in enumerate(args):
            if isinstance(item, bytes) and len(item) > LONG:
                kept = f"kept{number}"
                self.testee.request("0", None, kept, "keep", [_write(item)])
                self.testee.answer("0", PATIENCE)
                item = Object(kept)
            words.append(_write(item))
        return words

    def start(self, tag: str, slot: str, method: str, *args: Any, into: str = "") -> None:
        """Begins a call in a thread of its own; back when it waits, or is over."""
        words = self._words(args)
        self.began[tag] = self.testee.request(tag, into or None, slot, method, words)
        self.testee.settle(tag)

    def collect(self, tag: str) -> Answer:
        return self._answer(tag, self.began.pop(tag))

    def _answer(self, tag: str, began: float) -> Answer:
        words, came = self.testee.answer(tag, PATIENCE)
        assert words[0] == b"ok", b" ".join(words).decode("latin-1")
        found = decode(words[1:])
        items = found.items if isinstance(found, Tuple) else found
        values = [_read(item) for item in items]
        while values and values[-1] is None:
            values.pop()
        return Answer(values, came - began)

    @property
    def has_threads(self) -> bool:
        return "threads" in self.testee.greeting.flags

    def quit(self) -> None:
        """Closes all objects, and checks that no descriptor is left; ends the program."""
        assert self.testee.reset(PATIENCE) is None
        assert self.testee.quit() is None

    # What it uses

    def _status(self, word: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(word + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {word}")

    def memory(self) -> int:
        """Bytes of memory that it uses."""
        return self._status("VmRSS") << 10

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak(self) -> int:
        """The most bytes of memory that it has used since forget_peak."""
        return self._status("VmHWM") << 10

    def size(self) -> int:
        """Bytes of its address space, which RLIMIT_AS limits."""
        return self._status("VmSize") << 10

    def threads(self) -> int:
        return self._status("Threads")

    def helpers(self) -> int:
        """Threads beyond those that it had when it started."""
        return self.threads() - self.at_first

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def seconds(self) -> float:
        """Seconds of processor time that it has used."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def limit(self, which: int, soft: int) -> None:
        """Sets a limit, such as resource.RLIMIT_AS; -1: as high as may be."""
        hard = resource.prlimit(self.pid, which)[1]
        resource.prlimit(self.pid, which, (hard if soft < 0 else soft, hard))

    def limit_descriptors(self, spare: int) -> None:
        """Lets it open so many descriptors more; -1: as many as may be."""
        if spare < 0:
            self.limit(resource.RLIMIT_NOFILE, -1)
            return
        taken = {int(name) for name in os.listdir(f"/proc/{self.pid}/fd")}
        number = 0
        while number in taken or spare > 0:
            spare -= number not in taken
            number += 1
        self.limit(resource.RLIMIT_NOFILE, number)


def until(condition: Any, seconds: float = PATIENCE) -> None:
    """Waits until a condition holds; fails when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.005)
