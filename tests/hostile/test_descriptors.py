# SPDX-License-Identifier: MIT
"""Odd numbers of descriptors: 0, 1 and 2, which a process without standard input and
output gets for its sockets, and 20,000 at a time.
"""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import Callable, List

import pytest
from program import LUA, PATIENCE

HERE = Path(__file__).resolve().parent
WANTED = 20_000

PROGRAMS = {"lua": ([LUA], "lua"), "python": ([sys.executable], "py")}


def command(language: str, name: str) -> List[str]:
    interpreter, end = PROGRAMS[language]
    return [*interpreter, str(HERE / f"{name}.{end}")]


@pytest.mark.parametrize("language", PROGRAMS)
def test_without_standard_descriptors(listener: socket.socket, language: str) -> None:
    host, port = listener.getsockname()
    words = [*command(language, "closed"), host, str(port)]
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    with subprocess.Popen([*shell, *words]) as process:
        end = listener.accept()[0]
        end.settimeout(PATIENCE)
        said = []
        with end, end.makefile() as lines:
            for line in lines:
                said.append(line.split())
                if said[-1][0] == "line":
                    end.sendall(b"question\n")
        assert process.wait(PATIENCE) == 0
    assert said[0][:2] == ["numbers", "0"] and "1" in said[0][2:]
    assert said[1:] == [
        ["ready", "true", "r"],
        ["line", "line"],
        ["asked", "question"],
        ["timeout"],
        ["again", said[0][2]],
        ["done", "true", "nil"],
    ]


@pytest.mark.parametrize("language", PROGRAMS)
def test_many_descriptors(language: str, note: Callable[[str], None]) -> None:
    """Bound: an open object costs less than 1 KiB, its entry in a poller and its place in
    the language included; what waits finds those that are ready, and no others."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = min(WANTED, hard if hard != resource.RLIM_INFINITY else WANTED)
    if most < 2000:
        pytest.skip(f"only {most} descriptors are allowed")
    words = ["prlimit", f"--nofile={most}", *command(language, "many"), str(most)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=4 * PATIENCE)
    assert done.returncode == 0, done.stderr
    first, *said = [line.split(None, 1) for line in done.stdout.splitlines()]
    count, highest, each = map(int, first[1].split())
    note(f"{2 * count} connected objects, the highest is {highest}, {each} bytes each")
    assert first[0] == "open" and 2 * count > most - 50 and highest >= 2 * count
    assert each < 1024
    assert said == [
        ["poller", "0"],
        ["select", "0"],
        ["lines", "true"],
        ["full", "Too many open files"],
        ["refused", "Too many open files"],
        ["left", "0"],
    ]
