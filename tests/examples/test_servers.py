# SPDX-License-Identifier: MIT
"""The servers that wait on many clients at once: by the poller in both languages, and by
event loops of others. Clients that behave badly cost nobody else anything.

The clients are sockets of the standard library. The servers run with a shorter limit than
they are written with where it is to be over.
"""

from __future__ import annotations

import contextlib
import random
import resource
import select
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, Dict

import pytest
from test_echo import (
    CLIENTS,
    LIMIT,
    ROOT,
    Address,
    dial,
    is_served,
    never_stops,
    reset,
    run_by,
    silent,
)

LINE_SERVERS = {
    "lua": ROOT / "lua" / "examples" / "poller_server.lua",
    "python": ROOT / "python" / "examples" / "poller_server.py",
    "selectors": ROOT / "python" / "examples" / "selectors_server.py",
    "add_reader": ROOT / "python" / "examples" / "add_reader.py",
}


@contextlib.contextmanager
def run(source: Path, *arguments: str, descriptors: int = 0) -> Iterator[Address]:
    """A running example. descriptors is how many it may have, if not as many as ever."""

    def limit() -> None:
        if descriptors:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))

    with subprocess.Popen(
        [*run_by(source), *(arguments or ("0",))],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=limit,
    ) as process:
        assert process.stdout is not None
        host, port, *_ = process.stdout.readline().split()
        try:
            yield host, int(port)
            assert process.poll() is None, "the server has ended"
        finally:
            process.kill()


@pytest.fixture(params=LINE_SERVERS)
def program(request: pytest.FixtureRequest) -> Path:
    """A line server, whose limit is ten seconds."""
    return LINE_SERVERS[request.param]


@pytest.fixture
def patient(program: Path) -> Iterator[Address]:
    """A server that drops nobody for being late on a busy machine."""
    with run(program) as address:
        yield address


@pytest.fixture
def server(program: Path, tmp_path: Path) -> Iterator[Address]:
    """A server whose limit is a second."""
    text = program.read_text()
    assert text.count("LIMIT = 10") == 1
    made = tmp_path / program.name
    made.write_text(text.replace("LIMIT = 10", "LIMIT = 1"))
    with run(made) as address:
        yield address


def receive(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        assert piece, data
        data += piece
    return data


# Nothing limits a client that behaves: who never stops is served for ever.
BAD = [behave for behave in CLIENTS if behave is not never_stops]


@pytest.mark.parametrize("behave", BAD)
def test_the_next_client_is_served(
    server: Address, behave: Callable[[socket.socket], None]
) -> None:
    with dial(server) as client:
        behave(client)
        is_served(server)


def test_others_are_served_meanwhile(patient: Address) -> None:
    """All kinds of clients at once, while one that behaves goes on."""
    with contextlib.ExitStack() as stack:
        good = stack.enter_context(dial(patient))
        for number in range(60):
            client = stack.enter_context(dial(patient))
            if number % 3 == 1:
                client.sendall(b"half a l")
            elif number % 3 == 2:
                client.sendall(b"a line\n" * 50)
                reset(client)
            good.sendall(b"%d\n" % number)
            assert receive(good, len(b"%d\n" % number)) == b"%d\n" % number


def test_one_event_many_lines(patient: Address) -> None:
    """Lines that come together are all answered, without another event."""
    with dial(patient) as client:
        for count in (3, 500):
            lines = b"".join(b"line %d\r\n" % number for number in range(count))
            client.sendall(lines + b"half")
            assert receive(client, len(lines)) == lines
            client.sendall(b" a line\n")
            assert receive(client, 12) == b"half a line\n"


def test_one_that_floods_leaves_turns_to_others(patient: Address) -> None:
    with dial(patient) as flood, dial(patient) as client:
        flood.setblocking(False)
        block = b"line\n" * 2000
        for _ in range(50):
            with contextlib.suppress(BlockingIOError):
                flood.send(block)
            with contextlib.suppress(BlockingIOError):
                flood.recv(1 << 16)
            client.sendall(b"hello\n")
            assert receive(client, 6) == b"hello\n"


def test_a_slow_reader_gets_everything(patient: Address) -> None:
    """As long as each line goes out within the limit."""
    with dial(patient) as client:
        lines = b"".join(
            random.Random(1).randbytes(20).hex().encode() + b"\n" for _ in range(20000)
        )
        sent = received = 0
        answer = b""
        client.setblocking(False)
        while received < len(lines):
            select.select([client], [client] if sent < len(lines) else [], [], LIMIT)
            with contextlib.suppress(BlockingIOError):
                sent += client.send(lines[sent : sent + 3000])
            with contextlib.suppress(BlockingIOError):
                answer += client.recv(1000)
            received = len(answer)
        assert answer == lines


def test_without_descriptors_it_goes_on(program: Path) -> None:
    """Those that came in are served, and the others when there is room again."""
    with run(program, descriptors=24) as address, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(dial(address)) for _ in range(40)]
        first = clients[0]
        for _ in range(3):
            first.sendall(b"hello\n")
            assert receive(first, 6) == b"hello\n"
        for client in clients[1:30]:
            reset(client)
        clients[-1].sendall(b"last\n")
        assert receive(clients[-1], 5) == b"last\n"
        is_served(address)


