#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Differential exploration: dialogues that nobody thought of, the same for every testee.

Hypothesis makes up calls and deeds of the peer, the engine plays them, and every answer
must be the same in C, Lua, Python and, where it offers the call, LuaSocket. What differs
is shrunk and printed as a transcript. Timing never decides: what the peer does is done
before the call that sees it, or the call waits long enough for all of it.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from polysock_conformance.data import SCENARIOS
from polysock_conformance.engine import Options, Seen, play
from polysock_conformance.match import COMPILER, Env, argument, evaluate
from polysock_conformance.testees import Pool, TesteeError
from polysock_conformance.transcript import (
    Call,
    Collect,
    Literal,
    PeerStep,
    Repeat,
    Scenario,
    ScenarioError,
    Var,
    parse,
)
from polysock_conformance.values import (
    BYTES,
    EITHER,
    TEXT,
    Data,
    Table,
    Value,
    quote,
    show,
)
from run import specs, testee_arguments

FOUND = SCENARIOS / "found"
LOOSE = "luasocket"
LATE = 0.6  # no generated call waits for so long
SHORT = "0.02"
READS = ("receive", "receiveany", "receiveuntil", "next")

# ---- Deviations of LuaSocket ---------------------------------------------------------
#
# The only place. Each says which answers it is about and exactly what LuaSocket gives in
# place of ours; an answer that is neither the same nor this is a failure.


@dataclass
class Answered:
    """One answer of a dialogue, as the deviations see it."""

    method: str
    ours: str
    theirs: str
    closed: bool  # the object was closed before


@dataclass
class Deviation:
    reason: str
    methods: tuple[str, ...]
    theirs: str  # a pattern of their answer
    ours: str = ".*"
    closed: bool | None = None
    same: Callable[[Answered], bool] | None = None  # what no pattern can say
    seen: int = 0

    def covers(self, item: Answered) -> bool:
        return (
            item.method in self.methods
            and self.closed in (None, item.closed)
            and (self.same is None or self.same(item))
            and re.fullmatch(self.ours, item.ours, re.S) is not None
            and re.fullmatch(self.theirs, item.theirs, re.S) is not None
        )


def reordered(item: Answered) -> bool:
    ours, theirs = re.findall(r"\[.*?\]", item.ours), re.findall(r"\[.*?\]", item.theirs)
    return [sorted(re.findall(r"\w+", part)) for part in ours] == [
        sorted(re.findall(r"\w+", part)) for part in theirs
    ]


DEVIATIONS = [
    Deviation(
        "returns them in the order of their descriptors, buffered ones first",
        ("select",),
        "= .*",
        "= .*",
        same=reordered,
    ),
    Deviation(
        "tells the system's trouble with descriptor -1",
        ("getsockname", "getpeername"),
        '! "Bad file descriptor"',
        '! "closed"',
        True,
    ),
    Deviation(
        "tells only that the call failed",
        ("setoption", "getoption"),
        '! "[gs]etsockopt failed"',
        '! "closed"',
        True,
    ),
    Deviation(
        "keeps its read buffer beyond close", ("dirty",), "= true", "= false", True
    ),
    Deviation(
        "keeps its read buffer beyond close",
        ("receive",),
        '(=|! "(closed|timeout)") .*',
        '! "closed" .*',
        True,
    ),
    Deviation("keeps stats for clients only", ("getstats",), "X calling.*", "= 0 0 #"),
    Deviation(
        "asks the system, which says yes the first time, or what is wrong by then",
        ("connect",),
        '= 1|! "closed"',
        '! "already connected"',
        False,
    ),
    Deviation(
        "has other words for misuse",
        ("receive", "send", "settimeout", "setoption", "getoption", "shutdown", "accept"),
        "X.*",
        "X.*",
    ),
    Deviation(
        "counts otherwise what was sent on a closed object, or says that all was",
        ("send",),
        '= \\d+|! "closed" \\d+',
        '! "closed" \\d+',
    ),
]

# ---- What is generated ---------------------------------------------------------------

