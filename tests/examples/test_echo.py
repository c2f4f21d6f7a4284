# SPDX-License-Identifier: MIT
"""The echo servers of the README: it shows what is in the examples, and clients that
behave badly cost the servers no more than their limits.

The clients are sockets of the standard library. The servers run with shorter limits than
they are written with.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

import pytest
from documents import compiled

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 30.0
"""Seconds after which a test gives up."""

FILES = {
    "lua": ROOT / "lua" / "examples" / "echo.lua",
    "python": ROOT / "python" / "examples" / "echo.py",
    "c": ROOT / "core" / "examples" / "echo_server.c",
}
COMMANDS: Dict[str, List[str]] = {
    "lua": ["lua5.4", "-e", "io.stdout:setvbuf('line')"],
    "python": [sys.executable, "-u"],
    "c": ["stdbuf", "-oL"],
}

Address = Tuple[str, int]


def run_by(program: Path) -> List[str]:
    """Returns the command that runs a program. One in C is compiled first."""
    if program.suffix == ".c":
        return [*COMMANDS["c"], str(compiled(program))]
    return [*COMMANDS["lua" if program.suffix == ".lua" else "python"], str(program)]


@pytest.mark.parametrize("language", FILES)
def test_the_readme_shows_the_example(language: str) -> None:
    header = (
        r"\A(?:(?:#(?!include)|--|/\*|\"\"\").*\n)+\n?"  # the licence and what it is for
    )
    body = re.sub(header, "", FILES[language].read_text())
    assert f"```{language}\n{body}```\n" in (ROOT / "README.md").read_text()


def test_the_python_examples_are_typed() -> None:
    files = [str(path) for path in sorted(FILES["python"].parent.glob("*.py"))]
    command = [sys.executable, "-m", "mypy", "--strict", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


@pytest.fixture(params=FILES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    """A running example, whose limits are 0.5 s for a line and 2 s for all of them."""
    source = FILES[request.param]
    text = source.read_text()
    for limit, shorter in (
        (r'(settimeout\(.*)\b10, "t"', r'\g<1>0.5, "t"'),
        (r"(setdeadline\(.*)\b60\)", r"\g<1>2)"),
    ):
        text, count = re.subn(limit, shorter, text)
        assert count == 1
    program = tmp_path / source.name
    program.write_text(text)
    command = [*run_by(program), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        host, port, *_ = process.stdout.readline().split()
        yield host, int(port)
        ended = process.poll()
        process.kill()
    assert ended is None, "the server has ended"


def dial(address: Address) -> socket.socket:
    return socket.create_connection(address, LIMIT)


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def is_served(address: Address) -> None:
    """Tries it more than once: on a busy machine this client may be late itself."""
    for _ in range(5):
        with contextlib.suppress(ConnectionError), dial(address) as client:
            answers = []
            for line in (b"hello\n", b"once more\r\n"):
                client.sendall(line)
                answers.append(client.recv(100))
            if answers == [b"hello\n", b"once more\r\n"]:
                return
            assert b"" in answers, answers
    raise AssertionError("it is not served")


def silent(client: socket.socket) -> None:
    assert client.recv(1) == b""


def silent_within_a_line(client: socket.socket) -> None:
    client.sendall(b"half a l")
    assert client.recv(1) == b""


def resets(client: socket.socket) -> None:
    reset(client)


def resets_within_a_line(client: socket.socket) -> None:
    client.sendall(b"a line\nhalf a l")
    assert client.recv(100) == b"a line\n"
    reset(client)


def resets_instead_of_reading(client: socket.socket) -> None:
    client.sendall(b"a line\n" * 1000)
    reset(client)


def never_ends_its_line(client: socket.socket) -> None:
    with pytest.raises(ConnectionError):
        while True:
            client.sendall(b"x" * 4096)


def takes_ages_for_a_line(client: socket.socket) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.settimeout(0.1)
    with pytest.raises(ConnectionError):
        while True:
            client.send(b"x")
            try:
                assert client.recv(1) == b""
                client.send(b"y")  # the second one is told that nobody listens
            except socket.timeout:
                pass


def never_reads(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(0.2)
    # Until nothing moves, or the server has dropped the connection.
    with pytest.raises((socket.timeout, ConnectionError)):
        while True:
            client.sendall(b"a line\n" * 1000)


def never_stops(client: socket.socket) -> None:
    with pytest.raises((ConnectionError, EOFError)):
        while True:
            client.sendall(b"a line\n")
            if client.recv(100) == b"":
                raise EOFError


CLIENTS: List[Callable[[socket.socket], None]] = [
    silent,
    silent_within_a_line,
    resets,
    resets_within_a_line,
    resets_instead_of_reading,
    never_ends_its_line,
    takes_ages_for_a_line,
    never_reads,
    never_stops,
]


@pytest.mark.parametrize("behave", CLIENTS)
def test_the_next_client_is_served(
    server: Address, behave: Callable[[socket.socket], None]
) -> None:
    with dial(server) as client:
        behave(client)
        is_served(server)
