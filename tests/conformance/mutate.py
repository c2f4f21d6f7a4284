#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the tests find faults: it makes small faults in the sources, one at a time,
and each must fail a test. See docs/conformance.md.

A mutant is one line changed. It is built in a folder of its own, never in the tree, and
goes through the C units, the conformance columns that it can affect and the tests of its
language, until one of them fails. Those that nothing notices are listed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from mutants import Mutant, excuse, mutants, read_excuses
from polysock_conformance import engine
from polysock_conformance.cli import read_scenarios
from polysock_conformance.engine import Options, casts, obstacle, play
from polysock_conformance.suite import RETRIES, Result, judge, lacking
from polysock_conformance.testees import Pool, Spec
from polysock_conformance.transcript import Scenario

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EQUIVALENT = HERE / "equivalent.txt"
COPIED = ("core", "swig", "lua", "python", "tests", "CMakeLists.txt", "pyproject.toml")
FILES = tuple(
    path.relative_to(ROOT).as_posix()
    for pattern in (
        "core/[!o]*.c",
        "core/o[!s]*.c",
        "swig/*.h",
        "swig/*/lang.i",
        "swig/*/*.h",
    )
    for path in sorted(ROOT.glob(pattern))
)
SLOW = 5.0  # seconds; a unit that takes longer is for its own file only
VERDICTS = ("killed", "invalid", "survived")
# KiB. A mutant that asks for ever more of it must not take the machine along.
MEMORY = 6 << 20

# --- building and testing one ---------------------------------------------------------