# Bytes in which CR, LF, NUL and parts of delimiters are frequent.
PIECES = ("a", "\n", "\r", "\r\n", "-", "=", "-=", "--", "b", "\0", "\xff", "\r\r", "abc")
LARGE = (
    'repeat("a",9000)',
    'repeat("b\\r\\n",7000)',
    'repeat("\\r",5000)',
    'repeat("-",20000)',
    'repeat("c",70000)',
    'repeat("d",300000)',
)
HUGE = "9223372036854775807"
PATTERNS = (
    *('"*l"', '"*a"', "1", "3", "7", '"*L"', "0", '"l"', '"L"', '"a"', "20000", "5.0"),
    HUGE,
)
COMMON_PATTERNS = ('"*l"', '"*a"', "1", "3", "7", "20000")
DELIMITERS = ('"-="', '"-"', '"--="', '"--"', '"=-="', '"---="', '"\\n"', '"\\r\\n"')
WRONG = (
    'c receive "*x"',
    "c receive -1",
    "c receive 2.5",
    "c receive true",
    'c receive "*l" "abc" 2',
    "c receive 5 nil 4",
    'c receiveuntil ""',
    "c receiveany 0",
    'c settimeout 0 "x"',
    'c settimeout "x"',
    "c settimeout nan",
    'c shutdown "x"',
    'c setoption "no-such" true',
    'c getoption "no-such"',
    'c setoption "keepalive" 1',
    'c setoption "tcp-nodelay" "on"',
    'c setoption "error" true',
    "c accept",
    "c listen",
    'c bind "127.0.0.1" 0',
    "m receive",
    'm send "abc"',
    "m accept",
    "m shutdown",
    "m lines",
    "c setdeadline nan",
    "c connect $host 70000",
    "c lines 2.5",
)
COMMON_WRONG = (
    'c receive "*x"',
    'c settimeout 0 "x"',
    'c shutdown "x"',
    'c setoption "no-such" true',
    'c getoption "no-such"',
    "c accept",
    "m receive",
    'm send "abc"',
    "m accept",
)
ASKED = (
    "c dirty",
    "c getstats",
    "c gettimeout",
    "c getpeername",
    "c getsockname",
    "c getfamily",
    "c getfd",
    "c tostring",
    'c getoption "keepalive"',
    'c getoption "tcp-nodelay"',
    'c getoption "linger"',
    'c getoption "reuseaddr"',
    "mod select [c] [] 0",
    "mod select [c m] [c] 0",
    "mod select nil [c] 0",
    f"mod select [c] nil {SHORT}",
    "c connect $host $port",
    "m getstats",
    "m getsockname",
    "m dirty",
)
ASKED_OURS = (
    "c pending",
    "c getdeadline",
    'c getoption "error"',
    'c getoption "tcp-user-timeout"',
    'c getoption "bindtodevice"',
    "m getpeername",
    "m pending",
)
SET = (
    'c setoption "keepalive" true',
    'c setoption "keepalive" false',
    'c setoption "tcp-nodelay" true',
    'c setoption "linger" {on=true timeout=3}',
    'c setoption "linger" {on=false timeout=0}',
    'c setoption "reuseaddr" true',
)
SET_OURS = (
    "c setstats 5",
    "c setstats nil 7",
    'c setoption "tcp-user-timeout" 1.5',
    'c setoption "tcp-keepidle" 30',
    'c setoption "linger" {on=true timeout=0.5}',
    'c setoption "linger" {on=true timeout=1e10}',
    'c setoption "tcp-user-timeout" 1e300',
    'c setoption "tcp-user-timeout" -1',
    'c setoption "tcp-keepidle" 4294967297',
    'c setoption "tcp-keepidle" 1e300',
    'c setoption "tcp-keepcnt" 9.0',
    'c setoption "linger" {on=true timeout=true}',
    'c setoption "linger" {timeout=1}',
    "c setstats 9007199254740993",
    "c setdeadline inf",
)
SENT = ('"hello"', '""', '"a\\r\\n\\0b"', 'repeat("xyz",9000)')

Op = tuple[str, ...]


