# SPDX-License-Identifier: MIT
"""Poor machines: no descriptors, no memory, no threads, in every call that needs some.
The call fails with the system's words, nothing is left behind, and it succeeds as soon as
there is some again. What every single allocation does that fails is shown by
tests/core/test_faults.c and tests/lua/hostile.c.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from conftest import Peer
from program import LANGUAGES, LUA, Object, Program, until

MIB = 1 << 20
FULL = "Too many open files"
AGAIN = "Resource temporarily unavailable"
ANY = ""
"""What the C library says when it cannot ask for a name: that differs by its version."""

# Calls that open descriptors: object, method, arguments, words. HOST and PORT are those
# of a listener; `name` is a master without a family, and `server` has a caller.
OPENING: Dict[str, Tuple[str, str, List[Any], str]] = {
    "tcp4": ("mod", "tcp4", [], FULL),
    "tcp6": ("mod", "tcp6", [], FULL),
    "bind": ("mod", "bind", ["HOST", 0], FULL),
    "connect": ("mod", "connect", ["HOST", "PORT"], FULL),
    "connect4": ("mod", "connect4", ["HOST", "PORT"], FULL),
    "connect from": ("mod", "connect", ["HOST", "PORT", "HOST"], FULL),
    "poller": ("mod", "poller", [], FULL),
    "master bind": ("name", "bind", ["HOST", 0], FULL),
    "master connect": ("name", "connect", ["HOST", "PORT"], FULL),
    "accept": ("server", "accept", [], FULL),
    "toip": ("dns", "toip", ["localhost"], ANY),
    "getaddrinfo": ("dns", "getaddrinfo", ["localhost"], ANY),
    "connect by name": ("mod", "connect", ["localhost", "PORT"], ANY),
}


def call(program: Program, name: str, listener: socket.socket, into: str) -> Any:
    slot, method, args, _ = OPENING[name]
    host, port = listener.getsockname()
    args = [{"HOST": host, "PORT": port}.get(str(item), item) for item in args]
    return program.call(slot, method, *args, into=into)


@pytest.mark.parametrize("spare", [0, 1])
def test_no_descriptors(program: Program, listener: socket.socket, spare: int) -> None:
    """Every call that opens some, with none left, or one too few for some."""
    assert program.call("mod", "bind", "127.0.0.1", 0, into="server").value
    port = program.call("server", "getsockname").values[1]
    program.call("dns", "toip", "localhost")
    callers = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
    until(lambda: program.call("mod", "select", [Object("server")], None, 1).value)
    for name, (_, method, _, words) in OPENING.items():
        assert program.call("mod", "tcp", into="name").value
        until(lambda: program.helpers() == 0)
        before = program.descriptors()
        program.limit_descriptors(spare)
        answer = call(program, name, listener, "made")
        if spare == 0:
            assert answer.values[0] is None, name
            assert words in answer.error, name
        made = answer.values[:1] not in ([], [None])
        if not made or method in ("toip", "getaddrinfo"):
            until(lambda: program.helpers() == 0)
            assert program.descriptors() == before, name
        elif method == "accept":
            program.call("made", "close")
        elif name.startswith("master"):
            assert answer.value == 1
        else:
            assert program.call("made", "close").value == 1
        program.limit_descriptors(-1)
        if not made:
            answer = call(program, name, listener, "made")
            assert answer.value, name
            if isinstance(answer.value, Object):
                assert program.call("made", "close").value == 1
        program.call("name", "close")
    for caller in callers:
        caller.close()


def test_calls_that_need_none(program: Program, peer: Peer) -> None:
    """Without a spare descriptor, and below those that are open, data still flow, waits
    wait, and objects are closed."""
    program.call("mod", "poller", into="poller")
    program.call("poller", "add", Object("one"), "r")
    program.limit_descriptors(0)
    peer.send(b"line\nsecond\nrest")
    assert program.call("poller", "wait", 30).value == [[Object("one"), "r"]]
    ready = program.call("mod", "select", [Object("one")], [Object("one")], 30)
    assert ready.values[0][:1] == [Object("one")]
    assert program.call("one", "receive").value == "line"
    program.limit(resource.RLIMIT_NOFILE, 1)
    assert program.call("one", "receive").value == "second"
    assert program.call("one", "send", b"answer\n").value == 7
    assert peer.end.recv(100) == b"answer\n"
    program.call("one", "settimeout", 0.05)
    assert program.call("one", "receive").error == "timeout"
    fd = program.call("one", "detach").values[0]
    assert program.call("mod", "fromfd", fd, "client", into="two").value
    assert program.call("mod", "tcp", into="empty").value
    assert program.call("mod", "tcp4").error == FULL
    if program.has_threads:
        program.call("two", "settimeout", -1)
        program.start("t", "two", "receive")
        assert program.call("two", "close").value == 1
        assert program.collect("t").error == "closed"
    program.limit_descriptors(-1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_address_space_for_a_helper(language: str, listener: socket.socket) -> None:
    """A thread that resolves names has a stack of 1 MiB. Without it there is a failure,
    and numbers need none. A new program: the C library keeps the stacks of threads."""
    host, port = listener.getsockname()
    with Program(language) as program:
        program.limit(resource.RLIMIT_AS, program.size() - MIB)
        assert program.call("mod", "connect", "localhost", port).error == AGAIN
        assert program.call("dns", "toip", "localhost").error == AGAIN
        assert program.call("mod", "connect", host, port, into="two").value
        program.limit(resource.RLIMIT_AS, -1)
        assert program.call("dns", "toip", "localhost").value
        until(lambda: program.helpers() == 0)
        program.quit()


MEMORY = str(Path(__file__).resolve().parent / "memory.lua")
RECEIVING = ["count", "all", "line", "until", "maxsize"]


@pytest.mark.parametrize("how", RECEIVING)
def test_no_memory_in_lua(listener: socket.socket, how: str) -> None:
    """A result of 64 MiB in 16 MiB: a failure, or Lua's own error, and no byte is lost.
    The same in Python: tests/python/test_process.py."""
    size = 64 * MIB
    host, port = listener.getsockname()
    with subprocess.Popen(
        [LUA, MEMORY, host, str(port), how, str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        end = listener.accept()[0]
        assert process.stdout.readline() == "ready\n"
        statm = Path(f"/proc/{process.pid}/statm").read_text()
        now = int(statm.split()[0]) * resource.getpagesize()
        limit = resource.prlimit(process.pid, resource.RLIMIT_AS)
        resource.prlimit(process.pid, resource.RLIMIT_AS, (now + 16 * MIB, limit[1]))
        process.stdin.write("go\n")
        process.stdin.flush()
        piece = bytes(range(14, 142)) * 8192  # no end of a line, no CR
        sent = 0

        def feed() -> None:
            nonlocal sent
            while sent < size:
                sent += end.send(piece[sent % len(piece) :])
            end.close()

        feeding = threading.Thread(target=feed)
        feeding.start()
        assert process.stdout.readline() in (
            "memory allocation failure\n",
            "not enough memory\n",
        )
        resource.prlimit(process.pid, resource.RLIMIT_AS, limit)
        process.stdin.write("on\n")
        process.stdin.flush()
        assert process.stdout.readline() == "closed\ttrue\n"
        feeding.join()
        assert process.wait(60) == 0


# ---- Threads


USER = str(61_200 + os.getpid() % 4_000)
"""Nobody else's, nor another run's: threads are counted for a user, but for root's."""