class Bench:
    """A copy of the tree with one build folder, in which mutants come and go."""

    def __init__(self, work: Path, jobs: int) -> None:
        self.work, self.tree, self.build = work, work / "tree", work / "build"
        self.jobs = jobs
        self.scenarios: list[Scenario] = []
        self.excluded: set[tuple[str, str]] = set()  # (testee, scenario): red as it is
        self.killers: dict[str, list[str]] = {}  # the last ones that bit, by column
        self.seconds: dict[tuple[str, str], float] = {}
        self.units: list[str] = []  # the C units that are green
        self.slow: set[str] = set()  # those of them that try every size

    def run(self, argv: list[str], seconds: float, cwd: Path | None = None) -> str | None:
        """None when the command ends well, else the end of what it said."""
        env = {**os.environ, **self.env()}
        process = subprocess.Popen(
            argv,
            cwd=cwd or self.tree,
            env=env,
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
            return f"not done after {seconds:g} s"
        if process.returncode == 0:
            return None
        said = out.decode("utf-8", "replace").strip()
        return said[-400:] or f"status {process.returncode}"

    def env(self) -> dict[str, str]:
        lua = f"{self.tree}/lua"
        return {
            "LUA_PATH": f"{lua}/?.lua;{lua}/?/init.lua;;",
            "LUA_CPATH": f"{self.work}/lib/?.so;;",
            "PYTHONPATH": f"{self.tree}/python",
        }

    def copy(self) -> None:
        shutil.rmtree(self.tree, ignore_errors=True)
        self.tree.mkdir(parents=True)
        for name in COPIED:
            source, target = ROOT / name, self.tree / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.so", ".*")
                # With times of their own, or an old mutant's object would stay.
                shutil.copytree(source, target, False, ignored, shutil.copyfile)
            else:
                shutil.copyfile(source, target)

    def prepare(self) -> None:
        argv = [
            "cmake",
            "-S",
            str(self.tree),
            "-B",
            str(self.build),
            "-G",
            "Ninja",
            "-DPOLYSOCK_TESTS=ON",
        ]
        argv += ["-DCMAKE_BUILD_TYPE=None", "-DCMAKE_C_FLAGS=-O1 -w"]
        argv += [f"-DPython_EXECUTABLE={sys.executable}"]
        said = self.run(argv, 120) or self.make("all")
        if said:
            raise SystemExit(f"mutate: the tree itself does not build:\n{said}")
        (self.work / "lib/polysock").mkdir(parents=True, exist_ok=True)
        link(self.work / "lib/polysock/core.so", self.build / "core.so")
        for module in self.build.glob("_core.*.so"):
            link(self.tree / "python/polysock" / module.name, module)
        root = self.tree / "tests/conformance/polysock_conformance/scenarios"
        self.scenarios, faults = read_scenarios(root)
        for fault in faults:
            print(f"left out: {fault}")

    def make(self, *targets: str) -> str | None:
        return self.run(["ninja", "-C", str(self.build), "-j", "2", *targets], 120)

    def spec(self, name: str) -> Spec:
        argv = {
            "c": [str(self.build / "tests/testee_c")],
            "lua": ["lua5.4", str(HERE / "testee.lua"), "polysock"],
            "python": [sys.executable, str(HERE / "testee.py")],
        }[name]
        # One that spins must end even if nobody is left to kill it.
        argv = ["sh", "-c", f'ulimit -t 60; ulimit -v {MEMORY}; exec "$@"', "sh", *argv]
        return Spec(name, argv, env=self.env())

    # the columns

    def order(self, testee: str, file: str) -> list[Scenario]:
        """What bit last comes first, then the quick ones."""
        recent = {name: at for at, name in enumerate(self.killers.get(file, []))}
        return sorted(
            [item for item in self.scenarios if (testee, item.name) not in self.excluded],
            key=lambda item: (
                recent.get(item.name, 1000),
                self.seconds.get((testee, item.name), 0.0),
            ),
        )

    def column(self, testee: str, file: str, every: bool = False) -> list[str]:
        """The scenarios that fail, the first one only unless every one is asked for."""
        try:
            pool = Pool({testee: self.spec(testee)})
            greetings = {testee: pool.get(testee).greeting}
            pool.finish()
        except Exception as error:  # noqa: BLE001 - one that does not start is noticed
            return [f"start: {error}"]
        waiting = self.order(testee, file)
        failed: list[str] = []
        lock = threading.Lock()

        def work() -> None:
            pool = Pool({testee: self.spec(testee)})
            while True:
                with lock:
                    if not waiting or (failed and not every):
                        break
                    scenario = waiting.pop(0)
                for cast in casts(scenario, [testee]):
                    if obstacle(scenario, cast, greetings, lacking) is None:
                        self.play(scenario, cast, pool, lock, failed)
            for running in pool.running.values():
                running.kill()  # it may hang, and nobody asks how it ends

        workers = [threading.Thread(target=work) for _ in range(self.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return failed

    def play(
        self,
        scenario: Scenario,
        cast: dict[str, str],
        pool: Pool,
        lock: threading.Lock,
        failed: list[str],
    ) -> None:
        result = Result(scenario, cast)
        for _ in range(RETRIES + 1):
            try:
                result.outcome = play(scenario, cast, pool, Options())
                judge(result, {})
            except Exception as error:  # noqa: BLE001 - a testee that does not start
                result.outcome, result.reason = None, str(error)
            # A busy machine may be at fault, once or twice, but not for a testee that
            # dies or hangs.
            if result.mark != "FAIL" or lost(result):
                break
        with lock:
            if result.outcome:
                key = (result.testee, scenario.name)
                self.seconds.setdefault(key, result.outcome.seconds)
            if result.mark == "FAIL":
                failed.append(scenario.name)

    def baseline(self, columns: list[str], core: bool) -> None:
        """What is red without any mutation proves nothing, and is left out."""
        for testee in columns:
            for name in self.column(testee, "", every=True):
                print(f"left out: {name} [{testee}] fails as it is")
                if name.startswith("start"):
                    raise SystemExit(f"mutate: {name}")
                self.excluded.add((testee, name))
        listed = subprocess.run(
            ["ctest", "--test-dir", str(self.build), "-N"], stdout=subprocess.PIPE
        ).stdout.decode()
        for unit in re.findall(r": (\S+)\n", listed) if core else []:
            began = time.monotonic()
            if self.run([*self.ctest(f"^{unit}$")], 200):
                print(f"left out: {unit} fails as it is")
                continue
            self.units.append(unit)
            if time.monotonic() - began > SLOW:
                self.slow.add(unit)
        for name, argv, seconds in self.others():
            if name.partition("/")[2] not in columns:
                continue
            said = self.run(argv, seconds)
            if said:
                print(f"left out: {name} fails as it is:\n{said}")
                self.excluded.add((name, ""))

    def ctest(self, expression: str, seconds: int = 60) -> list[str]:
        argv = ["sh", "-c", f'ulimit -v {MEMORY}; exec ctest "$@"', "ctest", "--test-dir"]
        argv += [str(self.build), "--stop-on-failure", "-j2"]
        return [*argv, "--timeout", str(seconds), "-R", expression]

    def others(self, own: str = "") -> list[tuple[str, list[str], float]]:
        """Test programs besides the columns."""
        pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        busted = ["busted", "--lua=/usr/bin/lua5.4", "-o", "plainTerminal", "tests/lua"]
        out = []
        if self.units:
            slow = self.slow - {f"core.{own}"}
            units = [unit for unit in self.units if unit not in slow]
            out.append(("units", self.ctest("^(" + "|".join(units) + ")$"), 120.0))
        if list((self.tree / "tests/lua").glob("*_spec.lua")) and shutil.which("busted"):
            out.append(("tests/lua", busted, 120.0))
        if list((self.tree / "tests/python").glob("test_*.py")):
            # What is generated differs from what is checked in as soon as a line differs.
            ignored = "--ignore=tests/python/test_generated.py"
            out.append(("tests/python", [*pytest, ignored, "tests/python"], 180.0))
        return out

    def verdict(self, mutant: Mutant) -> tuple[str, str]:
        """("killed", by what), ("survived", "") or ("invalid", why)."""
        path = self.tree / mutant.file
        original = path.read_text(encoding="utf-8")
        path.write_text(mutant.text, encoding="utf-8")
        try:
            return self.test(mutant)
        finally:
            path.write_text(original, encoding="utf-8")

    def test(self, mutant: Mutant) -> tuple[str, str]:
        language = mutant.file.split("/")[1] if mutant.file.startswith("swig/") else "c"
        module = {"lua": "polysock_lua", "python": "polysock_python"}
        # The unit of the file is the quickest, but for those that try every size.
        own = Path(mutant.file).stem
        unit = f"core.{own}"
        first = unit if unit in self.units and unit not in self.slow else ""
        target = module.get(language, "testee_c")
        said = self.make(target, *([f"test_{own}"] if first else []))
        if said:
            wrong = [line for line in said.splitlines() if "rror:" in line]
            return "invalid", wrong[0] if wrong else said.splitlines()[-1]
        if first and self.run(self.ctest(f"^{first}$", 10), 30):
            return "killed", f"units {first}"
        others = {name: (argv, limit) for name, argv, limit in self.others(own)}
        if language == "c":
            # The Lua module reads by way of views, which the C testee does not.
            stages = ["c", "units", "lua"]
        else:
            stages = [language, f"tests/{language}"]
        for stage in stages:
            if stage in others and (stage, "") not in self.excluded:
                if stage == "units":
                    self.make("tests/all")
                if self.run(*others[stage]):
                    return "killed", stage
            elif stage in ("c", "lua", "python"):
                if language == "c" and stage == "lua":
                    self.make("polysock_lua")
                failed = self.column(stage, mutant.file)
                if failed:
                    recent = self.killers.setdefault(mutant.file, [])
                    recent[:] = [failed[0], *(n for n in recent if n != failed[0])][:60]
                    return "killed", f"{stage} {failed[0]}"
        return "survived", ""


def lost(result: Result) -> bool:
    return result.outcome is None or bool(
        re.search(r"it died|it ended|does not start", result.reason)
    )


def link(place: Path, target: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)


# --- the report -----------------------------------------------------------------------


def tests_state(root: Path) -> str:
    """Changes with every test, so that survivors are tried again."""
    digest = hashlib.sha256()
    for path in sorted((root / "tests").rglob("*")):
        if path.is_file() and path.suffix in (".t", ".c", ".h", ".py", ".lua"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def report(all_mutants: list[Mutant], cache: dict[str, dict[str, str]], to: Path) -> str:
    """Writes the tables and returns the closing line."""
    rows, survivors = [], []
    totals: Counter[str] = Counter()
    for name in FILES:
        counts: Counter[str] = Counter()
        for mutant in all_mutants:
            if mutant.file == name:
                seen = cache.get(mutant.key, {}).get("verdict", "open")
                counts[seen] += 1
                if seen == "survived":
                    survivors.append(mutant)
        totals.update(counts)
        tried = counts["killed"] + counts["survived"]
        if not sum(counts.values()):
            continue
        score = f"{100 * counts['killed'] / tried:.1f} %" if tried else "-"
        rows.append(
            f"| {name} | {counts['killed']} | {counts['survived']} | "
            f"{counts['equivalent']} | {counts['invalid']} | {counts['open']} | {score} |"
        )
    out = ["# Mutation run", ""]
    out += ["| file | killed | survived | equivalent | invalid | open | score |"]
    out += ["| --- | ---: | ---: | ---: | ---: | ---: | ---: |", *rows, ""]
    out += ["## Survivors", ""]
    for mutant in survivors:
        out += [f"{mutant.file}:{mutant.line} ({mutant.kind})", ""]
        out += [f"    {mutant.place}: {mutant.change}"]
        out += [f"    - {mutant.before}", f"    + {mutant.after}", ""]
    killers: Counter[str] = Counter()
    for mutant in all_mutants:
        verdict = cache.get(mutant.key, {})
        if verdict.get("verdict") == "killed":
            killers[verdict["by"].split("/")[0]] += 1
    out += ["## What killed them", ""]
    out += [f"- {name}: {count}" for name, count in killers.most_common()]
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text("\n".join(out) + "\n", encoding="utf-8")
    print("\n".join(out[2 : 4 + len(rows)]))
    return (
        f"mutate: {totals['killed']} killed, {totals['survived']} survived, "
        f"{totals['equivalent']} equivalent, {totals['open']} open"
    )


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mutate.py", description="Puts faults into the sources; the tests must see."
    )
    add = parser.add_argument
    add("--sample", type=int, metavar="N", help="only N mutants, chosen by the seed")
    add("--seed", default="0", help="for the choice and the order (default: 0)")
    add("--file", action="append", metavar="FILE", help="only of this file; repeatable")
    add("--budget", type=float, default=0, metavar="SECONDS", help="then stop")
    add("-j", type=int, default=4, metavar="N", help="scenarios at a time (default: 4)")
    add("--again", action="store_true", help="forget the verdicts of earlier runs")
    add("--list", action="store_true", help="lists the mutants, and ends")
    add(
        "--work",
        type=Path,
        default=ROOT / "build/mutation",
        metavar="DIR",
        help="for the copy, the cache and report.md (default: build/mutation)",
    )
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = arguments(argv)
    began = time.monotonic()
    wanted = options.file or FILES
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.work.resolve(), options.j)
    bench.copy()  # of one moment, for the mutants and for the tests
    found = [mutant for name in wanted for mutant in mutants(bench.tree, name)]
    chosen = sorted(found, key=lambda item: (item.file, item.line, item.after))
    random.Random(options.seed).shuffle(chosen)
    if options.sample:
        chosen = chosen[: options.sample]
    if options.list:
        for mutant in sorted(chosen, key=lambda item: (item.file, item.line)):
            print(f"{mutant.file}:{mutant.line} ({mutant.kind})")
            print(f"  {mutant.place}: {mutant.change}")
            print(f"  - {mutant.before}\n  + {mutant.after}")
        print(f"{len(chosen)} of {len(found)} mutants")
        return 0
    excuses = read_excuses(EQUIVALENT)
    place = options.work / "cache.json"
    cache: dict[str, dict[str, str]] = {}
    if place.exists() and not options.again:
        cache = json.loads(place.read_text(encoding="utf-8"))
    state = tests_state(bench.tree)
    todo = []
    excused = excuse(found, excuses)
    for mutant in chosen:
        seen = cache.get(mutant.key, {})
        if mutant.key in excused:
            by = excused[mutant.key]
            cache[mutant.key] = {"verdict": "equivalent", "by": by}
            continue
        # One that survived is tried again when there is any new test.
        old = VERDICTS[:2] if seen.get("state") != state else VERDICTS
        if seen.get("verdict") not in old:
            todo.append(mutant)
    todo.sort(key=lambda mutant: mutant.key not in cache)  # the survivors come first
    # All files at once: an excuse does not say in which file its function is.
    wrong = [item for item in excuses if item.found != item.count and not options.file]
    for item in wrong:
        print(
            f"FAULT {EQUIVALENT.name}:{item.line}: it is for {item.count} mutants, "
            f"and there are {item.found}"
        )
    if todo:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        engine.STEP_SECONDS = 3.0
        bench.prepare()
        languages = {name.split("/")[1] for name in wanted if name.startswith("swig/")}
        core = any(name.startswith("core/") for name in wanted)
        bench.baseline(sorted(languages | ({"c", "lua"} if core else set())), core)
        for number, mutant in enumerate(todo, 1):
            if options.budget and time.monotonic() - began > options.budget:
                break
            since = time.monotonic()
            verdict, by = bench.verdict(mutant)
            cache[mutant.key] = {"verdict": verdict, "by": by, "state": state}
            place.write_text(json.dumps(cache, indent=0), encoding="utf-8")
            print(
                f"{number}/{len(todo)} {verdict} {mutant.file}:{mutant.line} "
                f"{mutant.after} [{by}] {time.monotonic() - since:.1f} s",
                flush=True,
            )
    closing = report(chosen, cache, options.work / "report.md")
    print(f"{options.work / 'report.md'}: {time.monotonic() - began:.0f} s")
    print(closing)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