def data() -> st.SearchStrategy[str]:
    small = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(
        lambda parts: quote("".join(parts).encode("latin-1"))
    )
    return st.one_of(small, small, small, small, st.sampled_from(LARGE))


def dialogues(common: bool) -> st.SearchStrategy[list[Op]]:
    """Lists of operations, each on its own so that any of them can be left out."""
    pick = st.sampled_from
    pattern = pick(COMMON_PATTERNS if common else PATTERNS)
    prefix = pick(("", "$last", "$last", '"xy"', '"-"', '"a\\r"', '"--"'))
    size = pick(("", "")) if common else pick(("", "", "", "1", "2", "5", "9000", HUGE))
    receive = st.tuples(st.just("receive"), pattern, prefix, size)
    until = st.tuples(st.just("until"), pick(DELIMITERS), prefix, size)
    extremes = () if common else (HUGE, "-" + HUGE, "2.0")
    send = st.tuples(
        st.just("send"),
        pick(SENT),
        pick(("", "", "2", "-3", "0", "9", *extremes)),
        pick(("", "", "3", "-2", "0", *extremes)),
    )
    peer = st.tuples(st.just("peer"), data())
    limit = st.tuples(
        st.just("limit"), pick(("0", SHORT, "-1", "nil")), pick(("", '"b"', '"t"'))
    )
    pieces = st.lists(data(), min_size=1, max_size=3).map(" ".join)
    until_what = st.just("") if common else st.one_of(st.just(""), pick(DELIMITERS))
    late = st.tuples(st.just("late"), pattern, prefix, pieces, until_what)
    asked = pick(ASKED if common else ASKED + ASKED_OURS)
    sets = pick(SET if common else SET + SET_OURS)
    wrong = pick(COMMON_WRONG if common else WRONG)
    end = pick((("end", "peer shutdown"), ("end", "peer reset"), ("end", "c close"),
                ("end", 'c shutdown "send"'), ("end", 'c shutdown "receive"'),
                ("end", "c shutdown"), ("end", "c close")))  # fmt: skip
    said = st.tuples(st.just("said"), data(), pattern, prefix, size)
    some = [said, said, said, said, receive, receive, peer, peer, limit, late, send]
    some += [st.tuples(st.just("call"), item) for item in (asked, asked, sets, wrong)]
    if not common:
        any_of = st.tuples(st.just("any"), pick(("", "1", "3", "100000")))
        lines = st.tuples(st.just("lines"), pick(("", '"*L"', "2", '"*l"', '"*a"')))
        following = st.just(("next",))
        deadline = st.tuples(st.just("deadline"), pick(("nil", "0", "50", SHORT)))
        asked_for = st.tuples(st.just("parted"), data(), pick(DELIMITERS), prefix, size)
        some += [asked_for, asked_for, until, until, any_of, deadline]
        some += [lines, following, following]
    return st.lists(st.one_of(*some, end), min_size=1, max_size=20)


# ---- From operations to a transcript -------------------------------------------------


@dataclass
class Dialogue:
    lines: list[str] = field(default_factory=list)
    text: str = ""
    drained: bool = False  # it ends with everything read


