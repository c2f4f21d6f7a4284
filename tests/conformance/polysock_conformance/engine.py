# SPDX-License-Identifier: MIT
"""Plays one parsed scenario against testees and says how it went.

`play` is the whole interface, for the suite and for whatever generates scenarios. It owns
the clock and the watchdog; it never reports, retries, excuses or edits anything: those
are for the callers, who get every step's answer and the dialogue with its times.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from . import capabilities, resolver
from .greeting import Greeting
from .match import (
    Answer,
    Comparison,
    Env,
    Mismatch,
    argument,
    evaluate,
    late,
    read_answer,
)
from .peer import PeerError
from .peers import Peers
from .testees import Pool, Testee, TesteeError
from .transcript import (
    ANY_ROLES,
    Call,
    Clock,
    Collect,
    Expect,
    Flags,
    Let,
    Pause,
    PeerStep,
    Scenario,
    Start,
    Step,
    Stop,
    Time,
)
from .values import Data, Obj, ProtocolError, Value, show

STEP_SECONDS = 5.0
AGAIN_SECONDS = 0.005  # between two calls of `again`
LONG_ARGUMENT = 4096


@dataclass
class Options:
    seed: str = "0"
    slack: float = 0.15
    persist: bool = False  # go on after a wrong answer, to see (or update) them all
    # Gets every answer, and the variables, in place of the comparison: a transcript
    # without expectations is played like this (explore.py).
    heard: Callable[[Seen, Env], None] | None = None


@dataclass
class Problem:
    step: Step | None
    text: str
    timing: bool = False
    line: int = 0  # of the expectation, which may be an `or` line


@dataclass
class Seen:
    """What a testee answered at a step; `wrong` when that was not expected."""

    step: Call | Collect
    testee: str
    answer: Answer
    elapsed: float
    wrong: bool = False
    expect: Expect | None = None  # what it was compared with
    fits: list[bool] = field(default_factory=list)  # for a wrong one: value by value


@dataclass
class Outcome:
    problems: list[Problem] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    dialogue: list[tuple[float, str, str]] = field(default_factory=list)
    deviated: set[str] = field(default_factory=set)  # testees whose `or` lines were used
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.problems

    @property
    def timing_only(self) -> bool:
        return bool(self.problems) and all(problem.timing for problem in self.problems)


class _Abort(Exception):
    """The scenario cannot go on."""


@dataclass
class _Background:
    """A peer step that goes on by itself."""

    thread: threading.Thread
    failure: list[str]


class _Run:
    def __init__(
        self, scenario: Scenario, cast: dict[str, str], pool: Pool, options: Options
    ) -> None:
        self.scenario, self.cast, self.pool, self.options = scenario, cast, pool, options
        self.outcome = Outcome()
        self.began = time.monotonic()
        self.end = self.began + scenario.seconds
        self.env = Env(f"{options.seed}/{scenario.name}")
        self.peers = Peers(self.env, STEP_SECONDS, self.log, self.process)
        self.used: dict[str, Testee] = {}  # by role
        self.broken: set[str] = set()
        self.begun: dict[str, tuple[float, Testee | _Background]] = {}
        self.clock = self.began

    def log(self, who: str, text: str) -> None:
        self.outcome.dialogue.append((time.monotonic() - self.began, who, text))

    def problem(
        self, step: Step | None, text: str, timing: bool = False, line: int = 0
    ) -> None:
        line = line or (step.line if step else 0)
        self.outcome.problems.append(Problem(step, text, timing, line))
        self.log("!", text)

    # the testees

    def who(self, role: str) -> str:
        name = self.cast[role]
        return name if role in ("", name) else f"{role}:{name}"

    def testee(self, role: str) -> Testee:
        if role not in self.used:
            # Two roles may be one testee: the second role has a process of its own.
            name = self.cast[role]
            taken = [t for t in self.used.values() if t.spec.name == name]
            if self.scenario.names:
                self.used[role] = self.pool.fresh(name, self.names())
            else:
                self.used[role] = self.pool.get(name + "'" if taken else name)
        return self.used[role]

    def names(self) -> dict[str, str]:
        try:
            return resolver.environment(self.scenario.names)
        except OSError as error:
            raise TesteeError(str(error)) from None

    def process(self) -> int:
        """The process id of the testee, for steps that look at its descriptors."""
        return self.testee("").process.pid

    def patience(self, *times: Time | None) -> float:
        """Until when to wait for an answer: the watchdog of the step and of the whole."""
        longest = max([item.seconds for item in times if item is not None], default=0.0)
        left = self.end - time.monotonic()
        return max(0.1, min(STEP_SECONDS + longest, left))

    def send(self, call: Call, tag: str) -> tuple[Testee, float]:
        testee = self.testee(call.role)
        args = [argument(call, index, self.env) for index in range(len(call.args))]
        shown = " ".join([call.slot, call.method, *map(show, args)])
        args = [self.kept(testee, value, index) for index, value in enumerate(args)]
        self.log(self.who(call.role), f"→ {shown}")
        return testee, testee.request(tag, call.into, call.slot, call.method, args)

    def kept(self, testee: Testee, value: Value, index: int) -> Value:
        """A long argument goes ahead of the call, so that its time is not the call's."""
        if not isinstance(value, Data) or len(value.data) < LONG_ARGUMENT:
            return value
        name = f"kept{len(self.outcome.dialogue)}_{index}"
        testee.request("0", None, name, "keep", [value])
        testee.answer("0", self.patience())
        return Obj(name)

    def receive(
        self, step: Call | Collect, call: Call, testee: Testee, tag: str, began: float
    ) -> None:
        assert step.expect is not None
        name = self.cast[call.role]
        expect = step.expect
        other = step.others.get(name)
        if isinstance(other, Expect):
            expect = other
            self.outcome.deviated.add(name)
        patience = self.patience(step.expect.time, expect.time)
        answer, elapsed = self.hear(call, testee, tag, began, patience)
        while call.again and answer.timed_out and elapsed < patience:
            time.sleep(AGAIN_SECONDS)
            self.send(call, tag)
            answer, elapsed = self.hear(call, testee, tag, began, patience)
        self.log(self.who(call.role), f"← {answer.show()}  [{elapsed:.3f} s]")
        seen = Seen(step, name, answer, elapsed, expect=expect)
        self.outcome.seen.append(seen)
        if self.options.heard is not None:
            self.options.heard(seen, self.env)
            return
        self.judge(seen, call, testee.greeting)

    def hear(
        self, call: Call, testee: Testee, tag: str, began: float, patience: float
    ) -> tuple[Answer, float]:
        """The answer to a call, and the seconds since it began."""
        try:
            words, came = testee.answer(tag, patience)
        except TesteeError as error:
            self.broken.add(call.role)
            raise _Abort(f"{self.who(call.role)}: {error}") from None
        try:
            answer = read_answer(words, call, "tuples" in testee.greeting.flags)
        except (ProtocolError, Mismatch) as error:
            if isinstance(error, ProtocolError):
                self.broken.add(call.role)
            raise _Abort(f"{self.who(call.role)}: {error}") from None
        return answer, came - began

    def judge(self, seen: Seen, call: Call, said: Greeting) -> None:
        step, expect, answer = seen.step, seen.expect, seen.answer
        assert expect is not None
        comparison = Comparison(self.env, "loose" in said.flags, said.misuse)
        try:
            comparison.answer(expect, answer, call)
        except Mismatch as error:
            seen.wrong, seen.fits = True, comparison.fits(expect, answer, call)
            self.problem(step, f"expected {expect.written()}, {error}", line=expect.line)
            if not self.options.persist:
                raise _Abort("") from None
        # Who cuts to milliseconds twice, as LuaSocket does, ends early by up to two.
        early = 0.002 if "coarse" in said.flags else 0.001
        wrong = late(expect.time, seen.elapsed, self.options.slack, early)
        if wrong:
            self.problem(step, wrong, timing=True)

    # steps

    def step(self, step: Step) -> None:
        if isinstance(step, Call):
            testee, began = self.send(step, "0")
            self.receive(step, step, testee, "0", began)
        elif isinstance(step, PeerStep):
            self.log("peer", step.text.strip())
            self.peers.do(step)
        elif isinstance(step, Start) and isinstance(step.what, Call):
            testee, began = self.send(step.what, step.tag)
            self.begun[step.tag] = began, testee
            testee.settle(step.tag)
        elif isinstance(step, Start):
            self.log("peer", step.text.strip())
            self.begun[step.tag] = time.monotonic(), self.background(step.what)
        elif isinstance(step, Collect):
            self.collect(step)
        elif isinstance(step, Pause):
            self.log("driver", step.text.strip())
            time.sleep(step.seconds)
        elif isinstance(step, Clock):
            self.stopwatch(step)
        elif isinstance(step, Flags):
            self.flags(step)
        elif isinstance(step, Let):
            self.env.values[step.name] = evaluate(step.value, self.env)

    def background(self, step: PeerStep | Call) -> _Background:
        assert isinstance(step, PeerStep)
        failure: list[str] = []

        def play() -> None:
            try:
                self.peers.do(step)
            except (PeerError, Mismatch) as error:
                failure.append(str(error))

        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        return _Background(thread, failure)

    def collect(self, step: Collect) -> None:
        began, what = self.begun.pop(step.tag)
        if isinstance(what, _Background):
            what.thread.join(self.patience())
            if what.thread.is_alive():
                raise _Abort("the peer step has not ended")
            if what.failure:
                raise PeerError(what.failure[0])
            return
        call = step.started.what
        assert isinstance(call, Call)
        self.receive(step, call, what, step.tag, began)

    def stopwatch(self, step: Clock) -> None:
        now = time.monotonic()
        if step.time is None:
            self.clock = now
            return
        wrong = late(step.time, now - self.clock, self.options.slack)
        self.log("driver", f"clock {now - self.clock:.3f} s")
        if wrong:
            self.problem(step, wrong, timing=True)

    def flags(self, step: Flags) -> None:
        fd = evaluate(step.fd, self.env)
        path = Path(f"/proc/{self.process()}/fdinfo/{fd}")
        try:
            lines = path.read_text(encoding="ascii").splitlines()
        except OSError as error:
            testee = self.testee("")
            why = testee.ending() if testee.gone else error.strerror
            raise PeerError(f"descriptor {show(fd)}: {why}") from None
        flags = next(int(line.split()[1], 8) for line in lines if "flags:" in line)
        if bool(flags & os.O_NONBLOCK) == step.blocks:
            said = "does not block" if step.blocks else "blocks"
            raise PeerError(f"descriptor {show(fd)} {said}")
        self.log("driver", step.text.strip())

    def stops(self, step: Step) -> bool:
        """Whether the scenario ends for one of the testees before this step."""
        others = getattr(step, "others", {})
        for name in self.cast.values():
            if isinstance(others.get(name), Stop):
                self.outcome.deviated.add(name)
                return True
        return False

    def stopped(self, step: Step) -> bool:
        """Whether it ends for one of them behind this step."""
        others = getattr(step, "others", {})
        return any(
            isinstance(others.get(name), Expect) and others[name].stop
            for name in self.cast.values()
        )

    def play(self) -> Outcome:
        for step in self.scenario.steps:
            if self.stops(step):
                break
            try:
                if time.monotonic() > self.end:
                    raise _Abort(f"not done after {self.scenario.seconds:g} s")
                self.step(step)
            except _Abort as error:
                if str(error):
                    self.problem(step, str(error))
                break
            except (PeerError, Mismatch, TesteeError) as error:
                self.problem(step, str(error))
                if isinstance(error, TesteeError):
                    self.broken.update(self.used)
                break
            if self.stopped(step):
                break
        self.finish()
        self.outcome.seconds = time.monotonic() - self.began
        return self.outcome

    def finish(self) -> None:
        for role, testee in self.used.items():
            try:
                if role not in self.broken:
                    said = testee.reset(STEP_SECONDS)
                    if said:
                        self.broken.add(role)
                        if self.outcome.passed:
                            self.problem(None, f"{self.who(role)}: {said}")
            except TesteeError as error:
                self.broken.add(role)
                # After a wrong answer a testee may be left in a call that nobody ends.
                if self.outcome.passed:
                    self.problem(None, f"{self.who(role)}: at the end: {error}")
            # A scenario that failed may have left anything behind.
            if role in self.broken or not self.outcome.passed:
                self.pool.discard(testee)
            elif self.scenario.names:
                self.pool.retire(testee)
        self.peers.finish()
        for _, what in self.begun.values():
            if isinstance(what, _Background):
                what.thread.join(STEP_SECONDS)


