# SPDX-License-Identifier: MIT
"""Which interpreters of Python are at hand: those in the path, those of pyenv, and that
which FREE_THREADED names. Of two with the same ABI the first counts.

Run by itself, it runs tests/python on each of them, or on those whose tags it is given,
with the wrapper of the newest SWIG of the Python index. What the SWIG of the distribution
writes is compiled, too, and checks itself. Neither compiles with a warning. It says which
interpreters were skipped, and why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple

ROOT = Path(__file__).resolve().parents[1]
OLDEST = 9
NEWEST = 15
"""The versions of Python 3 that are looked for in the path."""

ABSENT = "not at hand"

QUESTIONS = """
import os, sys, sysconfig
print(sys.implementation.name, sys.version_info[0], sys.version_info[1], sep=";", end=";")
print(sysconfig.get_config_var("Py_GIL_DISABLED") or 0, end=";")
print(os.path.exists(sysconfig.get_path("include") + "/Python.h"), end=";")
print(sysconfig.get_config_var("EXT_SUFFIX"), end=";")
print(sysconfig.get_config_var("HOST_GNU_TYPE") or sys.platform, end=";")
print(sys.version.split()[0], end=";")
print(getattr(sys, "_base_executable", sys.executable))
"""


class Failure(Exception):
    """What a command said that failed."""


class Interpreter(NamedTuple):
    """An interpreter that modules can be built for."""

    tag: str
    """As in the names of wheels, with the ABI: cp313t."""
    version: str
    path: str
    suffix: str
    """What the name of a module ends in."""
    system: str
    """As the GNU project names it: x86_64-pc-linux-gnu."""


def name_candidates() -> Iterator[str]:
    """Yields every program that may be an interpreter."""
    given = os.environ.get("FREE_THREADED")
    if given:
        yield given
    for minor in range(OLDEST, NEWEST + 1):
        for name in (f"python3.{minor}", f"python3.{minor}t"):
            found = shutil.which(name)
            if found:
                yield found
    folder = Path(os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")))
    for path in sorted(folder.glob("versions/*/bin/python")):
        yield str(path)


def ask(path: str) -> Tuple[Interpreter, str]:
    """Returns what a program is, and why it is none that modules can be built for."""
    nothing = Interpreter("", "", path, "", "")
    try:
        done = subprocess.run(
            [path, "-c", QUESTIONS], capture_output=True, text=True, timeout=60, cwd="/"
        )
    except OSError as error:
        return nothing, str(error)
    if done.returncode != 0:
        return nothing, "it does not run"
    name, major, minor, free, headers, suffix, system, version, base = (
        done.stdout.strip().split(";")
    )
    tag = f"cp{major}{minor}{'t' if int(free) else ''}"
    made = Interpreter(tag, version, base, suffix, system)
    if name != "cpython":
        return made, f"it is {name}"
    if (int(major), int(minor)) < (3, OLDEST):
        return made, f"older than 3.{OLDEST}"
    if headers != "True":
        return made, "its headers are not installed"
    return made, ""


def find() -> Tuple[List[Interpreter], Dict[str, str]]:
    """Returns the interpreters that are of use, oldest first, and why others are not."""
    found: Dict[str, Interpreter] = {}
    skipped: Dict[str, str] = {}
    for path in name_candidates():
        made, reason = ask(path)
        if not reason:
            found.setdefault(made.tag, made)
        elif reason != "it does not run" or "shims" not in path:
            skipped[path] = f"{made.version}: {reason}" if made.version else reason
    for minor in range(OLDEST, NEWEST + 1):
        for tag in (f"cp3{minor}", f"cp3{minor}t"):
            if tag not in found and (minor >= 13 or not tag.endswith("t")):
                skipped[tag] = ABSENT
    return sorted(
        found.values(), key=lambda its: (len(its.tag.rstrip("t")), its.tag)
    ), skipped


def print_skipped(skipped: Dict[str, str]) -> None:
    """Says which interpreters were skipped, and why."""
    absent = [name for name, reason in skipped.items() if reason == ABSENT]
    for name, reason in skipped.items():
        if name not in absent:
            print(f"skipped: {name}: {reason}")
    print(f"skipped: {', '.join(absent)}: {ABSENT}")


def quietly(*command: str) -> None:
    """Runs a command; what it said is told only if it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}\n{done.stdout}")


def install(interpreter: Interpreter, swig: str) -> str:
    """Builds the module into an environment of its own. Gives the interpreter there."""
    folder = ROOT / "build" / "interpreters" / interpreter.tag
    python = str(folder / "bin" / "python")
    if not os.path.exists(python):
        quietly(interpreter.path, "-m", "venv", str(folder))
        quietly(python, "-m", "pip", "install", "-q", "-U", "pip", "pytest")
        # Free-threaded ones get their lock back from it.
        if not interpreter.tag.endswith("t"):
            with suppress(Failure):
                quietly(
                    python, "-m", "pip", "install", "-q", "--only-binary=:all:", "uvloop"
                )
    options = ["-C", "cmake.define.POLYSOCK_STRICT=ON"]
    if swig:
        options += ["-C", f"cmake.define.SWIG_EXECUTABLE={swig}"]
    quietly(
        *(python, "-m", "pip", "install", "-q", "--force-reinstall", "--no-deps"),
        *options,
        str(ROOT),
    )
    return python


def test(interpreter: Interpreter, distribution: str) -> bool:
    """Runs tests/python on an interpreter and says how that went."""
    began = time.monotonic()
    try:
        if distribution:
            quietly(install(interpreter, distribution), "-W", "error", "-m", "polysock")
        python = install(interpreter, "")
    except Failure as failure:
        print(
            f"FAILED {interpreter.tag:<8}{interpreter.version:<10}{failure}", flush=True
        )
        return False
    done = subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        print(done.stdout)
    print(
        f"{'ok' if done.returncode == 0 else 'FAILED':<7}{interpreter.tag:<8}"
        f"{interpreter.version:<10}{time.monotonic() - began:4.0f} s  "
        f"{done.stdout.strip().splitlines()[-1]}",
        flush=True,
    )
    return done.returncode == 0


def main() -> int:
    found, skipped = find()
    wanted = sys.argv[1:] or [its.tag for its in found]
    swigs = [
        path for path in ("/usr/bin/swig", "/usr/local/bin/swig") if os.path.exists(path)
    ]
    distribution = swigs[0] if swigs else ""
    results = [test(its, distribution) for its in found if its.tag in wanted]
    if not distribution:
        print("skipped: the SWIG of the distribution: not at hand")
    print_skipped(skipped)
    print(f"interpreters: {sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