class Writer:
    """Writes the lines of a dialogue; leaves out what would hang or has no meaning."""

    def __init__(self, accepted: bool, common: bool) -> None:
        self.common = common
        self.lines = ['let $last = ""', "m tcp4"]
        if accepted:
            self.lines += ["s tcp4", 's bind "127.0.0.1" 0', "s listen", "s getsockname"]
            self.lines += ['peer connect "127.0.0.1" $bound', "s accept -> c"]
        else:
            self.lines += ["peer listen", "c tcp", "c connect $host $port", "peer accept"]
        self.lines.append("c settimeout 0")
        self.limits = {"b": 0.0, "t": -1.0}
        self.deadline = False
        self.ended = False  # the peer sends no more
        self.gone = False  # the peer has no connection any more
        self.closed = False
        self.shut: set[str] = set()
        self.lined = False
        # What is in the read buffer, and what still in the system, is nobody's business
        # when much comes or when it comes while a call waits.
        self.blurred = False

    def put(self, line: str) -> None:
        self.lines.append(re.sub(" +", " ", line).rstrip())

    def write(self, op: Op) -> None:
        kind, *rest = op
        getattr(self, f"write_{kind}")(*rest)

    def write_receive(self, pattern: str, prefix: str, size: str) -> None:
        self.put(f"c receive {pattern} {prefix or ('nil' if size else '')} {size}")

    def write_said(self, text: str, pattern: str, prefix: str, size: str) -> None:
        self.write_peer(text)
        self.write_receive(pattern, prefix, size)

    def write_parted(self, text: str, delimiter: str, prefix: str, size: str) -> None:
        self.write_peer(text)
        self.write_until(delimiter, prefix, size)

    def write_until(self, delimiter: str, prefix: str, size: str) -> None:
        self.put(f"c receiveuntil {delimiter} {prefix or ('nil' if size else '')} {size}")

    def write_any(self, size: str) -> None:
        if not self.blurred:
            self.put(f"c receiveany {size}")

    def write_lines(self, pattern: str) -> None:
        if not self.closed:
            self.put(f"c lines {pattern} -> it")
            self.lined = True

    def write_next(self) -> None:
        if self.lined:
            self.put("it next")

    def write_send(self, text: str, i: str, j: str) -> None:
        self.put(f"c send {text} {i or ('1' if j else '')} {j}")

    def write_peer(self, text: str) -> None:
        if self.deadline and "repeat" in text:
            return
        if not self.ended and not self.closed and not self.shut & {"receive", "both"}:
            self.put(f"peer send {text}")
            self.blurred = self.blurred or "repeat" in text

    def write_limit(self, value: str, mode: str) -> None:
        key = "t" if "t" in mode else "b"
        number = float(value) if value != "nil" else -1.0
        other = self.limits["b" if key == "t" else "t"]
        if number < 0 and other < 0:
            return
        self.limits[key] = number
        self.put(f"c settimeout {value} {mode}")

    def write_deadline(self, value: str) -> None:
        # When it has passed, a call ends after one read of whatever size.
        if self.blurred and value in ("0", SHORT):
            return
        self.deadline = value != "nil"
        self.put(f"c setdeadline {value}")

    def write_late(self, pattern: str, prefix: str, pieces: str, until: str) -> None:
        """The call waits, and what it waits for comes in fragments. Its limit is such
        that it sees all of them."""
        if self.ended or self.closed or self.shut:
            return
        self.put('c settimeout 0.3 "b"')
        self.put('c settimeout -1 "t"')
        if self.deadline:
            self.put("c setdeadline nil")
        self.deadline = False
        self.blurred = True
        self.limits = {"b": 0.3, "t": -1.0}
        if until:
            self.put(f"start r c receiveuntil {until} {prefix}")
        else:
            self.put(f"start r c receive {pattern} {prefix}")
        for piece in pieces.split(" "):
            self.put(f"peer send {piece}")
        self.put('peer send "\\n--=-="')
        if pattern == '"*a"' and not until:
            self.write_end("peer shutdown")
        self.put("collect r")

    def write_call(self, line: str) -> None:
        if "connect" in line and (self.closed or self.gone) and self.common:
            return  # what LuaSocket makes of it then has no end
        if self.blurred and ("dirty" in line or "pending" in line):
            return
        self.put(line)

    def write_end(self, line: str) -> None:
        if line.startswith("peer"):
            if self.ended or self.closed:
                return
            # A reset drops what the system had no room for, and it decides on the room.
            if self.blurred and line == "peer reset":
                return
            self.ended = True
            self.gone = line == "peer reset"
        elif line == "c close":
            self.closed = True
        else:
            self.shut.add("send" if "send" in line else "receive" if "rec" in line
                          else "both")  # fmt: skip
        self.put(line)

    def finish(self, drain: bool) -> Dialogue:
        """With drain what is left is read to the end, so that every byte can be accounted
        for."""
        whole = not self.closed and not self.gone and not self.shut & {"receive", "both"}
        whole = whole and drain
        if whole:
            self.write_end("peer shutdown")
            self.put('c settimeout 0 "b"')
            self.put('c settimeout -1 "t"')
            if self.deadline:
                self.put("c setdeadline nil")
            self.put('c receive "*a"')
            self.put("c getstats")
            if not self.shut:
                self.put('c shutdown "send"')
            self.put("peer read all -> $got")
        self.put("c close")
        self.put("c dirty")
        return Dialogue(self.lines, drained=whole)


