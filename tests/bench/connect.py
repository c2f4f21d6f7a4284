# SPDX-License-Identifier: MIT
"""Connects and closes again and again, with one library of Python.

Arguments: library, port, count. Port 0: the server is a thread of this process, which
needs the interpreter as the client does. It prints the seconds of wall clock and of
processor that it took, and how often the client's thread went to sleep.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import sys
import threading
import time
from typing import Callable, Dict

LIBRARY, PORT, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
HOST = "127.0.0.1"


def serve() -> int:
    """Serves in a thread; gives the port."""
    server = socket.socket()
    server.bind((HOST, 0))
    server.listen(4096)

    def accept() -> None:
        while True:
            server.accept()[0].close()

    threading.Thread(target=accept, daemon=True).start()
    port: int = server.getsockname()[1]
    return port


def polysock(port: int) -> Callable[[], None]:
    """Connects with polysock."""
    from polysock import raising

    return lambda: raising.connect(HOST, port).close()


def blocking(port: int) -> Callable[[], None]:
    """Connects with a socket that blocks."""

    def work() -> None:
        client = socket.socket()
        client.connect((HOST, port))
        client.close()

    return work


def limited(port: int) -> Callable[[], None]:
    """Connects with a limit of time: the socket does not block, and is polled."""

    def work() -> None:
        client = socket.socket()
        client.settimeout(10)
        client.connect((HOST, port))
        client.close()

    return work


def nonblocking(port: int) -> Callable[[], None]:
    """Connects with a socket that does not block, and polls by hand."""

    def work() -> None:
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((HOST, port))
        waiting = select.poll()
        waiting.register(client, select.POLLOUT)
        waiting.poll()
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        client.close()

    return work


LIBRARIES: Dict[str, Callable[[int], Callable[[], None]]] = {
    "polysock": polysock,
    "blocking": blocking,
    "limited": limited,
    "nonblocking": nonblocking,
}
work = LIBRARIES[LIBRARY](PORT or serve())
for _ in range(20):
    work()
before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
wall, cpu = time.perf_counter(), time.process_time()
for _ in range(COUNT):
    work()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
sleeps = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before
print(json.dumps({"wall": wall, "cpu": cpu, "sleeps": sleeps}))