def apart() -> List[str]:
    """How a command runs as that user; it may read what root reads."""
    reads = "+dac_read_search"
    caps = [f"--inh-caps={reads}", f"--ambient-caps={reads}"]
    return ["setpriv", f"--reuid={USER}", "--clear-groups", *caps, "--"]


@pytest.fixture(params=LANGUAGES)
def threadless(request: pytest.FixtureRequest) -> Iterator[Program]:
    """A program that cannot make a thread."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to run a program as a user of its own")
    tried = subprocess.run([*apart(), "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"no user of its own: {tried.stderr.strip()}")
    with Program(request.param, ["prlimit", "--nproc=1:100", *apart()]) as made:
        yield made
        made.quit()


NAMES: Dict[str, Tuple[str, str, List[Any]]] = {
    "connect": ("mod", "connect", ["localhost", 1]),
    "bind": ("mod", "bind", ["localhost", 0]),
    "service": ("mod", "connect", ["127.0.0.1", "http"]),
    "toip": ("dns", "toip", ["localhost"]),
    "tohostname": ("dns", "tohostname", ["127.0.0.1"]),
    "getaddrinfo": ("dns", "getaddrinfo", ["localhost"]),
    "getnameinfo": ("dns", "getnameinfo", ["127.0.0.1", "80"]),
    "master connect": ("one", "connect", ["localhost", 1]),
    "master bind": ("one", "bind", ["localhost", 0]),
}


def test_no_threads(threadless: Program, listener: socket.socket) -> None:
    """Every call that resolves a name fails at once; numbers need no thread. As soon as
    there may be threads again, the same object and the same names work."""
    program = threadless
    host, port = listener.getsockname()
    assert program.call("mod", "tcp", into="one").value
    for name, (slot, method, args) in NAMES.items():
        if name == "service":  # a service is looked up in a file, in this thread
            continue
        failed = program.call(slot, method, *args)
        assert failed.error == AGAIN, name
        assert failed.seconds < 5
    assert program.call("one", "connect", host, port).value == 1
    assert program.threads() == program.at_first
    lift = ["prlimit", f"--pid={program.pid}", "--nproc=100:100"]
    subprocess.run([*apart(), *lift], check=True)
    assert program.call("mod", "bind", "localhost", 0, into="server").value
    assert program.call("dns", "toip", "localhost").value
    until(lambda: program.helpers() == 0)