def expected(line: str, what: str = "= ...") -> str:
    """A line with an expectation, in its place before an arrow."""
    if line.startswith(("peer", "start", "let")):
        return line
    if " -> " in line:
        call, _, slot = line.partition(" -> ")
        return f"{call} = object -> {slot}" if what == "= ..." else f"{call} {what}"
    if re.fullmatch(r"\w+ tcp4?", line) and what == "= ...":
        return f"{line} = object"
    return f"{line} {what}"


def scenario_of(lines: list[str]) -> Scenario:
    text = "# Found by exploration.\n" + "\n".join(expected(line) for line in lines)
    return parse(text, "found/explored")


# ---- Playing and comparing -----------------------------------------------------------

MASKS = {
    "getfd": [re.compile(r"\d+")],
    "tostring": [re.compile(r"0x[0-9a-f]+")],
    "getsockname": [re.compile(r"(?<=\" )\"?\d+\"?")],
    "getpeername": [re.compile(r"(?<=\" )\"?\d+\"?")],
    "getdeadline": [re.compile(r"[\d.e-]+")],
    "getstats": [re.compile(r"(?<= )[\d.e-]+$")],  # the age
}


def call_of(seen: Seen) -> Call:
    call = seen.step.started.what if isinstance(seen.step, Collect) else seen.step
    assert isinstance(call, Call)
    return call


def plain(value: Value, loose: bool) -> Value:
    """A value without what languages may differ in."""
    if loose and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Data):
        return Data(value.data)
    if isinstance(value, list):
        return [plain(item, loose) for item in value]
    if isinstance(value, Table):
        return Table({name: plain(item, loose) for name, item in value.fields.items()})
    return value


def neutral(seen: Seen, loose: bool) -> str:
    """An answer as it must be everywhere."""
    answer, method = seen.answer, call_of(seen).method
    if answer.mark == "X":
        text = answer.values[0]
        assert isinstance(text, Data)
        if answer.cls == COMPILER:
            return "X"
        words = text.data.decode("utf-8", "replace")
        if method == "next":
            return f'E "{words.rpartition(": ")[2]}"'
        hit = re.search(r"(bad argument|calling) .*", words, re.S)
        return "X " + (hit[0] if hit else words)
    values = [show(plain(value, loose)) for value in answer.values]
    text_ = " ".join([answer.mark, *values])
    for mask in MASKS.get(method, []):
        text_ = mask.sub("#", text_)
    wrong = kind_fault(seen)
    return text_ + (f" ({wrong})" if wrong else "")


def kind_fault(seen: Seen) -> str:
    """Bytes and text must not be mixed up in a language that tells them apart."""
    call, answer = call_of(seen), seen.answer
    for index, value in enumerate(answer.values):
        if isinstance(value, Data) and value.kind != EITHER:
            words = answer.mark == "!" and index == 0
            wanted = BYTES if call.method in READS and not words else TEXT
            if value.kind != wanted:
                return "bytes and text mixed up"
    return ""


