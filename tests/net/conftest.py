# SPDX-License-Identifier: MIT
"""What the tests on a network share: a new lab for each, programs in it, raw peers."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "hostile")]

from lab import FAR4, FAR6, Lab  # noqa: E402
from names import NameServer  # noqa: E402
from program import LANGUAGES, Program, until  # noqa: E402

LIMIT = 120.0
"""Seconds after which a raw peer gives up."""


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    made = Lab(request.node.name)
    yield made
    made.end()


@pytest.fixture(params=LANGUAGES)
def program(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Program]:
    """A program in the near namespace. It leaves no descriptors when it is done."""
    with Program(request.param, lab.near.prefix) as made:
        yield made
        until(lambda: made.helpers() == 0)  # they have descriptors
        made.quit()


@pytest.fixture
def names(lab: Lab) -> Iterator[NameServer]:
    made = NameServer([FAR4, FAR6])
    yield made
    made.end()


class Peer:
    """A listening raw socket, and one end of a connection to it."""

    def __init__(self, address: str, port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family)
        self.listener.settimeout(LIMIT)
        self.address = address
        self.port: int = self.listener.getsockname()[1]
        self.made: List[socket.socket] = []

    def accept(self) -> socket.socket:
        end = self.listener.accept()[0]
        end.settimeout(LIMIT)
        self.made.append(end)
        return end

    def close(self) -> None:
        for one in (self.listener, *self.made):
            one.close()


@pytest.fixture
def listen(lab: Lab) -> Iterator[Callable[..., Peer]]:
    made: List[Peer] = []

    def make(address: str = FAR4, port: int = 0) -> Peer:
        made.append(Peer(address, port))
        return made[-1]

    yield make
    for one in made:
        one.close()


def beside(work: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """Starts work in a thread. Gives the function that waits for its result."""
    results: List[Any] = []
    failures: List[BaseException] = []

    def run() -> None:
        try:
            results.append(work(*args))
        except BaseException as error:  # noqa: B036 - it is raised by whoever waits
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def wait() -> Any:
        thread.join(LIMIT)
        assert not thread.is_alive(), "it does not end"
        if failures:
            raise failures[0]
        return results[0]

    return wait


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
    counts = {
        word: len(terminalreporter.stats.get(word, ()))
        for word in ("passed", "failed", "error", "skipped")
    }
    failed = counts["failed"] + counts["error"]
    terminalreporter.write_line(
        f"net: {counts['passed']} passed, {failed} failed, {counts['skipped']} skipped"
    )
