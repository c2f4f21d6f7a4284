# SPDX-License-Identifier: MIT
"""Tests of polysock-conformance as it is installed: what wheel and sdist have in them,
that a testee can be tried outside of the checkout, and that docs/conformance.md leads
from an empty folder to a first green section.

Usage: test_package.py PYTHON, with a Python that has polysock. The index is asked for the
build tool only. The last line is `package: N passed, N failed`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs/conformance.md"
PACKAGE = "polysock_conformance"
_STARTER = re.compile(r"<!-- starter: (\S+) -->\n```\w+\n(.*?)```\n", re.S)


class Failure(Exception):
    """A test failed; the text says why."""


def run(*argv: object, cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, argv))}: status {done.returncode}\n{said}")
    return said


def expect(condition: bool, why: object) -> None:
    if not condition:
        raise Failure(str(why))


class Place:
    """An empty folder whose name has a blank, and what is installed below it."""

    def __init__(self, top: Path, python: str) -> None:
        self.top, self.python = top, python
        self.source, self.dist = top / "source", top / "dist"
        self.suite = top / "suite"
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "LUA_", "VIRTUAL_ENV"))
        }
        self.env = {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    @property
    def files(self) -> list[str]:
        """What git knows of the package, or would: nothing that was built."""
        listed = run(
            *("git", "ls-files", "--cached", "--others", "--exclude-standard"),
            *("pyproject.toml", "LICENSE", PACKAGE),
            cwd=HERE,
            env=self.env,
        )
        return sorted(name for name in listed.splitlines() if (HERE / name).exists())

    def copy(self) -> None:
        for name in self.files:
            target = self.source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HERE / name, target)

    def backend(self, what: str, source: Path) -> Path:
        """Builds `wheel` or `sdist` as an installer does."""
        tools = self.top / "tools"
        if not tools.exists():
            run(
                *(sys.executable, "-m", "pip", "install", "-q", "--target", tools),
                "flit_core>=3.11,<5",
                cwd=self.top,
                env=self.env,
            )
        call = (
            f"import flit_core.buildapi as it; print(it.build_{what}({str(self.dist)!r}))"
        )
        env = {**self.env, "PYTHONPATH": str(tools)}
        said = run(sys.executable, "-W", "error", "-c", call, cwd=source, env=env)
        return self.dist / said.splitlines()[-1]

    def command(self, *argv: object, cwd: Path | None = None) -> str:
        program = self.suite / "bin/polysock-conformance"
        return run(program, *argv, cwd=cwd or self.top, env=self.env)


def wheel_and_sdist(place: Place) -> None:
    """The wheel is built from the sdist, and each has what it needs and nothing else."""
    place.copy()
    place.dist.mkdir()
    sdist = place.backend("sdist", place.source)
    with tarfile.open(sdist) as archive:
        names = [item.name for item in archive.getmembers() if item.isfile()]
        archive.extractall(place.top / "unpacked")
    top = names[0].split("/")[0]
    has = sorted(name.partition("/")[2] for name in names)
    expect(has == sorted([*place.files, "PKG-INFO"]), set(has) ^ set(place.files))
    wheel = place.backend("wheel", place.top / "unpacked" / top)
    with zipfile.ZipFile(wheel) as packed:
        names = [name for name in packed.namelist() if not name.endswith("/")]
        metadata = packed.read(f"{top}.dist-info/METADATA").decode()
    inside = sorted(name for name in names if name.startswith(f"{PACKAGE}/"))
    expect(inside == [name for name in place.files if name.startswith(PACKAGE)], inside)
    expect(wheel.name.endswith("-py3-none-any.whl"), wheel.name)
    expect("Requires-Dist" not in metadata, "it needs nothing")
    links = re.findall(r"\]\(([^)]*)\)", metadata)
    expect(bool(links) and all("://" in link for link in links), links)


def installed(place: Place) -> None:
    """The wheel in a clean environment: its command, its version, and its data."""
    make = (sys.executable, "-m", "venv", "--without-pip", place.suite)
    run(*make, cwd=place.top, env=place.env)
    (wheel,) = place.dist.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", place.suite / "bin/python")
    run(*pip, "install", "-q", "--no-index", wheel, cwd=place.top, env=place.env)
    version = wheel.name.split("-")[1]
    said = place.command("--version")
    expect(said == f"polysock-conformance {version}\n", said)
    expect('"format"' in place.command("schema"), "the schema")
    expect("receive/line " in place.command("run", "--list"), "the scenarios")
    expect("# proves: " in place.command("show", "receive/line"), "a scenario")


def testee(place: Place) -> None:
    """A testee of ours, away from the checkout: a check, and the level core."""
    shutil.copyfile(HERE / "testee.py", place.top / "testee.py")
    command = f"{place.python} testee.py"
    said = place.command("run", "--testee", command, "--check")
    expect(said.endswith("ready for a run\n"), said)
    # What a loaded machine does to single scenarios is not what is tested here.
    options = ("--level", "core", "--slack", "0.4", "--retry", "-j", "6")
    said = place.command("run", "--testee", command, *options, "--report", "report")
    (passed,) = re.findall(r"conformance: (\d+) passed, 0 failed", said)
    expect(int(passed) > 200, said)
    report = place.top / "report/report.json"
    expect("core" in place.command("badge", report), "the badge")
    expect("| testee |" in place.command("table", report), "the table")


def starter(place: Place) -> None:
    """The starter of the page, as it stands there, in an empty folder."""
    folder = place.top / "empty"
    folder.mkdir()
    (folder / "suite").symlink_to(place.suite)
    parts = _STARTER.findall(PAGE.read_text(encoding="utf-8"))
    expect([name for name, _ in parts].count("commands") == 3, "the parts of the starter")
    said = ""
    for name, text in parts:
        if name != "commands":
            (folder / name).write_text(text, encoding="utf-8")
        elif "pip install" not in text:  # that has been done, with what was built
            said = run("sh", "-ec", text, cwd=folder, env=place.env)
    (promised,) = re.findall(r"last line is `conformance: (\d+) passed", PAGE.read_text())
    (passed,) = re.findall(r"\nconformance: (\d+) passed, 0 failed, \d+ skipped\n", said)
    expect(int(passed) >= int(promised), said)


@contextmanager
def a_place(python: str) -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder) / "a b"
        top.mkdir()
        yield Place(top, python)


def main() -> int:
    if len(sys.argv) != 2:
        raise SystemExit("usage: test_package.py PYTHON")
    passed = failed = 0
    with a_place(os.path.abspath(sys.argv[1])) as place:
        for test in (wheel_and_sdist, installed, testee, starter):
            began = time.monotonic()
            try:
                test(place)
                passed += 1
                print(f"ok: {test.__doc__} {time.monotonic() - began:.1f} s", flush=True)
            except (Failure, OSError, ValueError) as error:
                failed += 1
                print(f"not ok: {test.__doc__}\n{error}", flush=True)
    print(f"package: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