@dataclass
class Played:
    """What one testee made of a dialogue. It hears every answer (Options.heard)."""

    early: float  # seconds that a timeout may come too early
    answers: list[str] = field(default_factory=list)
    loosely: list[str] = field(default_factory=list)  # the same, numbers as one kind
    faults: list[str] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    lasts: list[bytes] = field(default_factory=list)  # what $last was at each answer
    taken: bytearray = field(default_factory=bytearray)
    limits: dict[str, float] = field(default_factory=dict)
    env: Env | None = None

    def heard(self, seen: Seen, env: Env) -> None:
        call, last = call_of(seen), env.values.get("last")
        self.env = env
        self.seen.append(seen)
        self.answers.append(neutral(seen, False))
        self.loosely.append(neutral(seen, True))
        self.lasts.append(last.data if isinstance(last, Data) else b"")
        values = seen.answer.values
        if call.method == "getsockname" and call.slot == "s" and len(values) > 1:
            port = values[1]
            env.values["bound"] = int(port.data) if isinstance(port, Data) else port
        if call.method in ("settimeout", "setdeadline") and seen.answer.mark == "=":
            value = argument(call, 0, env)
            mode = argument(call, 1, env) if len(call.args) > 1 else Data(b"b")
            key = mode.data.decode() if isinstance(mode, Data) else ""
            key = key if call.method == "settimeout" else "deadline"
            self.limits[key] = value if isinstance(value, (int, float)) else -1.0
        if call.method in READS and seen.answer.mark in "=!":
            self.received(call, seen, env)

    def received(self, call: Call, seen: Seen, env: Env) -> None:
        """Takes the bytes of a result or of a partial without its prefix."""
        answer, prefix = seen.answer, b""
        failed = answer.mark == "!"
        rest = answer.values[1:] if failed else answer.values
        got = rest[0].data if rest and isinstance(rest[0], Data) else b""
        if call.method in ("receive", "receiveuntil") and len(call.args) > 1:
            value = argument(call, 1, env)
            prefix = value.data if isinstance(value, Data) else b""
        if got.startswith(prefix):
            self.taken += got[len(prefix) :]
        elif call.method != "receiveuntil":  # there it may end in part of the delimiter
            self.faults.append(f"{call.text.strip()}: the prefix is gone")
        env.values["last"] = Data(got if failed else b"")
        limit = min([item for item in self.limits.values() if item >= 0], default=0.0)
        if self.limits.get("deadline", -1) >= 0:
            limit = 0.0  # it began before
        timed_out = failed and show(answer.values[0]) == '"timeout"'
        if timed_out and seen.elapsed < limit - self.early:
            self.faults.append(f"{call.text.strip()}: timeout, too early")

    def balance(self, scenario: Scenario, dialogue: Dialogue) -> list[str]:
        """What the peer sent is what was received, and the other way round: nothing is
        lost, nothing is repeated, and getstats knows."""
        env, faults = self.env, []
        assert env is not None
        sent, wanted = bytearray(), b""
        for step in scenario.steps:
            if isinstance(step, PeerStep) and step.verb == "send":
                for item in step.args:
                    if isinstance(item, (Literal, Repeat, Var)):
                        value = evaluate(item, env)
                        sent += value.data if isinstance(value, Data) else b""
        for seen in self.seen:
            call = call_of(seen)
            if call.method == "send" and call.slot == "c" and seen.answer.mark in "=!":
                wanted += went_out(call, seen, env)

        def core(text: bytes) -> bytes:
            """CRs are dropped, line ends and delimiters consumed."""
            return re.sub(rb"[\r\n=-]", b"", text)

        if core(bytes(sent)) != core(bytes(self.taken)):
            faults.append(f"came {brief(sent)}, but received {brief(self.taken)}")
        got = env.values.get("got")
        if isinstance(got, Data) and got.data != wanted:
            faults.append(f"sent {brief(wanted)}, but the peer got {show(got)}")
        if not any("setstats" in line for line in dialogue.lines):
            stats = [s.answer for s in self.seen if call_of(s).method == "getstats"][-1]
            if stats.values[:2] != [len(sent), len(wanted)]:
                counts = f"received {len(sent)}, sent {len(wanted)}"
                faults.append(f"getstats says {stats.show()}, it was {counts}")
        return faults


def brief(text: bytes | bytearray) -> str:
    return show(Data(bytes(text)))


def went_out(call: Call, seen: Seen, env: Env) -> bytes:
    """The bytes of which a send says that they went out."""
    block, *rest = [argument(call, index, env) for index in range(len(call.args))]
    last, first = seen.answer.values[-1], rest[0] if rest else 1
    assert isinstance(block, Data) and isinstance(first, (int, float))
    first = max(1, int(first) + len(block.data) + 1 if first < 0 else int(first))
    if not isinstance(last, (int, float)) or last < first:
        return b""
    return block.data[first - 1 : int(last)]


