# SPDX-License-Identifier: MIT
"""Builds a wheel for each interpreter at hand and each system below, from what the sdist
holds, and tries it: in a fresh environment on this machine, and what is for other ones
under qemu.

The compiler is zig's, which brings the headers of every C library: what is linked for
glibc 2.17 runs wherever manylinux2014 does. auditwheel has the last word. With --short
only the wheels for this machine and glibc are made. MUSL_PYTHON may name an interpreter
on musl that tries what is for it. Nothing is written but build/wheels; the wheels are in
its folder dist.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import List, NamedTuple, Optional

from interpreters import Failure, Interpreter, find, print_skipped

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "wheels"
DIST = WORK / "dist"
TOOLS = WORK / "tools"
PURE = WORK / "pure"
SOURCE = WORK / "source"


class System(NamedTuple):
    """What a wheel is for."""

    machine: str
    libc: str
    policy: str
    """auditwheel's, which is in the name of the wheel."""
    elf: int
    """The number of the machine in the head of its files."""

    def __str__(self) -> str:
        return f"{self.policy}_{self.machine}"

    @property
    def target(self) -> str:
        """As the compiler calls it."""
        return f"{self.machine}-linux-{'gnu.2.17' if self.libc == 'gnu' else 'musl'}"


SYSTEMS = [
    System(machine, libc, policy, elf)
    for machine, elf in (("x86_64", 62), ("aarch64", 183))
    for libc, policy in (("gnu", "manylinux2014"), ("musl", "musllinux_1_2"))
]

COMPILER = """#!/bin/sh
# The compiler. What it links for musl is dynamic: else it would compile musl first.
# A module asks for musl's library by the name that it has there.
case "{target} $* " in
*" -shared "*) set -- "$@" -s ;;
*musl*) set -- -dynamic "$@" ;;
esac
'{zig}' cc -target {target} "$@" || exit
case "{target} $* " in
*musl*" -shared "*)
    while [ "$1" != -o ]; do shift; done
    '{patchelf}' --replace-needed libc.so libc.musl-{machine}.so.1 "$2" ;;
esac
"""

BUILD = """
import sys
from scikit_build_core import build
settings = dict(its.split("=", 1) for its in sys.argv[3:])
print(getattr(build, sys.argv[1])(sys.argv[2], settings))
"""

LIBRARIES = ["scikit-build-core>=1.0", "hatch-fancy-pypi-readme>=23.2", "pytest"]
"""What every interpreter uses to build and to test; all of it is plain Python."""

TESTS = [
    f"tests/python/test_{name}.py"
    for name in ("buffers", "classes", "misuse", "objects", "select")
]
"""Those that are run on a wheel. They start no further interpreters, which an emulator
does not do; tools/interpreters.py runs them all."""