def test_silent_ones_go(server: Address) -> None:
    """Meanwhile others are served."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(dial(server)) for _ in range(30)]
        while clients:
            is_served(server)
            for client in select.select(clients, [], [], 0.1)[0]:
                silent(client)
                clients.remove(client)


# ---- The chat


class Member:
    """A client of the chat, which reads lines."""

    def __init__(self, address: Address) -> None:
        self.socket = dial(address)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Member:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def say(self, words: bytes) -> None:
        self.socket.sendall(words)

    def hears(self) -> bytes:
        return self.file.readline()

    def hears_at_last(self, words: bytes) -> None:
        for line in self.file:
            if line == words:
                return
        raise AssertionError(f"{words!r} never came")


CHAT = ROOT / "lua" / "examples" / "chat.lua"


def test_the_chat() -> None:
    with run(CHAT) as address, Member(address) as one, Member(address) as two:
        assert one.hears() == b"client 2 is here\n"
        one.say(b"hello\nagain\n")
        assert two.hears() == b"client 1: hello\n"
        assert two.hears() == b"client 1: again\n"
        with Member(address) as three:
            assert one.hears() == two.hears() == b"client 3 is here\n"
            three.say(b"x" * 2000 + b"\n")
            assert one.hears() == two.hears() == b"client 3 has left\n"
        with Member(address):
            assert one.hears() == two.hears() == b"client 4 is here\n"
            lines, sent = b"", 0
            while b"client 4 has left\n" not in lines:  # since it does not read
                one.say((b"y" * 999 + b"\n") * 50)
                lines = b"".join(two.hears() for _ in range(50))
                sent += 50
                assert sent < 50000
        reset(two.socket)
        two.file.close()
        one.hears_at_last(b"client 2 has left\n")
        with Member(address) as five:
            one.hears_at_last(b"client 5 is here\n")
            one.say(b"still here\n")
            assert five.hears() == b"client 1: still here\n"


def test_the_chat_without_descriptors() -> None:
    with run(CHAT, descriptors=12) as address, contextlib.ExitStack() as stack:
        members = [stack.enter_context(Member(address)) for _ in range(20)]
        members[0].say(b"hello\n")
        members[1].hears_at_last(b"client 1: hello\n")
        for member in members[2:19]:
            member.__exit__()
        members[19].say(b"here at last\n")
        words = b"here at last\n"
        assert any(line.endswith(words) for line in members[1].file)


# ---- Several processes on one port


@pytest.mark.parametrize("language", ["lua", "python"])
def test_two_processes_on_one_port(language: str) -> None:
    suffix = {"lua": "lua", "python": "py"}[language]
    program = ROOT / language / "examples" / f"reuseport.{suffix}"
    with run(program, "0", "one") as (host, port):
        with run(program, str(port), "two") as address:
            assert address == (host, port)
            seen: Dict[bytes, int] = {}
            while len(seen) < 2:
                with dial(address) as client:
                    client.sendall(b"hello\n")
                    name, _, rest = client.recv(100).partition(b" ")
                    assert rest == b"heard hello\n"
                    seen[name] = seen.get(name, 0) + 1
                    assert sum(seen.values()) < 1000, seen
        for _ in range(20):  # what waited for the other one may be lost with it
            with contextlib.suppress(OSError), dial((host, port)) as client:
                client.sendall(b"hello\n")
                assert client.recv(100) == b"one heard hello\n"