class Differs(Exception):
    """The testees answer differently, or bytes were lost."""


def fail(text: str) -> None:
    """In one place, since Hypothesis tells failures apart by theirs."""
    raise Differs(text)


class Explorer:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.specs = specs(options)
        self.pools = {name: Pool({name: spec}) for name, spec in self.specs.items()}
        self.workers = ThreadPoolExecutor(len(self.specs))
        self.end = time.monotonic() + options.budget
        self.passed = self.unsteady = self.calls = 0
        self.methods: Counter[str] = Counter()
        self.failures: list[tuple[list[str], str, Played]] = []

    def start(self) -> None:
        for name, pool in self.pools.items():
            pool.get(name)

    def finish(self) -> None:
        for pool in self.pools.values():
            pool.finish()
        self.workers.shutdown()

    # one dialogue, one testee

    def played(self, name: str, scenario: Scenario, dialogue: Dialogue) -> Played:
        # LuaSocket cuts to milliseconds twice.
        out = Played(0.002 if name == LOOSE else 0.001)
        options = Options(seed=str(self.options.seed), heard=out.heard)
        try:
            outcome = play(scenario, {"": name}, self.pools[name], options)
            out.faults += [item.text for item in outcome.problems]
        except TesteeError as error:
            out.faults.append(str(error))
        if not out.faults and dialogue.drained:
            out.faults += out.balance(scenario, dialogue)
        return out

    # one dialogue, all testees

    def difference(self, dialogue: Dialogue, common: bool) -> tuple[str, Played] | None:
        try:
            scenario = scenario_of(dialogue.lines)
        except ScenarioError as error:
            raise SystemExit(f"explore.py wrote what is no scenario: {error}") from None
        names = [name for name in self.specs if common or name != LOOSE]
        jobs = {
            name: self.workers.submit(self.played, name, scenario, dialogue)
            for name in names
        }
        all_played = {name: job.result() for name, job in jobs.items()}
        lead_name = next(name for name in names if name != LOOSE)
        lead = all_played[lead_name]
        faults = [
            f"{name}: {fault}"
            for name, played in all_played.items()
            for fault in played.faults
        ]
        for name, played in all_played.items():
            loose = name == LOOSE
            faults += self.compare(lead_name, lead, name, played, loose)
        self.calls += len(lead.answers)
        self.methods.update(call_of(seen).method for seen in lead.seen)
        return ("\n".join(faults), lead) if faults else None

    def compare(
        self, lead_name: str, lead: Played, name: str, played: Played, loose: bool
    ) -> list[str]:
        out = []
        closed: set[str] = set()
        both = (lead.loosely, played.loosely) if loose else (lead.answers, played.answers)
        for index, (ours, theirs) in enumerate(zip(*both)):
            call = call_of(lead.seen[index])
            if played.seen[index].elapsed > LATE:
                out.append(f"{name}: {call.text.strip()}: too late")
            same = ours == theirs or (
                {ours[:1], theirs[:1]} == {"X"} and "X" in (ours, theirs)
            )
            item = Answered(
                call.method,
                ours,
                theirs,
                call.slot in closed,
            )
            if not same and loose:
                for deviation in DEVIATIONS:
                    if deviation.covers(item):
                        deviation.seen += 1
                        same = True
                        break
            if not same:
                text = call.text.strip().rpartition(" = ")[0] or call.text.strip()
                out.append(f"{text}\n  {lead_name}: {ours}\n  {name}: {theirs}")
                break
            if call.method == "close":
                closed.add(call.slot)
        return out

    # the search

    def search(self) -> None:
        batch = 0
        while time.monotonic() < self.end and len(self.failures) < 3:
            common = batch % 2 == 0 and LOOSE in self.specs
            self.batch(f"{self.options.seed}/{batch}", common)
            batch += 1

    def batch(self, key: str, common: bool) -> None:
        best: dict[str, tuple[list[str], str, Played]] = {}
        stop = [self.end]

        @seed(key)
        @settings(
            max_examples=150,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        )
        @given(st.booleans(), st.booleans(), dialogues(common))
        def explored(accepted: bool, drain: bool, ops: list[Op]) -> None:
            writer = Writer(accepted, common)
            for op in ops:
                writer.write(op)
            dialogue = writer.finish(drain)
            text = "\n".join(dialogue.lines)
            if text in best:
                fail(best[text][1])
            if time.monotonic() > stop[0]:
                return
            found = None
            for _ in range(3):  # what does not happen again was the machine
                found = self.difference(dialogue, common)
                if found is None:
                    break
                self.unsteady += 1
            else:
                self.unsteady -= 3
                assert found is not None
                best[text] = (dialogue.lines, *found)
                stop[0] = max(stop[0], time.monotonic() + 20)
                fail(found[0])
            self.passed += 1

        try:
            explored()
        except Differs:
            self.failures.append(min(best.values(), key=lambda item: len(str(item[0]))))


