# SPDX-License-Identifier: MIT
"""Scenarios: from the text of a `.t` file to steps that can be played.

The grammar is that of docs/conformance-format.md. Everything that can be wrong in a
scenario without running it is found here, with its line, and nothing here runs anything:
no socket, no testee, no clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Union

from .values import BYTES, TEXT, Data, Value

DIRECTIVES = (
    *("proves", "uses", "level", "needs", "only", "skip", "deviates"),
    *("time", "resolver"),
)
LEVELS = ("core", "extended", "strict")  # each has the ones before it
NEEDS = ("ipv6", "linux", "threads", "dualname", "copies", "loopback")
MAKERS = ("tcp", "tcp4", "tcp6")
ANY_ROLES = ("a", "b")
WORDS = ("again", "start", "collect", "pause", "clock", "descriptor", "let", "peer")


class ScenarioError(Exception):
    """The scenario is not in the grammar; the text begins with file and line."""


# --- expressions: what an argument says -----------------------------------------------


@dataclass(frozen=True)
class Literal:
    value: Value


@dataclass(frozen=True)
class Slot:
    name: str


@dataclass(frozen=True)
class Var:
    name: str


@dataclass(frozen=True)
class Repeat:
    what: Expr
    times: Expr


@dataclass(frozen=True)
class Random:
    length: Expr


@dataclass(frozen=True)
class Length:
    what: Expr


@dataclass(frozen=True)
class Numeral:
    what: Expr


@dataclass(frozen=True)
class Part:
    """`what[first..last]`, from 1 and inclusive; last None is the end."""

    what: Expr
    first: Expr
    last: Expr | None


@dataclass(frozen=True)
class Sum:
    """Concatenation of data or arithmetic on numbers; (sign, term) in order."""

    terms: tuple[tuple[int, Expr], ...]


@dataclass(frozen=True)
class Many:
    items: tuple[Pattern, ...]


@dataclass(frozen=True)
class Fields:
    items: tuple[tuple[str, Pattern], ...]


Expr = Union[Literal, Slot, Var, Repeat, Random, Length, Numeral, Part, Sum, Many, Fields]

# --- patterns: what a result may be, besides an expression ----------------------------


@dataclass(frozen=True)
class Typed:
    type: str
    low: float | None
    high: float | None
    keep: str | None


@dataclass(frozen=True)
class Like:
    glob: bytes


@dataclass(frozen=True)
class Hashed:
    length: int
    sha: str


@dataclass(frozen=True)
class AnyObject:
    pass


@dataclass(frozen=True)
class Whatever:
    """`...`: any further values."""


Pattern = Union[Expr, Typed, Like, Hashed, AnyObject, Whatever]


@dataclass(frozen=True)
class Time:
    mark: str  # "~", "<" or ">"
    seconds: float


@dataclass(frozen=True)
class Expect:
    mark: str  # "=", "!", "X" or "E"
    values: tuple[Pattern, ...]
    into: str | None = None
    time: Time | None = None
    line: int = 0
    column: int = 0  # where it stands in the (joined) line, and the text of each value:
    sources: tuple[str, ...] = ()  # what `--update` keeps
    stop: bool = False  # the scenario ends behind it, for the testee of an `or` line

    def written(self) -> str:
        return " ".join([self.mark, *self.sources])


@dataclass(frozen=True)
class Stop:
    line: int


Alternative = Union[Expect, Stop]

# --- steps ----------------------------------------------------------------------------


@dataclass
class Step:
    line: int
    text: str


@dataclass
class Call(Step):
    role: str
    slot: str
    method: str
    args: tuple[Expr, ...]
    into: str | None
    expect: Expect | None  # None under `start`
    others: dict[str, Alternative] = field(default_factory=dict)
    again: bool = False  # it is made anew while it answers `timeout`


@dataclass
class PeerStep(Step):
    name: str
    verb: str
    args: tuple[str | Pattern, ...]  # a bare word is str
    keep: tuple[str, ...]


@dataclass
class Start(Step):
    tag: str
    what: Call | PeerStep


@dataclass
class Collect(Step):
    tag: str
    started: Start
    expect: Expect | None
    others: dict[str, Alternative] = field(default_factory=dict)


@dataclass
class Pause(Step):
    seconds: float


@dataclass
class Clock(Step):
    time: Time | None


@dataclass
class Flags(Step):
    """Whether a descriptor of the testee's process blocks."""

    fd: Expr
    blocks: bool


