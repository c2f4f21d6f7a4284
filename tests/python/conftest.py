# SPDX-License-Identifier: MIT
"""What the tests of the Python module share: connected pairs, and child processes that a
test can signal and cannot outlive.

Peers are sockets of the standard library wherever the library is not to judge itself. No
test sleeps to synchronise: children say over a pipe how far they are.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from typing import Any, Callable, Iterator, List, Tuple

import polysock
import pytest

TERMINAL = pytest.StashKey[int]()

LIMIT = 30.0
"""Seconds after which a test that hangs is ended, with the stacks of its threads."""


def pytest_configure(config: pytest.Config) -> None:
    """Keeps the terminal for the watchdog, which has no time to undo the capture."""
    config.stash[TERMINAL] = os.dup(2)


@pytest.fixture(autouse=True)
def _watchdog(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ends a test that hangs."""
    terminal = request.config.stash[TERMINAL]
    faulthandler.dump_traceback_later(LIMIT, exit=True, file=terminal)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening socket of the standard library."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def server() -> Iterator[Any]:
    """A listening polysock object."""
    made, error = polysock.bind("127.0.0.1", 0)
    assert error is None
    with made:
        yield made


Pair = Tuple[Any, socket.socket]


@pytest.fixture
def connect(listener: socket.socket) -> Iterator[Callable[..., Pair]]:
    """Makes pairs: a polysock client, in the style of a module, and its peer."""
    made: List[Any] = []

    def make(module: Any = polysock) -> Pair:
        result = module.connect(*listener.getsockname())
        client = result[0] if isinstance(result, tuple) else result
        assert client is not None, result
        peer = listener.accept()[0]
        peer.settimeout(LIMIT)
        made.extend((client, peer))
        return client, peer

    yield make
    for one in made:
        one.close()


@pytest.fixture
def pair(connect: Callable[..., Pair]) -> Pair:
    """A polysock client and its peer, which is a socket of the standard library."""
    return connect()


def fill(client: Any) -> int:
    """Sends until the system takes no more. Gives how many bytes that were."""
    before = client.gettimeout()[0]
    client.settimeout(0)
    total = 0
    while True:
        last, error, partial = client.send(b"x" * 65536)
        total += last if error is None else partial
        if error is not None:
            assert error == "timeout"
            break
    client.settimeout(before)
    return total


class Child:
    """A Python program in a process of its own, on pipes, that has polysock imported.

    Ctrl-C reaches it even where the tests ignore it, as a shell lets background jobs do.
    """

    PRELUDE = """
    import os, signal, socket, sys, threading, time
    import polysock
    from polysock import raising
    signal.signal(signal.SIGINT, signal.default_int_handler)
    def say(*words):
        print(*words, flush=True)
    def hear():
        return sys.stdin.readline().strip()
    """

    def __init__(self, code: str, **options: Any) -> None:
        text = textwrap.dedent(self.PRELUDE) + textwrap.dedent(code)
        self.process = subprocess.Popen(
            [sys.executable, "-c", text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        self.process.wait()

    def tell(self, words: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        """Returns the next line that the child says, or fails with its traceback."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.errors()
        return line.rstrip("\n")

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def end(self, code: int = 0) -> None:
        """Waits for the child to end by itself."""
        assert self.process.wait(LIMIT) == code, self.errors()

    def signal(self, number: int) -> float:
        """Sends a signal once the main thread of the child sleeps in the system.

        Gives when that was, on the monotonic clock that all processes share.
        """
        pid = self.process.pid
        until_asleep(pid, pid)
        now = time.monotonic()
        os.kill(pid, number)
        return now

    def interrupted_after(self) -> float:
        """Returns the seconds from Ctrl-C to what the child says of it, on its clock.

        The shortest of some tries counts: a busy machine is not the module's fault.
        """
        best = 60.0
        for _ in range(8):
            self.tell("again")
            assert self.hear() == "waiting"
            sent = self.signal(signal.SIGINT)
            best = min(best, float(self.hear()) - sent)
            if best < 0.1:
                break
        self.tell("end")
        return best


def until_asleep(process: int, thread: int) -> None:
    """Waits until a thread, which has said that it is about to wait, does so."""
    path = f"/proc/{process}/task/{thread}/stat"
    seen = 0
    end = time.monotonic() + LIMIT
    while seen < 3 and os.path.exists(path) and time.monotonic() < end:
        with open(path) as file:
            state = file.read().rpartition(")")[2].split()[0]
        seen = seen + 1 if state == "S" else 0
        os.sched_yield()


def descriptors() -> List[str]:
    """Returns the open descriptors of this process."""
    folder = "/proc/self/fd" if os.path.exists("/proc/self/fd") else "/dev/fd"
    return sorted(os.listdir(folder))