# ---- What was found ------------------------------------------------------------------


def written(lines: list[str], lead: Played, about: str) -> str:
    """A dialogue as a scenario, with the answers of the lead as its expectations."""
    at = 0
    out = [f"# {about}", "# proves: NAME.THE.IDS"]
    for line in lines:
        if line.startswith("let"):
            continue
        if at < len(lead.lasts):
            line = line.replace("$last", quote(lead.lasts[at]))
        if line.startswith(("peer", "start")):
            out.append(line)
            continue
        if at >= len(lead.seen):
            out.append(f"# not reached: {line}")
            continue
        seen, at = lead.seen[at], at + 1
        call, answer = call_of(seen), seen.answer
        what = " ".join(
            [answer.mark, *(show(value, brief=False) for value in answer.values)]
        )
        if answer.mark == "X":
            what = neutral(seen, False)
            what = what[:2] + (what[2:] if what[0] == "E" else quote(what[2:].encode()))
        elif call.method in MASKS:
            what = "= ..." if answer.mark == "=" else what
        if call.method == "getsockname" and call.slot == "s":
            what = '= "127.0.0.1" <integer $bound> "inet"'
        if " -> " in line or re.fullmatch(r"\w+ tcp4?", line):
            slot = line.partition(" -> ")[2]
            line = line.partition(" -> ")[0]
            what = "= object" + (f" -> {slot}" if slot else "")
        out.append(f"{line}  {what}")
    return "\n".join(out) + "\n"


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="explore.py", description="Plays dialogues that nobody wrote."
    )
    add = parser.add_argument
    add("--budget", type=float, default=20, metavar="SECONDS", help="(default: 20)")
    add("--seed", default="0", help="of what is made up (default: 0)")
    add("--save", metavar="NAME", help="writes what is found to scenarios/found/NAME.t")
    add("-v", action="store_true", help="says what was called how often")
    testee_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = arguments(argv)
    explorer = Explorer(options)
    try:
        explorer.start()
    except TesteeError as error:
        print(f"explore: {error}", file=sys.stderr)
        return 2
    explorer.search()
    explorer.finish()
    for number, (lines, reason, lead) in enumerate(explorer.failures, 1):
        text = written(lines, lead, "Found by exploration.")
        print(f"FAIL\n{text}\n{reason}\n")
        if options.save:
            name = options.save + (f"-{number}" if number > 1 else "")
            FOUND.mkdir(exist_ok=True)
            place = Path(FOUND / f"{name}.t")
            place.write_text(text, encoding="utf-8")
            print(f"saved: {place}; name what it proves\n")
    if options.v:
        for name, count in explorer.methods.most_common():
            print(f"{count:7} {name}")
        for deviation in DEVIATIONS:
            print(f"{deviation.seen:7} luasocket {deviation.reason}")
    print(
        f"{explorer.calls} calls, {explorer.unsteady} differences that did not happen "
        f"again, seed {options.seed}"
    )
    print(f"explore: {explorer.passed} passed, {len(explorer.failures)} failed")
    return 1 if explorer.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
