# SPDX-License-Identifier: MIT
"""What the tests with hostile peers and on poor machines share."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from program import LANGUAGES, PATIENCE, Program, until  # noqa: E402

RESET = b"\x01\0\0\0\0\0\0\0"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="as much as takes minutes")


@pytest.fixture
def scale(request: pytest.FixtureRequest) -> int:
    """By how much the long form is longer."""
    return 20 if request.config.getoption("--long") else 1


@pytest.fixture(scope="module", params=LANGUAGES)
def running(request: pytest.FixtureRequest) -> Iterator[Program]:
    """A program for all tests of a file."""
    if not sys.platform.startswith("linux"):
        pytest.skip("looks into /proc")
    with Program(request.param) as made:
        yield made
        made.quit()


@pytest.fixture
def program(running: Program) -> Iterator[Program]:
    """The same, without objects; it has left no descriptors after the test."""
    yield running
    until(lambda: running.helpers() == 0)  # they have descriptors
    assert running.testee.reset(PATIENCE) is None


class Peer:
    """A connection of a program, `one`, and the raw end of it."""

    def __init__(self, program: Program, listener: socket.socket) -> None:
        name, port = listener.getsockname()
        assert program.call("mod", "connect", name, port, into="one").value
        self.end = listener.accept()[0]
        self.end.settimeout(PATIENCE)
        self.end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.over = threading.Event()
        self.threads: List[threading.Thread] = []

    def send(self, data: bytes) -> None:
        self.end.sendall(data)

    def flood(self, piece: bytes, size: int = 0) -> None:
        """Sends a piece again and again, in a thread, as often as the program takes it;
        size: until that many bytes are sent."""

        def work() -> None:
            left = size
            try:
                while not self.over.is_set() and (size == 0 or left > 0):
                    left -= self.end.send(piece)
            except OSError:
                pass

        self.threads.append(threading.Thread(target=work, daemon=True))
        self.threads[-1].start()

    def reset(self) -> None:
        self.end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.end.close()

    def close(self) -> None:
        self.over.set()
        if self.end.fileno() >= 0:
            self.end.settimeout(0.1)
            self.end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(PATIENCE)
        self.end.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as made:
        made.settimeout(PATIENCE)
        yield made


@pytest.fixture
def peer(program: Program, listener: socket.socket) -> Iterator[Peer]:
    made = Peer(program, listener)
    yield made
    try:
        made.close()
    except OSError:  # it was reset
        made.end.close()


measured: List[str] = []


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps a figure for the end of the run."""

    def keep(text: str) -> None:
        measured.append(f"{request.node.name}: {text}")

    return keep


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for line in measured:
        terminalreporter.write_line(line)
