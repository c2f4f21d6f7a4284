# SPDX-License-Identifier: MIT
"""The suite: which scenario is played by whom, in parallel, and the verdict of each.

A verdict is where the lists of exceptions meet the outcome: deviations, known failures,
skips and retries. All are strict both ways: an exception that is no longer one is a
failure.
"""

from __future__ import annotations

import queue
import socket
import sys
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Callable

from . import copies, resolver
from .engine import Options, Outcome, Problem, casts, obstacle, play
from .greeting import Greeting
from .match import COMPILER
from .testees import Pool, Spec
from .transcript import Scenario

OK, DEVIATION, KNOWN, FAIL, SKIPPED = "ok", "deviation", "known", "FAIL", "skipped"
RETRIES = 2


@dataclass
class Result:
    scenario: Scenario
    cast: dict[str, str]
    mark: str = FAIL
    reason: str = ""
    outcome: Outcome | None = None
    retried: int = 0

    @property
    def testee(self) -> str:
        return "+".join(self.cast.values())


@dataclass
class Known:
    testee: str
    scenario: str
    reason: str
    path: Path
    line: int

    @property
    def sometimes(self) -> bool:
        return self.reason.startswith("sometimes: ")


def read_known(path: Path) -> list[Known]:
    """The list in a file; ValueError for what is none."""
    out = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except ValueError:
        raise ValueError(f"{path}: not UTF-8 text") from None
    for number, line in enumerate(lines, 1):
        words = line.split("#", 1)[0].split(None, 2)
        if words:
            if len(words) < 3:
                text = "a line should be `TESTEE SECTION/NAME reason`"
                raise ValueError(f"{path}:{number}: {text}")
            for testee in words[0].split(","):
                out.append(Known(testee, words[1], words[2].strip(), path, number))
    return out


