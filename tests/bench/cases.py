# SPDX-License-Identifier: MIT
"""One benchmark case for one library of Python, once.

Arguments: library, case, port, count. It prints the seconds of wall clock and of
processor that the case took, and for those about memory the bytes. Run by run.py, never
by itself.
"""

from __future__ import annotations

import contextlib
import gc
import json
import socket
import sys
import time
from typing import Any, Callable, Dict, List, Optional

LIBRARY, CASE, PORT, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
HOST = "127.0.0.1"
LARGE = 1024 * 1024
MESSAGE = 64
DELIMITER = b"a" * 15 + b"b"

Cases = Dict[str, Callable[[], None]]


# ---- Measuring


class Result:
    """What a case measures."""

    wall = cpu = 0.0
    bytes: Optional[float] = None

    def start(self) -> None:
        """Begins the time of the case."""
        gc.collect()
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """Ends the time of the case."""
        self.cpu = time.process_time() - self.cpu
        self.wall = time.perf_counter() - self.wall


RESULT = Result()
start, stop = RESULT.start, RESULT.stop


def memory(field: str) -> int:
    """Returns a size from the status of this process, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise LookupError(field)


def growth(begin: Callable[[], Any], receive: Callable[[Any], bytes]) -> None:
    """Measures a single receive, and the most memory that it takes at once."""
    client = begin()
    gc.collect()
    with open("/proc/self/clear_refs", "w", encoding="ascii") as reset:
        reset.write("5")
    before = memory("VmRSS")
    start()
    data = receive(client)
    stop()
    RESULT.bytes = memory("VmHWM") - before
    assert len(data) > COUNT - 20


def idle(connect: Callable[[], Any]) -> None:
    """Measures what an idle connection costs."""
    held: List[Any] = [None] * COUNT
    connect().close()
    gc.collect()
    before = memory("VmRSS")
    start()
    for i in range(COUNT):
        held[i] = connect()
    stop()
    gc.collect()
    RESULT.bytes = (memory("VmRSS") - before) / COUNT
    for client in held:
        client.close()


# ---- What the cases ask the peer for


def records(size: int, last: int, times: int = COUNT) -> bytes:
    """Returns the command for records."""
    return b"records %d %d %d\n" % (size, times, last)


COMMANDS = {
    "line": records(31, 10),
    "iterate": records(31, 10),
    "line20k": records(20000, 10),
    "count16": records(16, 97),
    "count64k": records(65536, 97),
    "count1m": records(LARGE, 97),
    "all": records(COUNT, 97, 1),
    "send64": b"sink\n",
    "send1m": b"sink\n",
    "pingpong": b"echo %d\n" % MESSAGE,
    "call": b"sink\n",
    "ready": b"sink\n",
    "growth-all": records(COUNT, 97, 1),
    "growth-line": records(COUNT, 10, 1),
    "growth-until": records(COUNT, 98, 1),
    "growth-drip": b"drip %d\n" % COUNT,
}


# ---- polysock, with tuples and raising


def polysock(cases: Cases) -> None:
    """Results are tuples."""
    import polysock as module

    def begin() -> Any:
        client, _ = module.connect(HOST, PORT)
        assert client is not None
        client.setoption("tcp-nodelay", True)
        client.send(COMMANDS[CASE])
        return client

    def lines() -> None:
        receive = begin().receive
        start()
        for _ in range(COUNT):
            data, error, partial = receive()
        stop()
        assert data is not None

    def counts(size: int) -> Callable[[], None]:
        def work() -> None:
            receive = begin().receive
            start()
            for _ in range(COUNT):
                data, error, partial = receive(size)
            stop()
            assert len(data) == size

        return work

    def sending(size: int) -> Callable[[], None]:
        def work() -> None:
            client, data = begin(), b"a" * size
            send = client.send
            start()
            for _ in range(COUNT):
                last, error, partial = send(data)
            client.shutdown("send")
            client.receive(1)
            stop()
            assert last == size

        return work

    def everything() -> None:
        client = begin()
        start()
        data, error, partial = client.receive("*a")
        stop()
        assert len(data) == COUNT

    def pingpong() -> None:
        client, data = begin(), b"a" * MESSAGE
        send, receive = client.send, client.receive
        start()
        for _ in range(COUNT):
            send(data)
            answer, error, partial = receive(MESSAGE)
        stop()
        assert answer == data

    def connect() -> None:
        client: Any
        start()
        for _ in range(COUNT):
            client, error = module.connect(HOST, PORT)
            client.close()
        stop()

    cases.update(
        {
            "line": lines,
            "line20k": lines,
            "count16": counts(16),
            "count64k": counts(65536),
            "count1m": counts(LARGE),
            "all": everything,
            "send64": sending(MESSAGE),
            "send1m": sending(LARGE),
            "pingpong": pingpong,
            "call": lambda: calling(begin().getfd),
            "iterate": lambda: iterating(begin()),
            "connect": connect,
            "idle": lambda: idle(lambda: module.connect(HOST, PORT)[0]),
            "growth-all": lambda: growth(begin, lambda c: c.receive("*a")[0]),
            "growth-line": lambda: growth(begin, lambda c: c.receive()[0]),
            "growth-drip": lambda: growth(begin, lambda c: c.receive()[0]),
            "growth-until": lambda: growth(begin, lambda c: c.receiveuntil(DELIMITER)[0]),
        }
    )


def polysock_raising(cases: Cases) -> None:
    """Results are bare values."""
    from polysock import raising as module

    def begin() -> Any:
        client = module.connect(HOST, PORT)
        client.setoption("tcp-nodelay", True)
        client.send(COMMANDS[CASE])
        return client

    def connect() -> None:
        start()
        for _ in range(COUNT):
            module.connect(HOST, PORT).close()
        stop()

    def everything() -> None:
        receiving(begin().receive, "*a", times=1)

    cases.update(
        {
            "line": lambda: receive_lines(begin().receive),
            "line20k": lambda: receive_lines(begin().receive),
            "count16": lambda: receive_counts(begin().receive, 16),
            "count64k": lambda: receive_counts(begin().receive, 65536),
            "count1m": lambda: receive_counts(begin().receive, LARGE),
            "all": everything,
            "send64": lambda: sending(begin(), "send", MESSAGE),
            "send1m": lambda: sending(begin(), "send", LARGE),
            "pingpong": lambda: pingponging(begin(), "send", "receive"),
            "call": lambda: calling(begin().getfd),
            "ready": lambda: waiting(module.poller(), begin),
            "iterate": lambda: iterating(begin()),
            "connect": connect,
            "idle": lambda: idle(lambda: module.connect(HOST, PORT)),
        }
    )


# ---- What libraries that return bare values have in common


def receiving(receive: Callable[..., bytes], *pattern: Any, times: int = COUNT) -> None:
    """Calls one function that receives, again and again."""
    start()
    for _ in range(times):
        data = receive(*pattern)
    stop()
    assert data


def receive_lines(receive: Callable[[], bytes]) -> None:
    """Calls a function without arguments again and again."""
    start()
    for _ in range(COUNT):
        data = receive()
    stop()
    assert data


def receive_counts(receive: Callable[[int], bytes], size: int) -> None:
    """Calls a function with a number again and again."""
    start()
    for _ in range(COUNT):
        data = receive(size)
    stop()
    assert len(data) == size


def sending(client: Any, method: str, size: int) -> None:
    """Sends, and waits until the peer has all of it."""
    data, send = b"a" * size, getattr(client, method)
    shutdown = client.shutdown
    start()
    for _ in range(COUNT):
        send(data)
    if LIBRARY in ("socket", "boltons"):
        shutdown(socket.SHUT_WR)
        client.recv(1)
    else:
        shutdown("send")
        with contextlib.suppress(ConnectionError):
            client.receive(1)
    stop()


def pingponging(client: Any, sender: str, receiver: str) -> None:
    """Sends a message and waits for its echo."""
    data, send, receive = (
        b"a" * MESSAGE,
        getattr(client, sender),
        getattr(client, receiver),
    )
    start()
    for _ in range(COUNT):
        send(data)
        answer = receive(MESSAGE)
    stop()
    assert answer == data


def calling(function: Callable[[], int]) -> None:
    """Calls what does no input or output."""
    start()
    for _ in range(COUNT):
        function()
    stop()


def waiting(poller: Any, begin: Callable[[], Any]) -> None:
    """Waits for 100 clients, of which 50 are ready: counts the ready ones."""
    for number in range(100):
        poller.add(begin(), "w" if number < 50 else "r")
    found = 0
    start()
    while found < COUNT:
        for _client, events in poller.wait():
            found += len(events)
    stop()
    poller.close()


def iterating(lines: Any) -> None:
    """Iterates over all lines."""
    found = 0
    start()
    for _ in lines:
        found += 1
    stop()
    assert found == COUNT


# ---- The standard library


def plain() -> socket.socket:
    """Returns a connected socket whose peer has its command."""
    client = socket.create_connection((HOST, PORT))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    client.sendall(COMMANDS[CASE])
    return client


def stdlib(cases: Cases) -> None:
    """A socket and makefile."""

    def file() -> Any:
        return plain().makefile("rb")

    def connect() -> None:
        start()
        for _ in range(COUNT):
            socket.create_connection((HOST, PORT)).close()
        stop()

    def pingpong() -> None:
        client = plain()
        data, send, receive = b"a" * MESSAGE, client.sendall, client.recv
        start()
        for _ in range(COUNT):
            send(data)
            answer = receive(MESSAGE)
        stop()
        assert answer == data

    def everything() -> None:
        receive = file().read
        start()
        data = receive()
        stop()
        assert len(data) == COUNT

    cases.update(
        {
            "line": lambda: receive_lines(file().readline),
            "line20k": lambda: receive_lines(file().readline),
            "count16": lambda: receive_counts(file().read, 16),
            "count64k": lambda: receive_counts(file().read, 65536),
            "count1m": lambda: receive_counts(file().read, LARGE),
            "all": everything,
            "send64": lambda: sending(plain(), "sendall", MESSAGE),
            "send1m": lambda: sending(plain(), "sendall", LARGE),
            "pingpong": pingpong,
            "call": lambda: calling(plain().fileno),
            "iterate": lambda: iterating(file()),
            "connect": connect,
            "idle": lambda: idle(lambda: socket.create_connection((HOST, PORT))),
        }
    )


def boltons(cases: Cases) -> None:
    """BufferedSocket reads until a delimiter in pure Python."""
    from boltons.socketutils import (  # type: ignore[import-untyped, unused-ignore]
        BufferedSocket,
    )

    def begin() -> Any:
        return BufferedSocket(plain(), maxsize=1 << 30, timeout=None, recvsize=65536)

    cases.update(
        {
            "line": lambda: receiving(begin().recv_until, b"\n"),
            "line20k": lambda: receiving(begin().recv_until, b"\n"),
            "count16": lambda: receive_counts(begin().recv_size, 16),
            "count64k": lambda: receive_counts(begin().recv_size, 65536),
            "count1m": lambda: receive_counts(begin().recv_size, LARGE),
            "all": lambda: receiving(begin().recv_close, times=1),
            "send64": lambda: sending(begin(), "send", MESSAGE),
            "send1m": lambda: sending(begin(), "send", LARGE),
            "pingpong": lambda: pingponging(begin(), "send", "recv_size"),
            "call": lambda: calling(begin().fileno),
        }
    )


# ---- asyncio and uvloop: streams and protocols


def streams(cases: Cases) -> None:
    """Streams, on the loop that is installed."""
    import asyncio

    def case(work: Callable[[Any, Any], Any]) -> Callable[[], None]:
        async def main() -> None:
            reader, writer = await asyncio.open_connection(HOST, PORT)
            writer.write(COMMANDS[CASE])
            await work(reader, writer)
            writer.close()

        return lambda: run(main())

    async def lines(reader: Any, writer: Any) -> None:
        start()
        for _ in range(COUNT):
            data = await reader.readline()
        stop()
        assert data

    async def iterate(reader: Any, writer: Any) -> None:
        found = 0
        start()
        async for _ in reader:
            found += 1
        stop()
        assert found == COUNT

    def counts(size: int) -> Callable[[], None]:
        async def work(reader: Any, writer: Any) -> None:
            start()
            for _ in range(COUNT):
                await reader.readexactly(size)
            stop()

        return case(work)

    async def everything(reader: Any, writer: Any) -> None:
        start()
        data = await reader.read()
        stop()
        assert len(data) == COUNT

    def sends(size: int) -> Callable[[], None]:
        async def work(reader: Any, writer: Any) -> None:
            data = b"a" * size
            start()
            for _ in range(COUNT):
                writer.write(data)
                await writer.drain()
            writer.write_eof()
            await reader.read(1)
            stop()

        return case(work)

    async def pingpong(reader: Any, writer: Any) -> None:
        data = b"a" * MESSAGE
        start()
        for _ in range(COUNT):
            writer.write(data)
            await reader.readexactly(MESSAGE)
        stop()

    cases.update(
        {
            "line": case(lines),
            "line20k": case(lines),
            "iterate": case(iterate),
            "count16": counts(16),
            "count64k": counts(65536),
            "count1m": counts(LARGE),
            "all": case(everything),
            "send64": sends(MESSAGE),
            "send1m": sends(LARGE),
            "pingpong": case(pingpong),
        }
    )


def protocols(cases: Cases) -> None:
    """Protocols, on the loop that is installed; what comes is taken apart by hand."""
    import asyncio

    class Lines(asyncio.Protocol):
        """Splits chunks into lines."""

        def __init__(self) -> None:
            self.rest = b""
            self.found = 0
            self.done = asyncio.get_running_loop().create_future()

        def connection_made(self, transport: Any) -> None:
            """Returns the command."""
            transport.write(COMMANDS[CASE])
            start()

        def data_received(self, data: bytes) -> None:
            """Counts the lines."""
            lines = (self.rest + data).split(b"\n")
            self.rest = lines.pop()
            for _ in lines:
                self.found += 1

        def connection_lost(self, exc: Optional[Exception]) -> None:
            """Ends the case."""
            stop()
            self.done.set_result(None)

    class PingPong(asyncio.Protocol):
        """Answers each message with the next."""

        def __init__(self) -> None:
            self.left = COUNT
            self.done = asyncio.get_running_loop().create_future()

        def connection_made(self, transport: Any) -> None:
            """Returns the command and the first message."""
            self.transport = transport
            transport.write(COMMANDS[CASE])
            start()
            transport.write(b"a" * MESSAGE)

        def data_received(self, data: bytes) -> None:
            """Sends the next message."""
            self.left -= 1
            if self.left > 0:
                self.transport.write(b"a" * MESSAGE)
                return
            stop()
            self.done.set_result(None)

    def case(protocol: Callable[[], Any]) -> Callable[[], None]:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            _, made = await loop.create_connection(protocol, HOST, PORT)
            await made.done

        return lambda: run(main())

    cases.update(
        {"line": case(Lines), "line20k": case(Lines), "pingpong": case(PingPong)}
    )


def run(main: Any) -> None:
    """Runs a coroutine on the loop that LIBRARY names."""
    if LIBRARY.startswith("uvloop"):
        import uvloop

        uvloop.run(main)
    else:
        import asyncio

        asyncio.run(main)


LIBRARIES: Dict[str, Callable[[Cases], None]] = {
    "polysock": polysock,
    "raising": polysock_raising,
    "socket": stdlib,
    "boltons": boltons,
    "asyncio-streams": streams,
    "asyncio-protocols": protocols,
    "uvloop-streams": streams,
    "uvloop-protocols": protocols,
}


def main() -> None:
    """Runs the case and prints what it took."""
    cases: Cases = {}
    LIBRARIES[LIBRARY](cases)
    cases[CASE]()
    print(json.dumps({"wall": RESULT.wall, "cpu": RESULT.cpu, "bytes": RESULT.bytes}))


main()