def play(
    scenario: Scenario, cast: dict[str, str], pool: Pool, options: Options
) -> Outcome:
    """Plays a scenario with a testee for each of its roles (the role "" where it names
    none) and returns what happened."""
    return _Run(scenario, cast, pool, options).play()


def casts(scenario: Scenario, testees: list[str]) -> list[dict[str, str]]:
    """Who plays which role: each testee alone, or every ordered pair of different
    ones; a single testee plays both."""
    if scenario.roles in ([""], []):
        return [{"": name} for name in testees]
    if not set(scenario.roles) <= set(ANY_ROLES):
        return [{role: role for role in scenario.roles}]
    if len(scenario.roles) == 1:
        return [{scenario.roles[0]: name} for name in testees]
    first, second = scenario.roles
    pairs = [(one, other) for one in testees for other in testees if one != other]
    if len(testees) == 1:
        pairs = [(testees[0], testees[0])]
    return [{first: one, second: other} for one, other in pairs]


def obstacle(
    scenario: Scenario,
    cast: dict[str, str],
    greetings: dict[str, Greeting],
    lacking: Callable[[str], str | None],
) -> str | None:
    """Why this cast cannot play the scenario here, or None."""
    for role, name in cast.items():
        if name not in greetings:
            return f"{name} is not among the testees"
        if scenario.only is not None and name not in scenario.only:
            return f"only for {', '.join(scenario.only)}"
        if name in scenario.skip:
            return scenario.skip[name]
        said = greetings[name]
        for item in capabilities.used(scenario, name):
            if not said.offered(item):
                return f"it does not offer {item}"
        threads = role in scenario.threaded or "threads" in scenario.needs
        if threads and "threads" not in said.flags:
            return "no threads in one state of this language"
    for need in sorted(scenario.needs - {"threads"}):
        reason = lacking(need)
        if reason:
            return reason
    return None