def _can_bind(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.bind((address, 0))
        return True
    except OSError:
        return False


@cache
def lacking(need: str) -> str | None:
    """Why a need of a scenario is not met on this machine, or None."""
    if need == "ipv6":
        return None if _can_bind("::1") else "no IPv6 on this machine"
    if need == "linux":
        return None if sys.platform.startswith("linux") else "only on Linux"
    if need == "dualname":
        found = socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
        families = {item[0] for item in found}
        if _can_bind("::1") and {socket.AF_INET, socket.AF_INET6} <= families:
            return None
        return "localhost has no addresses of both families"
    if need == "loopback":
        return None if _can_bind("127.0.0.2") else "127.0.0.2 is not of this machine"
    if need == "resolver":
        return resolver.library()[1] or None
    if need == "copies":
        return copies.obstacle()
    return f"unknown need: {need}"


def judge(result: Result, known: dict[tuple[str, str], Known]) -> None:
    """The verdict of a result that was played."""
    scenario, outcome = result.scenario, result.outcome
    assert outcome is not None
    excuse = known.get((result.testee, scenario.name))
    # A deviation without an `or` line says that the scenario fails, as a whole.
    whole = [
        name
        for name in result.cast.values()
        if name in scenario.deviates and not _told(scenario, name)
    ]
    if excuse is not None:
        if outcome.passed and excuse.sometimes:
            result.mark = OK
        elif outcome.passed:
            result.mark = FAIL
            result.reason = f"listed in {excuse.path.name}, but it passes"
        else:
            result.mark, result.reason = KNOWN, excuse.reason
    elif whole and outcome.passed:
        result.mark = FAIL
        result.reason = f"a listed deviation of {whole[0]}, but it passes"
    elif whole:
        result.mark, result.reason = DEVIATION, scenario.deviates[whole[0]]
    elif not outcome.passed:
        problem = outcome.problems[0]
        where = f"line {problem.line}: " if problem.line else ""
        result.mark, result.reason = FAIL, where + problem.text
    elif outcome.deviated:
        names = sorted(outcome.deviated)
        result.mark = DEVIATION
        result.reason = "; ".join(scenario.deviates[name] for name in names)
    elif _refused(outcome):
        result.mark, result.reason = SKIPPED, "the compiler refuses these calls"
    else:
        result.mark = OK
        result.reason = "retried" if result.retried else ""


def _refused(outcome: Outcome) -> bool:
    """Whether all that the scenario says of misuse could not even be called."""
    raised = [seen.answer.cls for seen in outcome.seen if seen.answer.mark == "X"]
    return bool(raised) and all(cls == COMPILER for cls in raised)


def _told(scenario: Scenario, name: str) -> bool:
    return any(name in getattr(step, "others", {}) for step in scenario.steps)


@dataclass
class Suite:
    specs: dict[str, Spec]
    options: Options
    jobs: int = 2
    retry: bool = False  # whatever failed, not only what failed on time
    greetings: dict[str, Greeting] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def start(self) -> dict[str, str]:
        """Starts each testee once, to learn what it can; returns who they are."""
        pool = Pool(self.specs)
        versions = {}
        for name in self.specs:
            testee = pool.get(name)
            said = self.greetings[name] = testee.greeting
            versions[name] = said.version
            self.complaints += [f"{name}: its greeting: {item}" for item in said.faults]
        self.complaints += pool.finish()
        return versions

    def run(
        self,
        scenarios: list[Scenario],
        known: list[Known],
        progress: Callable[[Result, int, int], None],
    ) -> list[Result]:
        listed = {(item.testee, item.scenario): item for item in known}
        results: list[Result] = []
        waiting: queue.SimpleQueue[Result] = queue.SimpleQueue()
        for scenario in scenarios:
            for cast in casts(scenario, list(self.specs)):
                result = Result(scenario, cast)
                results.append(result)
                reason = obstacle(scenario, cast, self.greetings, lacking)
                if reason is None:
                    waiting.put(result)
                elif (result.testee, scenario.name) in listed:
                    name = listed[result.testee, scenario.name].path.name
                    result.reason = f"listed in {name}, but skipped: {reason}"
                else:
                    result.mark, result.reason = SKIPPED, reason
        done = [0]
        total, lock = waiting.qsize(), threading.Lock()
        again: list[Result] = []
        broken: list[BaseException] = []  # what ended the run

        def work() -> None:
            pool = Pool(self.specs)
            while not broken:
                try:
                    result = waiting.get_nowait()
                except queue.Empty:
                    break
                self._play(result, pool)
                judge(result, listed)
                with lock:
                    if broken:
                        return
                    done[0] += 1
                    if result.mark == FAIL and self._deserves(result):
                        again.append(result)
                        continue
                    try:
                        progress(result, done[0], total)
                    except Exception as error:  # noqa: BLE001 - raised again below
                        broken.append(error)
            said = pool.finish()
            with lock:
                self.complaints.extend(said)

        # Daemons: whoever breaks the run off does not wait for their scenarios.
        jobs = range(min(self.jobs, max(1, total)))
        workers = [threading.Thread(target=work, daemon=True) for _ in jobs]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        except KeyboardInterrupt as error:
            with lock:
                broken.append(error)
        if broken:
            raise broken[0]
        self._again(again, listed, lambda result: progress(result, total, total))
        return results

    def _deserves(self, result: Result) -> bool:
        """Whether a failure may be one of the machine, and is tried again."""
        return result.outcome is not None and (self.retry or result.outcome.timing_only)

    def _again(
        self,
        results: list[Result],
        listed: dict[tuple[str, str], Known],
        progress: Callable[[Result], None],
    ) -> None:
        """Those that deserve it, once more, one at a time on a quieter machine."""
        pool = Pool(self.specs)
        for result in results:
            for _ in range(RETRIES):
                result.retried += 1
                self._play(result, pool)
                judge(result, listed)
                if result.mark != FAIL or not self._deserves(result):
                    break
            progress(result)
        self.complaints += pool.finish()

    def _play(self, result: Result, pool: Pool) -> None:
        try:
            result.outcome = play(result.scenario, result.cast, pool, self.options)
        except Exception as error:  # noqa: BLE001 - a fault of ours fails one cell only
            result.outcome = Outcome()
            result.outcome.problems.append(
                Problem(None, f"the driver: {type(error).__name__}: {error}")
            )