@dataclass
class Let(Step):
    name: str
    value: Expr


@dataclass
class Scenario:
    name: str
    path: Path | None
    lines: list[str]
    about: list[str] = field(default_factory=list)
    proves: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)  # what its calls do not tell
    level: str = ""  # "": that of its steps
    needs: set[str] = field(default_factory=set)
    only: list[str] | None = None
    skip: dict[str, str] = field(default_factory=dict)
    deviates: dict[str, str] = field(default_factory=dict)
    seconds: float = 15.0
    names: list[str] = field(default_factory=list)  # of the slow resolver
    steps: list[Step] = field(default_factory=list)
    threaded: set[str] = field(default_factory=set)  # roles that need threads
    roles: list[str] = field(default_factory=list)

    @property
    def section(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def title(self) -> str:
        """The first sentence of the description."""
        return re.split(r"(?<=[.!?])\s", " ".join(self.about))[0]


# --- reading one line -----------------------------------------------------------------

_NUMBER = re.compile(
    r"[-+]?(?:0x[0-9a-fA-F]+|inf|nan|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
    r"(?![\w.]*\w)"
)
_SUFFIXED = re.compile(r"[-+]?(?:0x[0-9a-fA-F]+|\d+)(?=\.\.)")
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_SLOT = re.compile(r"[a-z][a-z0-9_]*\Z")
_NAME = re.compile(r"\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)")
_TIME = re.compile(r"([~<>])(\d+(?:\.\d+)?)s(?=\s|$)")
_TYPED = re.compile(
    r"<(integer|number|text|boolean|list|table|any)"
    r"(?:\s+(-?[\d.]+?)?\.\.(-?[\d.]+)?)?(?:\s+\$(\w+))?\s*>"
)
_HASHED = re.compile(r"<bytes\s+(\d+)\s+sha256:([0-9a-f]{8})\s*>")
_ESCAPE = {"n": 10, "r": 13, "t": 9, "0": 0, "\\": 92, '"': 34}


class _Line:
    """A cursor over one line; every reader below leaves it behind what it has read."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where, self.at = text, where, 0

    def fail(self, why: str) -> ScenarioError:
        rest = self.text[self.at :] or "the end of the line"
        return ScenarioError(f"{self.where}: {why} at: {rest}")

    def space(self) -> bool:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1
        return self.at < len(self.text)

    def sees(self, what: str) -> bool:
        return self.text.startswith(what, self.at)

    def take(self, what: str) -> bool:
        if not self.sees(what):
            return False
        self.at += len(what)
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        hit = pattern.match(self.text, self.at)
        if hit:
            self.at = hit.end()
        return hit

    def word(self, what: str) -> str:
        self.space()
        hit = self.match(_WORD)
        if not hit:
            raise self.fail(f"{what} is missing")
        return hit[0]

    def quoted(self) -> bytes:
        if not self.take('"'):
            raise self.fail('a " is missing')
        out = bytearray()
        while not self.take('"'):
            char = self.text[self.at : self.at + 1]
            self.at += 1
            if not char:
                raise self.fail('the closing " is missing')
            if char != "\\":
                out += char.encode()
                continue
            code = self.text[self.at : self.at + 1]
            self.at += 1
            if code == "x":
                try:
                    out.append(int(self.text[self.at : self.at + 2], 16))
                except ValueError:
                    raise self.fail("two hexadecimal digits are missing") from None
                self.at += 2
            elif code in _ESCAPE:
                out.append(_ESCAPE[code])
            else:
                raise self.fail(f"unknown escape \\{code}")
        return bytes(out)

    # expressions

    def expr(self) -> Expr:
        terms = [(1, self.term())]
        while self.at < len(self.text) and self.text[self.at] in "+-":
            sign = 1 if self.text[self.at] == "+" else -1
            self.at += 1
            terms.append((sign, self.term()))
        return terms[0][1] if len(terms) == 1 else Sum(tuple(terms))

    def term(self) -> Expr:
        what = self.atom()
        while self.take("["):
            first = self.inner()
            if not self.take(".."):
                raise self.fail(".. is missing")
            last = None if self.sees("]") else self.inner()
            if not self.take("]"):
                raise self.fail("] is missing")
            what = Part(what, first, last)
        return what

    def inner(self) -> Expr:
        """An expression in brackets, where `..` may follow a number at once."""
        hit = self.match(_SUFFIXED)
        return Literal(int(hit[0], 0)) if hit else self.expr()

    def atom(self) -> Expr:
        if self.sees('"'):
            return Literal(Data(self.quoted()))
        for prefix, kind in (("b", BYTES), ("t", TEXT)):
            if self.sees(prefix + '"'):
                self.at += 1
                return Literal(Data(self.quoted(), kind))
        hit = self.match(_NAME)
        if hit:
            return Var(hit[1])
        hit = self.match(_NUMBER)
        if hit:
            body = hit[0].lower()
            if "0x" in body:
                return Literal(int(body, 16))
            whole = re.fullmatch(r"[-+]?\d+", body)
            return Literal(int(body) if whole else float(body))
        if self.take("["):
            items: list[Pattern] = []
            while self.space() and not self.take("]"):
                items.append(self.pattern())
            if self.text[self.at - 1] != "]":
                raise self.fail("] is missing")
            return Many(tuple(items))
        if self.take("{"):
            fields: list[tuple[str, Pattern]] = []
            while self.space() and not self.take("}"):
                name = self.word("a field name")
                if not self.take("="):
                    raise self.fail("= is missing")
                fields.append((name, self.pattern()))
            if self.text[self.at - 1] != "}":
                raise self.fail("} is missing")
            return Fields(tuple(fields))
        begin = self.at
        word = self.word("a value")
        if self.take("("):
            return self.function(word)
        constants: dict[str, Value] = {"nil": None, "true": True, "false": False}
        if word in constants:
            return Literal(constants[word])
        if _SLOT.match(word):
            return Slot(word)
        self.at = begin
        raise self.fail("not a value")

    def function(self, name: str) -> Expr:
        self.space()
        first = self.expr()
        second: Expr | None = None
        self.space()
        if self.take(","):
            self.space()
            second = self.expr()
            self.space()
        if not self.take(")"):
            raise self.fail(") is missing")
        if name == "repeat" and second is not None:
            return Repeat(first, second)
        if name == "random" and second is None:
            return Random(first)
        if name == "len" and second is None:
            return Length(first)
        if name == "text" and second is None:
            return Numeral(first)
        raise self.fail(f"no such function: {name}, with so many arguments")

    def pattern(self) -> Pattern:
        if self.take("..."):
            return Whatever()
        if self.sees("<"):
            hit = self.match(_TYPED)
            if hit:
                low = float(hit[2]) if hit[2] else None
                high = float(hit[3]) if hit[3] else None
                return Typed(hit[1], low, high, hit[4])
            hit = self.match(_HASHED)
            if hit:
                return Hashed(int(hit[1]), hit[2])
            if self.take("<like"):
                self.space()
                glob = self.quoted()
                self.space()
                if self.take(">"):
                    return Like(glob)
            raise self.fail("not a pattern")
        begin = self.at
        if self.match(re.compile(r"object\b")):
            return AnyObject()
        self.at = begin
        return self.expr()

    def more(self) -> bool:
        """Whether a value follows, and not an expectation, an arrow or a time."""
        if not self.space():
            return False
        rest = self.text[self.at :]
        return not (
            rest.startswith("->") or _TIME.match(rest) or re.match(r"[=!XE](\s|$)", rest)
        )

    def args(self) -> tuple[Expr, ...]:
        out: list[Expr] = []
        while self.more():
            out.append(self.expr())
            self.apart()
        return tuple(out)

    def apart(self) -> None:
        if self.at < len(self.text) and self.text[self.at] not in " \t":
            raise self.fail("a space is missing")

    def time(self) -> Time | None:
        self.space()
        hit = self.match(_TIME)
        return Time(hit[1], float(hit[2])) if hit else None

    def expect(self, line: int) -> Expect:
        self.space()
        column = self.at
        hit = self.match(re.compile(r"[=!XE](?=\s|$)"))
        if not hit:
            raise self.fail("an expectation (=, !, X, E) is missing")
        values: list[Pattern] = []
        sources: list[str] = []
        while self.more():
            begin = self.at
            values.append(self.pattern())
            sources.append(self.text[begin : self.at])
            self.apart()
        for item in values[:-1]:
            if isinstance(item, Whatever):
                raise self.fail("... must be the last value")
        if hit[0] in "XE" and len(values) != 1:
            raise self.fail(f"{hit[0]} wants one text")
        if hit[0] == "X" and values[0] == Literal(Data(b"")):
            raise self.fail('X "" would accept anything; write <text>')
        if hit[0] == "!" and not values:
            raise self.fail("! wants the words")
        into = None
        self.space()
        if self.take("->"):
            into = self.word("a slot")
        time = self.time()
        self.end()
        return Expect(hit[0], tuple(values), into, time, line, column, tuple(sources))

    def end(self) -> None:
        if self.space():
            raise self.fail("too much")


# --- reading a step -------------------------------------------------------------------

_PEER = re.compile(r"peer(?::([a-z]\w*))?(?=\s)")
_ROLE = re.compile(r"([a-z]\w*):(?=\s)")
PEER_VERBS = (
    "listen",
    "refuse",
    "stall",
    "unstall",
    "accept",
    "connect",
    "send",
    "expect",
    "read",
    "shutdown",
    "reset",
    "close",
    "sockname",
    "peername",
    "flood",
    "adopt",
)


def _call(line: _Line, number: int, text: str, started: bool) -> Call:
    role = ""
    line.space()
    hit = line.match(_ROLE)
    if hit:
        role = hit[1]
    slot = line.word("a slot")
    method = line.word("a method")
    line.apart()
    args = line.args()
    into: str | None = None
    if slot in WORDS or (slot not in ("mod", "dns") and not _SLOT.match(slot)):
        raise line.fail(f"not a slot: {slot}")
    if slot not in ("mod", "dns") and method in MAKERS:
        slot, into = "mod", slot
    expect = None
    if started:
        line.space()
        if line.take("->"):
            into = line.word("a slot")
        line.end()
    else:
        expect = line.expect(number)
        into = expect.into or into
    return Call(number, text, role, slot, method, args, into, expect)


def _peer(line: _Line, number: int, text: str, name: str) -> PeerStep:
    verb = line.word("a verb")
    if verb not in PEER_VERBS:
        raise line.fail(f"the peer has no verb {verb}")
    args: list[str | Pattern] = []
    keep: list[str] = []
    while line.space():
        if line.take("->"):
            while line.space():
                hit = line.match(_NAME)
                if not hit:
                    raise line.fail("a $name is missing")
                keep.append(hit[1])
        elif line.take("!"):
            args.append("!")
        else:
            begin = line.at
            hit = line.match(re.compile(r"[a-z][a-z0-9]*(?=\s|$)"))
            if hit and hit[0] not in ("nil", "true", "false"):
                args.append(hit[0])
            else:
                line.at = begin
                args.append(line.pattern())
                line.apart()
    _check_peer(line, verb, args, keep)
    return PeerStep(number, text, name, verb, tuple(args), tuple(keep))


def _check_peer(
    line: _Line, verb: str, args: list[str | Pattern], keep: list[str]
) -> None:
    """Bare words and counts that can be told wrong without running the step."""
    bare = {
        "listen": ("ipv4", "ipv6", "dual", "backlog", "buffers"),
        "refuse": ("ipv4", "ipv6"),
        "stall": ("ipv4", "ipv6"),
        "connect": ("buffers", "!"),
        "send": ("pause",),
        "expect": ("eof", "reset", "nothing"),
        "read": ("all",),
        "close": ("listener", "connection"),
    }
    if verb != "accept":
        for item in args:
            if isinstance(item, str) and item not in bare.get(verb, ()):
                raise line.fail(f"peer {verb} does not know {item}")
    elif args and (len(args) != 2 or args[0] != "from" or not isinstance(args[1], str)):
        raise line.fail("write: peer accept from NAME")
    if verb in ("send", "expect", "read", "flood", "adopt") and not args:
        raise line.fail(f"peer {verb} wants more")
    if verb == "connect" and len(args) < 2:
        raise line.fail("peer connect wants host and port")
    if keep and verb not in ("read", "sockname", "peername"):
        raise line.fail(f"peer {verb} gives nothing to keep")


def _step(text: str, number: int, where: str, open_tags: dict[str, Start]) -> Step:
    line = _Line(text, where)
    line.space()
    hit = line.match(_PEER)
    if hit:
        return _peer(line, number, text, hit[1] or "")
    if line.match(re.compile(r"start(?=\s)")):
        tag = line.word("a tag")
        if tag in open_tags:
            raise line.fail(f"{tag} is already started")
        line.space()
        hit = line.match(_PEER)
        what: Call | PeerStep
        if hit:
            what = _peer(line, number, text, hit[1] or "")
        else:
            what = _call(line, number, text, started=True)
        started = Start(number, text, tag, what)
        open_tags[tag] = started
        return started
    if line.match(re.compile(r"collect(?=\s)")):
        tag = line.word("a tag")
        if tag not in open_tags:
            raise line.fail(f"{tag} was not started")
        begun = open_tags.pop(tag)
        if isinstance(begun.what, PeerStep):
            line.end()
            return Collect(number, text, tag, begun, None)
        expect = line.expect(number)
        # The testee learns at the start where a new object goes.
        begun.what.into = expect.into or begun.what.into
        return Collect(number, text, tag, begun, expect)
    if line.match(re.compile(r"pause(?=\s)")):
        line.space()
        hit = line.match(re.compile(r"\d+(\.\d+)?"))
        if not hit:
            raise line.fail("seconds are missing")
        line.end()
        return Pause(number, text, float(hit[0]))
    if line.match(re.compile(r"clock(?=\s|$)")):
        time = line.time()
        line.end()
        return Clock(number, text, time)
    if line.match(re.compile(r"again(?=\s)")):
        call = _call(line, number, text, started=False)
        call.again = True
        return call
    if line.match(re.compile(r"descriptor(?=\s)")):
        line.space()
        fd = line.expr()
        word = line.word("blocks or not")
        if word == "not":
            word += " " + line.word("blocking")
        if word not in ("blocking", "not blocking"):
            raise line.fail("write: descriptor FD [not] blocking")
        line.end()
        return Flags(number, text, fd, word == "blocking")
    if line.match(re.compile(r"let(?=\s)")):
        line.space()
        hit = line.match(_NAME)
        line.space()
        if not hit or not line.take("="):
            raise line.fail("write: let $name = VALUE")
        line.space()
        value = line.expr()
        line.end()
        return Let(number, text, hit[1], value)
    return _call(line, number, text, started=False)


_OR = re.compile(r"\s*or\s+([a-z]\w*)\s+(?=[=!XE](\s|$)|stop\s*$)")


def _other(
    scenario: Scenario, text: str, number: int, where: str, name: str, begin: int
) -> None:
    """An `or TESTEE` line: it belongs to the step above."""
    step = scenario.steps[-1] if scenario.steps else None
    if not isinstance(step, (Call, Collect)) or step.expect is None:
        raise ScenarioError(f"{where}: nothing above that could be otherwise")
    if name not in scenario.deviates:
        raise ScenarioError(f"{where}: the header has no '# deviates: {name} REASON'")
    line = _Line(text, where)
    line.at = begin
    before = step.others.get(name)
    if line.take("stop"):
        if isinstance(before, Stop):
            raise ScenarioError(f"{where}: stop, twice")
        # Alone it means before the step, below an expectation behind it.
        step.others[name] = replace(before, stop=True) if before else Stop(number)
        return
    if before is not None:
        raise ScenarioError(f"{where}: a second expectation for {name}")
    expect = line.expect(number)
    call = step.started.what if isinstance(step, Collect) else step
    if expect.into is not None and isinstance(call, Call):
        if call.into not in (None, expect.into):
            raise ScenarioError(f"{where}: the slot cannot differ")
        call.into = expect.into
    step.others[name] = expect


# --- reading a file -------------------------------------------------------------------


_SECONDS = re.compile(r"\d+(\.\d+)?\Z")


def _directive(scenario: Scenario, word: str, rest: str, where: str) -> None:
    names = rest.split()
    if not names:
        raise ScenarioError(f"{where}: '# {word}:' says nothing")
    if word == "proves":
        scenario.proves += names
    elif word == "needs":
        for name in names:
            if name not in NEEDS:
                raise ScenarioError(f"{where}: unknown need {name}")
        scenario.needs.update(names)
    elif word == "uses":
        scenario.uses += names
    elif word == "level":
        if len(names) != 1 or names[0] not in LEVELS:
            raise ScenarioError(f"{where}: a level is one of {', '.join(LEVELS)}")
        scenario.level = names[0]
    elif word == "only":
        scenario.only = names
    elif word == "time":
        scenario.seconds = float(rest)
    elif word == "resolver":
        late = len(names) > 1 and (names[1] == "never" or _SECONDS.match(names[1]))
        if not late or ";" in rest or (names[1] != "never" and len(names) < 3):
            raise ScenarioError(f"{where}: write: # resolver: NAME SECONDS ADDRESS…")
        scenario.names.append(rest)
        scenario.needs.add("resolver")
    else:
        if len(names) < 2:
            raise ScenarioError(f"{where}: '# {word}: TESTEE REASON' wants a reason")
        reasons = scenario.skip if word == "skip" else scenario.deviates
        reasons[names[0]] = rest.split(None, 1)[1]


def _threaded(steps: list[Step]) -> set[str]:
    """The roles that make a call while another of theirs is under way."""
    busy: dict[str, str] = {}
    needing: set[str] = set()
    for step in steps:
        what = step.what if isinstance(step, Start) else step
        if isinstance(what, Call):
            if what.role in busy.values():
                needing.add(what.role)
            if isinstance(step, Start):
                busy[step.tag] = what.role
        elif isinstance(step, Collect):
            busy.pop(step.tag, None)
    return needing


def joined(lines: list[str]) -> list[tuple[int, str]]:
    """Numbered lines, with those that end in a backslash joined to the next."""
    out: list[tuple[int, str]] = []
    pending: tuple[int, str] | None = None
    for number, text in enumerate(lines, 1):
        if pending:
            number, text = pending[0], pending[1] + " " + text.strip()
            pending = None
        if text.endswith("\\"):
            pending = (number, text[:-1].rstrip())
        else:
            out.append((number, text))
    return out + ([pending] if pending else [])


def parse(text: str, name: str, path: Path | None = None) -> Scenario:
    """The scenario that a text describes; ScenarioError when it is not in the grammar."""
    scenario = Scenario(name, path, text.splitlines())
    shown = str(path) if path else name
    open_tags: dict[str, Start] = {}
    header = True
    for number, line in joined(scenario.lines):
        where = f"{shown}:{number}"
        bare = line.strip()
        if bare.startswith("#"):
            body = bare[1:].strip()
            word, colon, rest = body.partition(":")
            if word in DIRECTIVES and colon:
                if not header:
                    raise ScenarioError(f"{where}: '# {word}:' belongs to the header")
                _directive(scenario, word, rest.strip(), where)
            elif header and not body.startswith("SPDX"):
                scenario.about.append(body)
            continue
        if not bare:
            continue
        header = False
        hit = _OR.match(line)
        if hit:
            _other(scenario, line, number, where, hit[1], hit.end())
        else:
            scenario.steps.append(_step(line, number, where, open_tags))
    _check(scenario, shown, open_tags)
    return scenario


def _of_one_process(step: Step) -> bool:
    """Whether a step is about descriptors of the testee, of which there is one then."""
    return isinstance(step, Flags) or getattr(step, "verb", "") == "adopt"


def _check(scenario: Scenario, shown: str, open_tags: dict[str, Start]) -> None:
    if open_tags:
        raise ScenarioError(f"{shown}: never collected: {', '.join(open_tags)}")
    if not scenario.about:
        raise ScenarioError(f"{shown}: the first comment should say what it is about")
    if not scenario.steps:
        raise ScenarioError(f"{shown}: no steps")
    calls = [step.what if isinstance(step, Start) else step for step in scenario.steps]
    roles = {call.role for call in calls if isinstance(call, Call)}
    if len(roles) > 1 and "" in roles:
        raise ScenarioError(f"{shown}: either all calls have a role or none has")
    single = [step for step in scenario.steps if _of_one_process(step)]
    if single and roles - {""}:
        raise ScenarioError(f"{shown}: {single[0].text.strip()}: not with roles")
    if len(roles) > 2 or len(roles & set(ANY_ROLES)) not in (0, len(roles)):
        raise ScenarioError(f"{shown}: roles are a and b, or two testees")
    scenario.roles = sorted(roles)
    scenario.threaded = _threaded(scenario.steps)


def load(path: Path, root: Path) -> Scenario:
    name = path.relative_to(root).with_suffix("").as_posix()
    return parse(path.read_text(encoding="utf-8"), name, path)