def run(command: List[str], cwd: Path = ROOT, /, **environment: str) -> str:
    """Runs a command and gives what it said."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
    )
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


def prepare(oldest: Interpreter) -> None:
    """Sees to the tools, and to the libraries that every interpreter can import."""
    wanted = ROOT / "tools" / "wheels.txt"
    stamp = WORK / "prepared"
    if not stamp.exists() or stamp.stat().st_mtime < wanted.stat().st_mtime:
        shutil.rmtree(WORK, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(TOOLS)])
        install = ["install", "-q", "--disable-pip-version-check"]
        run([tool("pip"), *install, "-r", str(wanted)])
        version = oldest.version.rpartition(".")[0]
        plain = [
            "--platform=any",
            "--abi=none",
            "--implementation=py",
            "--only-binary=:all:",
        ]
        run(
            [tool("pip"), "--python", oldest.path, *install, *plain]
            + [f"--python-version={version}", f"--target={PURE}", *LIBRARIES]
        )
        stamp.touch()
    for folder in (DIST, SOURCE):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)


def tool(name: str) -> str:
    return str(TOOLS / "bin" / name)


def make_sdist() -> None:
    """Makes the sdist, and lays out what is in it: every wheel is made from that."""
    command = [sys.executable, "-c", BUILD, "build_sdist", str(DIST)]
    run(command, PYTHONPATH=str(PURE))
    (archive,) = DIST.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        content.extractall(SOURCE)


def make_compiler(system: System) -> Path:
    """Writes programs that compile for a system. Gives their folder."""
    folder = WORK / "compilers" / str(system)
    folder.mkdir(parents=True, exist_ok=True)
    (zig,) = TOOLS.glob("lib/python*/site-packages/ziglang/zig")
    values = {"zig": zig, "patchelf": tool("patchelf")}
    text = COMPILER.format(target=system.target, machine=system.machine, **values)
    scripts = {"cc": text}
    for name in ("ar", "ranlib"):
        scripts[name] = f"#!/bin/sh\nexec '{zig}' {name} \"$@\"\n"
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def suffix_of(interpreter: Interpreter, system: System) -> str:
    """Returns what the name of a module ends in, for this interpreter on a system.

    Up to 3.10 Python tells musl and glibc apart nowhere.
    """
    minor = int(re.sub(r"\D", "", interpreter.tag)[1:])
    libc = system.libc if minor >= 11 else "gnu"
    changed = re.sub(
        r"-[a-z0-9_]+-linux-(gnu|musl)",
        f"-{system.machine}-linux-{libc}",
        interpreter.suffix,
    )
    assert f"{system.machine}-linux-{libc}" in changed, interpreter
    return changed


def build(interpreter: Interpreter, system: System) -> Path:
    """Builds a wheel and has auditwheel judge it. Gives its path."""
    compilers = make_compiler(system)
    raw = WORK / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    # The same folder for all: the compiler knows what it has compiled before.
    folder = WORK / "build"
    shutil.rmtree(folder, ignore_errors=True)
    define = {
        "AR": "ar",
        "RANLIB": "ranlib",
        "C_COMPILER_AR": "ar",
        "C_COMPILER_RANLIB": "ranlib",
    }
    options = [
        f"cmake.define.CMAKE_{name}={compilers / its}" for name, its in define.items()
    ]
    options += ["cmake.define.POLYSOCK_STRICT=ON", f"build-dir={folder}"]
    said = run(
        [interpreter.path, "-c", BUILD, "build_wheel", str(raw), *options],
        next(SOURCE.iterdir()),
        CC=str(compilers / "cc"),
        PATH=f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}",
        PYTHONPATH=str(PURE),
        SETUPTOOLS_EXT_SUFFIX=suffix_of(interpreter, system),
        ZIG_GLOBAL_CACHE_DIR=str(WORK / "zig"),
        _PYTHON_HOST_PLATFORM=f"linux-{system.machine}",
    )
    if re.search(r"warning|deprecated", said, re.IGNORECASE):
        raise Failure(said)
    if not list(folder.glob("CMakeFiles/polysock_inlined.dir/core/*.o")):
        raise Failure("the core is not optimized while linking\n" + said)
    (made,) = raw.glob("*.whl")
    # It finds out what the module is for: by name it knows only what is for this machine.
    command = [
        tool("auditwheel"),
        "repair",
        "--only-plat",
        "--plat=auto",
        "-w",
        str(DIST),
    ]
    run([*command, str(made)], PATH=f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}")
    made_for = [
        its for its in DIST.glob(f"*-{interpreter.tag}-m*") if str(system) in its.name
    ]
    if len(made_for) != 1:
        names = [its.name for its in DIST.iterdir()]
        raise Failure(f"auditwheel does not find that it is for {system}: {names}")
    (repaired,) = made_for
    return repaired


def check(wheel: Path, interpreter: Interpreter, system: System) -> None:
    """Checks that the module is for the machine that its name says."""
    expected = f"polysock/_core{suffix_of(interpreter, system)}"
    with zipfile.ZipFile(wheel) as content:
        modules = [name for name in content.namelist() if ".so" in name]
        if modules != [expected]:
            raise Failure(f"{wheel.name} holds {modules}, not {expected}")
        head = content.read(expected)[:20]
    if head[:4] != b"\x7fELF" or int.from_bytes(head[18:20], "little") != system.elf:
        raise Failure(f"{expected} in {wheel.name} is not for {system.machine}")


def use(python: List[str], **environment: str) -> str:
    """Uses what is installed, and runs a part of the tests. Gives their last words."""
    run([*python, "-W", "error", "-m", "polysock"], WORK, **environment)
    command = [*python, "-m", "pytest", "-p", "no:cacheprovider", *TESTS]
    return run(command, **environment).strip().splitlines()[-1]


def try_here(wheel: Path, python: str) -> str:
    """Installs a wheel in a fresh environment and uses it."""
    folder = WORK / "fresh"
    shutil.rmtree(folder, ignore_errors=True)
    run([python, "-m", "venv", "--without-pip", str(folder)])
    there = str(folder / "bin" / "python")
    install = ["install", "-q", "--no-index", "--disable-pip-version-check", str(wheel)]
    run([tool("pip"), "--python", there, *install])
    return use([there], PYTHONPATH=str(PURE))


def try_emulated(wheel: Path, system: System, interpreter: Interpreter) -> Optional[str]:
    """Uses a wheel under qemu, by the distribution's Python for that machine.

    Gives None where that is another version.
    """
    qemu = shutil.which(f"qemu-{system.machine}")
    if qemu is None:
        return None
    root = WORK / "foreign" / system.machine
    if not (root / "usr" / "bin" / "python3").exists():
        run([str(ROOT / "tools" / "foreign_python.sh"), system.machine, str(root)])
    python = [qemu, "-L", str(root), str(root / "usr" / "bin" / "python3")]
    question = "import sys; print('cp%d%d' % sys.version_info[:2])"
    if run([*python, "-c", question]).strip() != interpreter.tag:
        return None
    folder = WORK / "fresh"
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder)
    return use(python, PYTHONPATH=f"{folder}{os.pathsep}{PURE}") + ", under qemu"


def try_wheel(wheel: Path, interpreter: Interpreter, system: System) -> str:
    """Tries a wheel where that is possible. Gives how that went."""
    if re.match(rf"{system.machine}-.*linux-{system.libc}", interpreter.system):
        return try_here(wheel, interpreter.path)
    given = os.environ.get("MUSL_PYTHON")
    if given and system.libc == "musl" and system.machine == platform.machine():
        question = "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"
        if run([given, "-c", question]).strip() == suffix_of(interpreter, system):
            return try_here(wheel, given)
    if system.libc == "gnu":
        said = try_emulated(wheel, system, interpreter)
        if said is not None:
            return said
    return "not tried: no such interpreter here"


def make(interpreter: Interpreter, system: System) -> bool:
    """Makes and tries one wheel, and says how that went."""
    began = time.monotonic()
    name = f"{interpreter.tag:<8}{system!s:<24}"
    try:
        wheel = build(interpreter, system)
        check(wheel, interpreter, system)
        built = time.monotonic()
        said = try_wheel(wheel, interpreter, system)
    except Failure as failure:
        print(f"{name}FAILED\n{failure}", flush=True)
        return False
    size = wheel.stat().st_size // 1024
    took = f"{built - began:4.0f} s"
    print(f"{name}{size:4d} KB, built in {took}; {said}", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="for this machine and glibc only"
    )
    parser.add_argument(
        "tags", nargs="*", help="of interpreters, as cp313t; without, all"
    )
    arguments = parser.parse_args()
    here = (platform.machine(), "gnu")
    systems = [its for its in SYSTEMS if not arguments.short or its[:2] == here]
    os.environ.setdefault(
        "SOURCE_DATE_EPOCH", run(["git", "log", "-1", "--format=%ct"]).strip()
    )
    interpreters, skipped = find()
    if not interpreters:
        print("no interpreter that wheels can be built for")
        return 1
    prepare(interpreters[0])
    make_sdist()
    chosen = [its for its in interpreters if its.tag in (arguments.tags or [its.tag])]
    results = [make(its, system) for system in systems for its in chosen]
    run([tool("twine"), "check", "--strict", *map(str, sorted(DIST.iterdir()))])
    print("what an index will show of them: checked")
    print_skipped(skipped)
    print(f"wheels: {sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
