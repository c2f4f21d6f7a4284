# SPDX-License-Identifier: MIT
"""What decides about wheels: the names of modules in cross builds, and which interpreters
are of use. It builds nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import interpreters  # noqa: E402
import wheels  # noqa: E402
from interpreters import Interpreter  # noqa: E402


@pytest.mark.parametrize("built_for", ["x86_64-linux-gnu", "aarch64-linux-gnu"])
@pytest.mark.parametrize(
    ("tag", "target", "suffix"),
    [
        ("cp39", "x86_64-linux-gnu.2.17", "39-x86_64-linux-gnu"),
        ("cp39", "aarch64-linux-musl", "39-aarch64-linux-gnu"),
        ("cp310", "x86_64-linux-musl", "310-x86_64-linux-gnu"),
        ("cp311", "x86_64-linux-musl", "311-x86_64-linux-musl"),
        ("cp313t", "aarch64-linux-gnu.2.17", "313t-aarch64-linux-gnu"),
        ("cp313t", "aarch64-linux-musl", "313t-aarch64-linux-musl"),
    ],
)
def test_a_module_is_named_for_its_target(
    built_for: str, tag: str, target: str, suffix: str
) -> None:
    (system,) = (its for its in wheels.SYSTEMS if its.target == target)
    here = f".cpython-{tag[2:]}-{built_for}.so"
    interpreter = Interpreter(tag, "", "", here, "")
    assert wheels.suffix_of(interpreter, system) == f".cpython-{suffix}.so"


def pretend(folder: Path, answer: str) -> str:
    """Makes a program that answers as an interpreter would."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("echo 'pypy;3;9;0;True;.pypy39.so;x;3.9.16;/p'", "it is pypy"),
        ("echo 'cpython;3;8;0;True;.c.so;x;3.8.1;/p'", "older than 3.9"),
        (
            "echo 'cpython;3;12;0;False;.c.so;x;3.12.1;/p'",
            "its headers are not installed",
        ),
        ("exit 127", "it does not run"),
        ("echo 'cpython;3;13;1;True;.c.so;x;3.13.0;/p'", ""),
    ],
)
def test_an_interpreter_that_is_of_no_use(
    tmp_path: Path, answer: str, reason: str
) -> None:
    made, told = interpreters.ask(pretend(tmp_path, answer))
    assert told == reason
    assert bool(reason) or made == Interpreter("cp313t", "3.13.0", "/p", ".c.so", "x")


def test_a_given_interpreter_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = pretend(tmp_path, "echo 'cpython;3;13;1;True;.c.so;x;3.13.0;/given'")
    monkeypatch.setenv("FREE_THREADED", given)
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    found, skipped = interpreters.find()
    assert "/given" in [its.path for its in found]
    assert "cp313t" not in skipped and skipped["cp315t"] == interpreters.ABSENT


def test_one_that_is_absent_is_said_to_be(tmp_path: Path) -> None:
    _, reason = interpreters.ask(str(tmp_path / "nothing"))
    assert "No such file" in reason
