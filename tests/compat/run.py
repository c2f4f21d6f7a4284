#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs programs that were written for LuaSocket on it and on polysock, and compares.

Each program runs twice against servers of its own, once on each library, and says
labelled lines. A case passes when both runs came to its end and said the same, but for
the differences that differences.ini lists with their reasons; one that is listed and not
seen fails. The last line is always `compat: N passed, N failed, N skipped`.
"""

from __future__ import annotations

import argparse
import configparser
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, ContextManager, Dict, List, NamedTuple, Optional, Tuple

import services
import xmpp

HERE = Path(__file__).resolve().parent
LIMIT = 30.0  # seconds that one run of a program may take
# Debian installs what is pure Lua for older versions of Lua only.
OLDER = ";".join(f"/usr/share/lua/{version}/?.lua" for version in ("5.3", "5.2"))

LUASOCKET = "LuaSocket"
POLYSOCK = "polysock"
Line = Tuple[str, str, str]  # case, label, values


@dataclass
class Program:
    name: str
    needs: Tuple[str, ...] = ()
    once: bool = False  # it compares by itself


PROGRAMS = (
    Program("copas", ("nginx",)),
    Program("http", ("nginx",)),
    Program("redis", ("redis",)),
    Program("tls", ("s_server",)),
    Program("mail", ("smtp", "ftp")),
    Program("streams"),
    Program("deviations"),
    Program("classes"),
    Program("prosody select"),
    Program("prosody epoll"),
    Program("both", once=True),
    Program("switch", once=True),
)


@dataclass
class Run:
    """What one run of a program said."""

    lines: List[Line] = field(default_factory=list)
    versions: Dict[str, str] = field(default_factory=dict)
    problem: str = ""
    missing: str = ""
    seconds: float = 0.0

    def cases(self) -> Dict[str, Dict[str, str]]:
        found: Dict[str, Dict[str, str]] = {}
        for case, label, values in self.lines:
            said = found.setdefault(case, {})
            number = 1
            unique = label
            while unique in said:
                number += 1
                unique = f"{label} #{number}"
            said[unique] = values
        return found


class Verdict(NamedTuple):
    case: str
    word: str  # passed, failed or skipped
    text: str = ""


class Runner:
    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.tls = folder / "tls"
        self.tls.mkdir()

    def environment(self, extra: Dict[str, str]) -> Dict[str, str]:
        env = dict(os.environ, LC_ALL="C")
        env.pop("LUA_INIT", None)
        env.pop("LUA_INIT_5_4", None)
        for name in ("LUA_PATH", "LUA_CPATH"):
            env[name] = os.environ.get(name, ";;")
        env["LUA_PATH"] = f"{env['LUA_PATH']};{HERE}/?.lua;{OLDER}"
        env["TLS_FOLDER"] = str(self.tls)
        env.update(extra)
        return env

    def command(self, library: str) -> List[str]:
        switch = ["-l", "polysock.luasocket"] if library == POLYSOCK else []
        return [self.options.lua, *switch]

    def run(self, program: Program, library: str) -> Run:
        started = time.monotonic()
        result = Run()
        try:
            folder = self.folder / f"{program.name} on {library}".replace(" ", "-")
            folder.mkdir()
            with ExitStack() as stack:
                if program.name.startswith("prosody"):
                    self.prosody(program, library, folder, stack, result)
                else:
                    self.lua(program, library, folder, stack, result)
        except services.Missing as missing:
            result.missing = str(missing)
        except services.ServiceError as problem:
            result.problem = f"a server did not start:\n{problem}"
        result.seconds = time.monotonic() - started
        return result

    def prosody(
        self, program: Program, library: str, folder: Path, stack: ExitStack, result: Run
    ) -> None:
        backend = program.name.split()[1]
        ports = stack.enter_context(
            services.prosody(
                folder, self.tls, backend, self.command(library), self.environment({})
            )
        )
        result.lines = xmpp.play(f"prosody {backend}", ports, self.tls)

    def lua(
        self, program: Program, library: str, folder: Path, stack: ExitStack, result: Run
    ) -> None:
        env: Dict[str, str] = {}
        starters: Dict[str, Callable[[Path], ContextManager[Dict[str, str]]]] = {
            "nginx": lambda path: services.nginx(path, self.tls),
            "s_server": lambda path: services.s_server(self.tls),
            "redis": services.redis,
            "smtp": services.smtp,
            "ftp": services.ftp,
        }
        for need in program.needs:
            path = folder / need
            path.mkdir()
            env.update(stack.enter_context(starters[need](path)))
        script = str(HERE / "programs" / f"{program.name}.lua")
        child = services.Process(
            [*self.command(library), script], env=self.environment(env), lines=None
        )
        try:
            finished = child.wait(LIMIT)
        finally:
            child.kill()
        for line in child.lines:
            parts = line.split("\t", 2)
            if parts[0] == "VERSION" and len(parts) == 3:
                result.versions[parts[1]] = parts[2]
            elif len(parts) > 1:
                result.lines.append((parts[0], parts[1], parts[2] if parts[2:] else ""))
        if not finished:
            result.problem = f"it did not end within {LIMIT:.0f} s\n"
        elif child.child.returncode:
            result.problem = f"it ended with {child.child.returncode}\n"
        if result.problem:
            result.problem += "\n".join(list(child.lines)[-15:])


# ---- Verdicts


class Differences:
    """The differences that are meant, from differences.ini."""

    def __init__(self, path: Path) -> None:
        self.parser = configparser.RawConfigParser(
            delimiters=("=",), comment_prefixes=("#",)
        )
        self.parser.read(path, encoding="utf-8")
        self.seen: Dict[str, bool] = dict.fromkeys(self.parser.sections(), False)

    def meant(
        self, case: str, label: str, luasocket: str, polysock: str
    ) -> Optional[str]:
        """The reason, if just this difference is listed."""
        name = f"{case} | {label}"
        if name not in self.seen:
            return None
        section = self.parser[name]
        if (section.get("luasocket"), section.get("polysock")) != (luasocket, polysock):
            return None
        self.seen[name] = True
        return section["because"]

    def stale(self, cases: Dict[str, str]) -> List[Verdict]:
        return [
            Verdict(
                name,
                "failed",
                "listed in differences.ini, but there is no such difference",
            )
            for name, seen in self.seen.items()
            if not seen and cases.get(name.split(" | ")[0]) == "passed"
        ]


def ended(said: Optional[Dict[str, str]]) -> str:
    """How a case ended: DONE, SKIPPED, RAISED, or why there is no end."""
    if said is None:
        return "it was not run"
    for word in ("DONE", "SKIPPED", "RAISED"):
        if word in said:
            return word
    return "it was not finished"


def compare(
    one: Run, two: Run, differences: Differences, notes: List[str]
) -> List[Verdict]:
    verdicts = []
    luasocket, polysock = one.cases(), two.cases()
    for case in dict.fromkeys([*luasocket, *polysock]):
        said, ours = luasocket.get(case), polysock.get(case)
        ends = ended(said), ended(ours)
        if said is None or ours is None or ends[0] != ends[1] or ends[0] == "RAISED":
            texts = [
                f"on {name}: {end} {(lines or {}).get(end, '')}".rstrip()
                for name, end, lines in (
                    (LUASOCKET, ends[0], said),
                    (POLYSOCK, ends[1], ours),
                )
            ]
            verdicts.append(Verdict(case, "failed", "\n".join(texts)))
            continue
        if ends[0] == "SKIPPED":
            verdicts.append(Verdict(case, "skipped", said["SKIPPED"]))
            continue
        wrong = []
        for label in dict.fromkeys([*said, *ours]):
            left, right = said.get(label, "(not said)"), ours.get(label, "(not said)")
            if left == right:
                continue
            reason = differences.meant(case, label, left, right)
            if reason is None:
                wrong.append(f"{label}\n  LuaSocket: {left}\n  polysock:  {right}")
            else:
                notes.append(f"{case} | {label}: {left} / {right}\n    {reason}")
        verdicts.append(Verdict(case, "failed" if wrong else "passed", "\n".join(wrong)))
    return verdicts


def judge(
    program: Program,
    runs: Dict[str, Run],
    differences: Differences,
    notes: List[str],
) -> List[Verdict]:
    verdicts: List[Verdict] = []
    for library, run in runs.items():
        name = program.name if program.once else f"{program.name} on {library}"
        if run.missing:
            return [Verdict(program.name, "skipped", run.missing)]
        if run.problem:
            verdicts.append(Verdict(name, "failed", run.problem))
        if not program.once and "socket" in run.versions:
            version = run.versions["socket"]
            if ("polysock" in version) != (library == POLYSOCK):
                verdicts.append(Verdict(name, "failed", f"it ran on {version}"))
        if not run.lines and not run.problem:
            verdicts.append(Verdict(name, "failed", "it said nothing"))
    if not program.once:
        return verdicts + compare(runs[LUASOCKET], runs[POLYSOCK], differences, notes)
    for case, said in runs[LUASOCKET].cases().items():
        end = ended(said)
        word = {"DONE": "passed", "SKIPPED": "skipped"}.get(end, "failed")
        verdicts.append(Verdict(case, word, said.get(end, end)))
    return verdicts


# ---- The command


def tool_versions() -> Dict[str, str]:
    """What the servers call themselves."""
    found = {}
    for name, argv in (
        ("nginx", ["nginx", "-v"]),
        ("redis-server", ["redis-server", "--version"]),
        ("openssl", ["openssl", "version"]),
    ):
        try:
            found[name] = (
                services.run(services.find(argv[0]), *argv[1:]).strip().split("\n")[-1]
            )
        except (services.Missing, services.ServiceError) as problem:
            found[name] = str(problem)
    for name in ("aiosmtpd", "pyftpdlib"):
        try:
            found[name] = __import__("importlib.metadata").metadata.version(name)
        except Exception as problem:
            found[name] = str(problem)
    version = Path("/usr/lib/prosody/prosody.version")
    found["prosody"] = (
        version.read_text().strip() if version.exists() else "not installed"
    )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.split("\n")[0])
    parser.add_argument(
        "-k", metavar="WORD", default="", help="only programs with this name"
    )
    parser.add_argument(
        "-j", type=int, default=3, metavar="N", help="so many runs at a time"
    )
    parser.add_argument(
        "-v", action="store_true", help="names what passed and what differs"
    )
    parser.add_argument(
        "--lua", default="lua5.4", help="the interpreter (default: %(default)s)"
    )
    parser.add_argument(
        "--show", action="store_true", help="prints every line that was said"
    )
    options = parser.parse_args()

    programs = [program for program in PROGRAMS if options.k in program.name]
    differences = Differences(HERE / "differences.ini")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="polysock-compat-") as name:
        runner = Runner(options, Path(name))
        services.certificates(runner.tls)
        with ThreadPoolExecutor(options.j) as pool:
            futures = {
                (program.name, library): pool.submit(runner.run, program, library)
                for program in programs
                for library in ((LUASOCKET,) if program.once else (LUASOCKET, POLYSOCK))
            }
            runs: Dict[str, Dict[str, Run]] = {}
            for (name, library), future in futures.items():
                runs.setdefault(name, {})[library] = future.result()

    versions = tool_versions()
    for both in runs.values():
        for run in both.values():
            for name, version in run.versions.items():
                if name != "socket":
                    versions[name] = version
                else:
                    versions[version.split()[0]] = version
    print("versions:")
    for name in sorted(versions, key=str.lower):
        print(f"  {name}: {versions[name]}")

    notes: List[str] = []
    verdicts: List[Verdict] = []
    for program in programs:
        mine = judge(program, runs[program.name], differences, notes)
        seconds = ", ".join(f"{run.seconds:.1f} s" for run in runs[program.name].values())
        words = [verdict.word for verdict in mine]
        print(f"{program.name}: {words.count('passed')} of {len(mine)} ({seconds})")
        if options.show:
            for library, run in runs[program.name].items():
                for line in run.lines:
                    print(f"    {library}: {' | '.join(line)}")
        for verdict in mine:
            if verdict.word != "passed" or options.v:
                text = verdict.text.replace("\n", "\n      ")
                print(f"  {verdict.word}: {verdict.case}\n      {text}".rstrip())
        verdicts += mine
    stale = differences.stale({verdict.case: verdict.word for verdict in verdicts})
    for verdict in stale:
        print(f"  failed: {verdict.case}\n      {verdict.text}")
    verdicts += stale
    print(f"differences that are meant: {len(notes)}, as differences.ini lists them")
    if options.v:
        for note in notes:
            print(f"  {note}")

    words = [verdict.word for verdict in verdicts]
    print(f"{time.monotonic() - started:.1f} s")
    print(
        f"compat: {words.count('passed')} passed, {words.count('failed')} failed, "
        f"{words.count('skipped')} skipped"
    )
    return 1 if "failed" in words or not words else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (
        services.Missing,
        services.ServiceError,
        subprocess.SubprocessError,
    ) as problem:
        print(problem)
        print("compat: 0 passed, 1 failed, 0 skipped")
        sys.exit(1)
