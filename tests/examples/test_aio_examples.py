# SPDX-License-Identifier: MIT
"""The asyncio programs of python/examples."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable, Iterator, List, Tuple

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "python" / "examples"
LIMIT = 30.0
"""Seconds after which a test gives up."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(LIMIT)
        yield made


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Tuple[str, int]]:
    """A server in Python, which prints its address; yields the address."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        address = process.stdout.readline().split()
        try:
            yield address[0], int(address[1])
        finally:
            process.terminate()
        assert process.stderr.read() == ""


@pytest.fixture
def proxy(listener: socket.socket) -> Iterator[Tuple[str, int]]:
    """A proxy in front of the listener."""
    host, port = listener.getsockname()
    with running(str(EXAMPLES / "aio_proxy.py"), "0", host, str(port)) as address:
        yield address


def receive_all(peer: socket.socket) -> bytes:
    data = b""
    while True:
        more = peer.recv(1 << 20)
        if not more:
            return data
        data += more


def test_the_proxy_passes_all_on(proxy: Tuple[str, int], listener: socket.socket) -> None:
    question, answer = bytes(range(256)) * 40000, bytes(range(255)) * 40000
    with socket.create_connection(proxy, LIMIT) as client:
        server = listener.accept()[0]
        server.settimeout(LIMIT)
        with server:

            def ask() -> None:
                client.sendall(question)
                client.shutdown(socket.SHUT_WR)

            asking = threading.Thread(target=ask)
            asking.start()
            assert receive_all(server) == question
            asking.join()
            answering = threading.Thread(
                target=lambda: (server.sendall(answer), server.shutdown(socket.SHUT_WR))
            )
            answering.start()
            assert receive_all(client) == answer
            answering.join()


def test_the_proxy_lets_nothing_pile_up(
    proxy: Tuple[str, int], listener: socket.socket
) -> None:
    """Who does not read slows the other side down."""
    client = socket.create_connection(proxy, LIMIT)
    with client, listener.accept()[0] as server:
        client.settimeout(0.5)
        with pytest.raises(socket.timeout):
            for _ in range(1000):
                client.sendall(bytes(1 << 20))
        server.settimeout(LIMIT)
        assert server.recv(1) == b"\0"


def talk(
    listener: socket.socket, serve: Callable[[], None], words: List[str]
) -> Tuple[int, str, str]:
    server = threading.Thread(target=serve)
    server.start()
    host, port = listener.getsockname()
    program = str(EXAMPLES / "aio_telnet.py")
    done = subprocess.run(
        [sys.executable, "-X", "dev", program, host, str(port), "me", "secret", *words],
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    server.join()
    # In this mode asyncio tells of what was slow, which is the machine's affair.
    errors = re.sub(r"(?m)^Executing .* seconds\n", "", done.stderr)
    return done.returncode, done.stdout, errors


def prompt_server(listener: socket.socket, answers: List[bytes]) -> None:
    """Says each answer to a line, the first one at once, in small pieces."""
    peer = listener.accept()[0]
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with peer, peer.makefile("rb") as lines:
        for answer in answers:
            for at in range(0, len(answer), 3):
                peer.sendall(answer[at : at + 3])
            lines.readline()


def test_a_session_with_prompts(listener: socket.socket) -> None:
    answers = [
        b"Welcome.\r\nlogin: ",
        b"password: ",
        b"\r\nmotd\r\nbox> ",
        b"up 3 days\r\nbox> ",
        b"linux\r\nbox> ",
    ]
    code, out, errors = talk(
        listener, lambda: prompt_server(listener, answers), ["uptime", "uname"]
    )
    assert (code, errors) == (0, "")
    assert out == "up 3 days\r\nbox\nlinux\r\nbox\n".replace("\r\n", "\n")


def test_a_session_that_stops_says_what_came(listener: socket.socket) -> None:
    answers = [b"login: ", b"pass"]
    code, out, errors = talk(listener, lambda: prompt_server(listener, answers), [])
    assert (code, out) == (1, "")
    assert errors == "no answer; so far: b'pass'\n"
