# SPDX-License-Identifier: MIT
"""Servers of Python for the benchmarks, each as its library wants to be used.

Arguments: library, case, backlog or count, and a port if others share it (0 lets the
system choose). It prints its port; serve.c says what the cases are.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import selectors
import socket
import sys
import time
from typing import Any, Callable, Dict, List

LIBRARY, CASE, NUMBER = sys.argv[1], sys.argv[2], int(sys.argv[3])
SHARED = int(sys.argv[4]) if len(sys.argv) > 4 else None
BACKLOG = 4096 if CASE == "accept" else NUMBER
LINES = CASE == "line"
HOST, ROOM, LONGEST = "127.0.0.1", 64 * 1024, 4096


def tell(port: int) -> None:
    """Says where the server is."""
    print(port, flush=True)


def timed(work: Callable[[], None]) -> None:
    """Times what work does, once somebody says so."""
    sys.stdin.readline()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"wall": wall, "cpu": cpu}))


# ---- polysock


def listen() -> Any:
    """Creates a server of polysock."""
    from polysock import raising

    server = raising.tcp4()
    server.setoption("reuseaddr" if SHARED is None else "reuseport", True)
    server.bind(HOST, SHARED or 0)
    server.listen(BACKLOG)
    tell(server.getsockname()[1])
    if CASE != "accept":
        server.settimeout(0)
    return server


Answer = Callable[[Any], bool]


def answerer(parts: Dict[Any, bytes]) -> Answer:
    """Returns a function that answers what is there, and False when a client is gone."""
    from polysock import Error, Timeout

    def echo(client: Any) -> bool:
        try:
            client.send(client.receiveany(ROOM))
        except Timeout:
            pass
        except Error:
            return False
        return True

    def line(client: Any) -> bool:
        try:
            if client in parts:
                client.send(client.receive("*L", parts.pop(client), LONGEST))
            else:
                client.send(client.receive("*L", b"", LONGEST))
        except Timeout as error:
            parts[client] = error.partial
        except Error:
            return False
        return True

    return line if LINES else echo


def accept_all(server: Any, use: Callable[[Any], None]) -> None:
    """Accepts what waits."""
    from polysock import Timeout

    with contextlib.suppress(Timeout):
        while True:
            client = server.accept()
            client.settimeout(0)
            use(client)


def polysock_poller() -> None:
    """Waits with a poller."""
    from polysock import raising

    parts: Dict[Any, bytes] = {}
    server, answer = listen(), answerer(parts)
    poller = raising.poller()
    poller.add(server, "r")
    while True:
        for client, _ in poller.wait():
            if client is server:
                accept_all(server, lambda made: poller.add(made, "r"))
            elif not answer(client):
                parts.pop(client, None)
                client.close()


def polysock_select() -> None:
    """Waits with select."""
    from polysock import raising

    parts: Dict[Any, bytes] = {}
    server, answer = listen(), answerer(parts)
    clients: Dict[Any, None] = {server: None}
    while True:
        for client in raising.select(clients, None)[0]:
            if client is server:
                accept_all(server, lambda made: clients.update({made: None}))
            elif not answer(client):
                del clients[client]
                parts.pop(client, None)
                client.close()


def polysock_accept() -> None:
    """Accepts in a loop."""
    server = listen()
    clients: List[Any] = []

    def work() -> None:
        for _ in range(NUMBER):
            clients.append(server.accept())

    timed(work)


# ---- The standard library


def listen_plain() -> socket.socket:
    """Creates a server of the standard library."""
    server = socket.socket()
    if SHARED is not None:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind((HOST, SHARED or 0))
    server.listen(BACKLOG)
    tell(server.getsockname()[1])
    return server


def selectors_loop() -> None:
    """Waits with the standard library's selectors, which is epoll."""
    server = listen_plain()
    server.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(server, selectors.EVENT_READ)

    def echo(client: socket.socket, key: selectors.SelectorKey) -> None:
        data = client.recv(ROOM)
        if not data:
            raise ConnectionError
        client.send(data)

    def line(client: socket.socket, key: selectors.SelectorKey) -> None:
        data = client.recv(ROOM)
        if not data:
            raise ConnectionError
        rest = key.data
        if rest:
            data = bytes(rest) + data
            rest.clear()
        found, begin = data.find(b"\n") + 1, 0
        while found:
            client.send(data[begin:found])
            begin, found = found, data.find(b"\n", found) + 1
        rest += data[begin:]

    answer = line if LINES else echo
    while True:
        for key, _ in selector.select():
            made: Any = key.fileobj
            if made is server:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        client, _ = server.accept()
                        client.setblocking(False)
                        selector.register(client, selectors.EVENT_READ, bytearray())
                continue
            try:
                answer(made, key)
            except BlockingIOError:
                pass
            except OSError:
                selector.unregister(made)
                made.close()


def plain_accept() -> None:
    """Accepts in a loop."""
    server = listen_plain()
    clients: List[Any] = []

    def work() -> None:
        for _ in range(NUMBER):
            clients.append(server.accept())

    timed(work)


# ---- asyncio, with its own loop or with uvloop


class Echo(asyncio.Protocol):
    """Sends back what comes."""

    def connection_made(self, transport: Any) -> None:
        self.write = transport.write

    def data_received(self, data: bytes) -> None:
        self.write(data)


class Lines(asyncio.Protocol):
    """Sends lines back."""

    def connection_made(self, transport: Any) -> None:
        self.write = transport.write
        self.rest = b""

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        found, begin = data.find(b"\n") + 1, 0
        while found:
            self.write(data[begin:found])
            begin, found = found, data.find(b"\n", found) + 1
        self.rest = data[begin:]


async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serves one connection."""
    with contextlib.suppress(OSError):
        while True:
            data = await (reader.readline() if LINES else reader.read(ROOM))
            if not data:
                break
            writer.write(data)
            await writer.drain()
    writer.close()


async def asyncio_server() -> None:
    """Serves with protocols or with streams."""
    plain = {"host": HOST, "port": SHARED or 0, "backlog": BACKLOG}
    if SHARED is not None:
        plain["reuse_port"] = True
    server: Any
    if LIBRARY.endswith("streams"):
        server = await asyncio.start_server(stream, **plain)
    else:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Lines if LINES else Echo, **plain)
    tell(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def run_asyncio() -> None:
    """Runs one of the loops."""
    if LIBRARY.startswith("uvloop"):
        import uvloop

        uvloop.install()
    asyncio.run(asyncio_server())


SERVERS = {
    "poller": polysock_poller,
    "select": polysock_select,
    "selectors": selectors_loop,
}
if CASE == "accept":
    plain_accept() if LIBRARY == "selectors" else polysock_accept()
elif LIBRARY.startswith(("asyncio", "uvloop")):
    run_asyncio()
else:
    SERVERS[LIBRARY]()
