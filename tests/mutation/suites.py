# SPDX-License-Identifier: MIT
"""The tests that may notice a mutant: C units, columns of the conformance suite, and the
tests of the languages. Each is a list of tests, with the functions that a test reaches
and the time that it takes; each can run some of them on one mutant.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from polysock_conformance import engine
from polysock_conformance.cli import read_scenarios
from polysock_conformance.engine import Options, casts, obstacle, play
from polysock_conformance.suite import RETRIES, Result, judge, lacking
from polysock_conformance.testees import Pool, Spec
from polysock_conformance.transcript import Scenario
from schema import PROBES

engine.STEP_SECONDS = 3.0
HANGS = "it does not end"
LONG = ("core.fork_steps", "core.storm_objects")  # only when every test is asked for


@dataclass
class Test:
    """One test: how it is called, and what it is known by."""

    name: str
    argv: list[str] = field(default_factory=list)
    seconds: float = 0.0  # how long it takes without a mutant
    reach: frozenset[int] = frozenset()


class Place:
    """Where things are: the copy of the tree, its build, and the environment for both."""

    def __init__(self, work: Path) -> None:
        self.work, self.tree, self.build = work, work / "tree", work / "build"
        self.suite = self.tree / "tests/conformance"

    def env(self, number: int) -> dict[str, str]:
        lua, mine = f"{self.tree}/lua", Path(__file__).resolve().parent
        return {
            "PS_MUTANT": str(number),
            "LUA_PATH": f"{lua}/?.lua;{lua}/?/init.lua;;",
            "LUA_CPATH": f"{self.work}/lib/lua/?.so;;",
            "PYTHONPATH": f"{self.tree}/python:{mine}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "RUBYLIB": f"{self.tree}/ruby:{self.work}/lib/ruby",
        }

    def links(self) -> None:
        """Puts the modules where the languages look for them."""
        for language, module in (("lua", "core.so"), ("ruby", "polysock_ruby/core.so")):
            folder = self.work / "lib" / language / "polysock"
            folder.mkdir(parents=True, exist_ok=True)
            link(folder / "core.so", self.build / module)
        for path in self.build.glob("_core.*.so"):
            link(self.tree / "python/polysock" / path.name, path)

    def run(
        self, argv: Sequence[str], number: int, seconds: float, **env: str
    ) -> tuple[bool, str]:
        """Whether the command ends well, and the end of what it says."""
        process = subprocess.Popen(
            argv,
            cwd=self.tree,
            env={**os.environ, **self.env(number), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            out, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # and all that it started
            process.communicate()
            return False, HANGS
        if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return False, HANGS
        return process.returncode == 0, out.decode("utf-8", "replace")[-2000:]


def link(place: Path, target: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)


@contextmanager
def reached() -> Iterator[tuple[str, set[int]]]:
    """A file for PS_REACH, and what was reached when it is done."""
    seen: set[int] = set()
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(PROBES)
        yield file.name, seen
        with mmap.mmap(file.fileno(), 0) as there:
            seen.update(at for at, byte in enumerate(there[:]) if byte)


class Suite:
    """Some tests. `notices` returns the first one that fails with a mutant, or None."""

    name: str

    def __init__(self, place: Place) -> None:
        self.place = place
        self.tests: dict[str, Test] = {}
        self.faults: list[str] = []  # what is red as it is proves nothing: left out

    def discover(self, jobs: int) -> None:
        """Runs each test without a mutant, to learn what it reaches and takes."""
        raise NotImplementedError

    def notices(self, number: int, tests: Sequence[Test]) -> str | None:
        raise NotImplementedError


class Programs(Suite):
    """Tests that are a program each."""

    def __init__(self, place: Place, name: str, tests: Sequence[Test]) -> None:
        super().__init__(place)
        self.name = name
        self.tests = {test.name: test for test in tests}

    def discover(self, jobs: int) -> None:
        def learn(test: Test) -> None:
            with reached() as (file, seen):
                began = time.monotonic()
                well, said = self.place.run(test.argv, 0, 200.0, PS_REACH=file)
            test.seconds, test.reach = time.monotonic() - began, frozenset(seen)
            if not well:
                self.faults.append(f"{test.name} [{self.name}]: {said}")
                del self.tests[test.name]

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(learn, list(self.tests.values())))

    def notices(self, number: int, tests: Sequence[Test]) -> str | None:
        for test in tests:
            limit = 4.0 + 6 * test.seconds
            # One that spins is found sooner, by the time of the processor.
            spins = f'ulimit -t {math.ceil(0.5 + 3 * test.seconds)}; exec "$@"'
            argv = ["sh", "-c", spins, "sh", *test.argv]
            well, said = self.place.run(argv, number, limit)
            # A busy machine may be at fault, once, but not for one that hangs.
            if not well and not said.startswith(HANGS):
                well, said = self.place.run(argv, number, limit)
            if not well:
                return test.name
        return None


def units(place: Place, every: bool) -> Programs:
    """What ctest runs, but for what only says the same again under valgrind."""
    argv = ["ctest", "--test-dir", str(place.build), "--show-only=json-v1"]
    listed = json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout)
    fewer = {"20000": "4000"}  # worlds of the simulation
    tests = [
        Test(item["name"], [fewer.get(word, word) for word in item["command"]])
        for item in listed["tests"]
        if item["name"] != "interface" and not item["name"].endswith(".valgrind")
        if every or item["name"] not in LONG
    ]
    return Programs(place, "units", tests)


def specs(place: Place) -> Programs:
    """tests/lua, by file."""
    busted = ["busted", f"--lua={shutil.which('lua5.4')}", "-o", "plainTerminal"]
    files = sorted((place.tree / "tests/lua").glob("*_spec.lua"))
    return Programs(
        place, "tests/lua", [Test(file.name, [*busted, str(file)]) for file in files]
    )


def ruby(place: Place) -> Programs:
    """tests/ruby: one program."""
    return Programs(
        place, "tests/ruby", [Test("all.rb", ["ruby", f"{place.tree}/tests/ruby/all.rb"])]
    )


class Pytest(Suite):
    """tests/python, by test."""

    name = "tests/python"

    def argv(self, *more: str) -> list[str]:
        options = ["-x", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider", "-p", "watch"]
        return [sys.executable, "-m", "pytest", *options, *more]

    def discover(self, jobs: int) -> None:
        # What is generated differs from what is checked in as soon as a line differs.
        ignored = "--ignore=tests/python/test_generated.py"
        argv = self.argv("--maxfail=1000", ignored, "tests/python")
        notes = self.place.work / "pytest.json"
        notes.unlink(missing_ok=True)
        with reached() as (file, _):
            _, said = self.place.run(argv, 0, 400.0, PS_REACH=file, PS_NOTES=str(notes))
        if not notes.exists():
            raise SystemExit(f"mutate: tests/python does not run:\n{said}")
        always, found, failed = json.loads(notes.read_text(encoding="utf-8"))
        self.faults += [f"{name} [{self.name}]" for name in failed]
        for name, (seconds, reach) in found.items():
            if name not in failed:
                self.tests[name] = Test(name, [], seconds, frozenset([*always, *reach]))

    def notices(self, number: int, tests: Sequence[Test]) -> str | None:
        if not tests:
            return None
        limit = 10.0 + 4 * sum(test.seconds for test in tests)
        argv = self.argv(*(test.name for test in tests))
        well, said = self.place.run(argv, number, limit)
        if well:
            return None
        failed = re.search(r"^FAILED (.+?)(?: - |$)", said, re.M)
        if failed is None or failed[1] not in self.tests:
            return HANGS if said == HANGS else "it does not start, or dies"
        # A busy machine may be at fault, once.
        if not self.place.run(self.argv(failed[1]), number, limit)[0]:
            return failed[1]
        rest = [test for test in tests if test.name != failed[1]]
        return self.notices(number, rest)


class Column(Suite):
    """The conformance scenarios in one language."""

    def __init__(self, place: Place, name: str) -> None:
        super().__init__(place)
        self.name = name
        found, _ = read_scenarios(place.suite / "polysock_conformance/scenarios")
        pool = Pool({name: self.spec(0)})
        self.greetings = {name: pool.get(name).greeting}
        pool.finish()
        self.scenarios: dict[str, Scenario] = {
            scenario.name: scenario for scenario in found if self.casts(scenario)
        }

    def casts(self, scenario: Scenario) -> list[dict[str, str]]:
        return [
            cast
            for cast in casts(scenario, [self.name])
            if obstacle(scenario, cast, self.greetings, lacking) is None
        ]

    def spec(self, number: int, **env: str) -> Spec:
        argv = {
            "c": [str(self.place.build / "tests/testee_c")],
            "lua": ["lua5.4", f"{self.place.suite}/testee.lua", "polysock"],
            "python": [sys.executable, f"{self.place.suite}/testee.py"],
            "ruby": ["ruby", f"{self.place.suite}/testee.rb"],
        }[self.name]
        # One that spins must end even if nobody is left to kill it.
        argv = ["sh", "-c", 'ulimit -t 60; exec "$@"', "sh", *argv]
        return Spec(self.name, argv, env={**self.place.env(number), **env})

    def discover(self, jobs: int) -> None:
        def learn(scenario: Scenario) -> None:
            with reached() as (file, seen):
                pool = Pool({self.name: self.spec(0, PS_REACH=file)})
                began = time.monotonic()
                well = self.passes(scenario, pool)
                seconds = time.monotonic() - began
                pool.finish()  # in order, since it may do something at the end, too
            if well:
                test = Test(scenario.name, [], seconds, frozenset(seen))
                self.tests[scenario.name] = test
            else:
                self.faults.append(f"{scenario.name} [{self.name}]")

        with ThreadPoolExecutor(3 * jobs) as pool:
            list(pool.map(learn, self.scenarios.values()))

    def passes(self, scenario: Scenario, pool: Pool) -> bool:
        for cast in self.casts(scenario):
            result = Result(scenario, cast)
            for _ in range(RETRIES + 1):
                try:
                    result.outcome = play(scenario, cast, pool, Options())
                    judge(result, {})
                except Exception as error:  # noqa: BLE001 - a testee that does not start
                    result.outcome, result.reason = None, str(error)
                    return False
                # A busy machine may be at fault, but not for one that dies or hangs.
                dead = re.search(r"it died|it ended|does not start", result.reason)
                if result.mark != "FAIL" or dead:
                    break
            if result.mark == "FAIL":
                return False
        return True

    def notices(self, number: int, tests: Sequence[Test]) -> str | None:
        pool = Pool({self.name: self.spec(number)})
        try:
            for test in tests:
                if not self.passes(self.scenarios[test.name], pool):
                    return test.name
            return None
        finally:
            kill(pool)


def kill(pool: Pool) -> None:
    """Nobody asks how they end: they may hang."""
    for running in pool.running.values():
        running.kill()


def make(place: Place, name: str, every: bool) -> Suite:
    """The suite of that name."""
    if name == "units":
        return units(place, every)
    if name == "tests/lua":
        return specs(place)
    if name == "tests/ruby":
        return ruby(place)
    return Pytest(place) if name == "tests/python" else Column(place, name)


# --- who notices a mutant ---------------------------------------------------------------


class Bench:
    """All suites, and which of their tests bit last."""

    RECENT = 12

    def __init__(self, suites: Sequence[Suite], jobs: int) -> None:
        self.suites = {suite.name: suite for suite in suites}
        self.jobs = jobs
        self.lock = threading.Lock()
        self.bit: dict[int | str, list[tuple[str, str]]] = {}  # by probe, and by file

    def discover(self) -> None:
        for suite in self.suites.values():
            began = time.monotonic()
            suite.discover(self.jobs)
            for fault in suite.faults:
                print(f"left out, red as it is: {fault}")
            seconds = time.monotonic() - began
            print(f"{suite.name}: {len(suite.tests)} tests, {seconds:.0f} s", flush=True)

    def verdict(
        self, number: int, file: str, probes: set[int], stages: Sequence[str]
    ) -> tuple[str, str]:
        """("killed", by what) or ("survived", "")."""
        tried: set[tuple[str, str]] = set()
        stages = [name for name in stages if name in self.suites]
        places: list[int | str] = [*probes, file]
        with self.lock:
            recent = [bite for at in places for bite in self.bit.get(at, [])]
        by_suite: dict[str, list[Test]] = {}
        for suite, name in dict.fromkeys(recent):
            test = self.suites[suite].tests.get(name) if suite in stages else None
            if test and test.reach & probes:
                by_suite.setdefault(suite, []).append(test)
        groups = list(by_suite.items())
        for stage in stages:
            able = [
                test for test in self.suites[stage].tests.values() if test.reach & probes
            ]
            groups.append((stage, sorted(able, key=lambda test: test.seconds)))
        for stage, tests in groups:
            fresh = [test for test in tests if (stage, test.name) not in tried]
            tried.update((stage, test.name) for test in fresh)
            by = self.suites[stage].notices(number, fresh) if fresh else None
            if by:
                with self.lock:
                    for at in places:
                        old = [
                            bite for bite in self.bit.get(at, []) if bite != (stage, by)
                        ]
                        self.bit[at] = [(stage, by), *old][: self.RECENT]
                return "killed", f"{stage} {by}"
        return "survived", ""
