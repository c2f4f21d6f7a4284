# SPDX-License-Identifier: MIT
"""Processor time of polysock.aio beside what else Python has for many connections.

    python tests/bench/aio.py [--rounds 15] [--output docs/benchmarks.md]

Each figure is a process that does nothing else; its peer, which uses plain sockets, is a
process of its own and not counted. A round runs all of them in turn, and each is divided
by polysock.aio of the same round on the same loop; the median of these ratios is what
counts. Needs uvloop and anyio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import platform
import select
import socket
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Awaitable, Callable, Dict, List, Tuple

HOST = "127.0.0.1"
TITLE = "## Many connections in one thread: polysock.aio"
LINE = b"a" * 31 + b"\n"
BLOCK = 2048
"""Lines in a block that the peer sends."""

CASES = {
    "line": 1_000_000,
    "ping-pong": 20_000,
    "request, 50 connections": 40_000,
    "request, 1,000 connections": 40_000,
}
LIBRARIES = ["polysock.aio", "streams", "protocols", "anyio"]
LOOPS = ["asyncio", "uvloop"]

# ---- Peers: plain sockets


def feed(server: socket.socket, count: int) -> None:
    """Sends so many lines."""
    peer = server.accept()[0]
    for _ in range(count // BLOCK):
        peer.sendall(LINE * BLOCK)
    peer.sendall(LINE * (count % BLOCK))
    peer.close()


def answer(server: socket.socket, count: int) -> None:
    """Sends back what comes."""
    peer = server.accept()[0]
    while True:
        data = peer.recv(65536)
        if not data:
            return
        peer.sendall(data)


def ask(port: int, count: int, connections: int) -> None:
    """Sends requests over many connections; each waits for its answer."""
    ready = select.epoll()
    peers: Dict[int, socket.socket] = {}
    for _ in range(connections):
        peer = socket.create_connection((HOST, port))
        peers[peer.fileno()] = peer
        ready.register(peer, select.EPOLLIN)
        peer.sendall(LINE)
    sent = connections
    answers = 0
    while answers < count:
        for fd, _ in ready.poll():
            if peers[fd].recv(4096) != LINE:
                raise ValueError("this is no echo")
            answers += 1
            if sent < count:
                peers[fd].sendall(LINE)
                sent += 1
    for peer in peers.values():
        peer.close()


# ---- What is measured: each gives the seconds of processor time


class Meter:
    """Counts what the work takes from start to stop."""

    begun = seconds = 0.0

    def start(self) -> None:
        """Begins."""
        self.begun = time.process_time()

    def stop(self) -> None:
        """Ends."""
        self.seconds = time.process_time() - self.begun


class Polysock:
    """polysock.aio."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    async def lines(self, port: int, count: int) -> None:
        """Iterates over lines."""
        from polysock import aio

        found = 0
        async with await aio.connect(HOST, port) as stream:
            self.meter.start()
            async for _ in stream:
                found += 1
            self.meter.stop()
        assert found == count

    async def pingpong(self, port: int, count: int) -> None:
        """Sends a line and receives one."""
        from polysock import aio

        async with await aio.connect(HOST, port) as stream:
            self.meter.start()
            for _ in range(count):
                await stream.send(LINE)
                await stream.receive("*L")
            self.meter.stop()

    async def serve(self, begin: Callable[[int], None], connections: int) -> None:
        """Echoes lines until all connections are closed."""
        from polysock import aio

        left = connections
        done = asyncio.Event()

        async def handler(stream: aio.Stream) -> None:
            nonlocal left
            async for line in stream.lines("*L"):
                await stream.send(line)
            left -= 1
            if left == 0:
                done.set()

        async with await aio.serve(handler, HOST, 0, 1024) as server:
            self.meter.start()
            begin(server.getsockname()[1])
            await done.wait()
            self.meter.stop()


class Streams(Polysock):
    """The streams of asyncio."""

    async def lines(self, port: int, count: int) -> None:
        found = 0
        reader, writer = await asyncio.open_connection(HOST, port)
        self.meter.start()
        async for _ in reader:
            found += 1
        self.meter.stop()
        writer.close()
        assert found == count

    async def pingpong(self, port: int, count: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        self.meter.start()
        for _ in range(count):
            writer.write(LINE)
            await writer.drain()
            await reader.readline()
        self.meter.stop()
        writer.close()

    async def serve(self, begin: Callable[[int], None], connections: int) -> None:
        left = connections
        done = asyncio.Event()

        async def handler(reader: Any, writer: Any) -> None:
            nonlocal left
            async for line in reader:
                writer.write(line)
                await writer.drain()
            writer.close()
            left -= 1
            if left == 0:
                done.set()

        server = await asyncio.start_server(handler, HOST, 0, backlog=1024)
        self.meter.start()
        begin(server.sockets[0].getsockname()[1])
        await done.wait()
        self.meter.stop()
        server.close()


class LineProtocol(asyncio.Protocol):
    """Splits what comes into lines."""

    def __init__(self, line: Callable[[Any, bytes], None]) -> None:
        self.line_received = line
        self.rest = b""
        self.transport: Any = None
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            self.line_received(self.transport, line)

    def connection_lost(self, error: Any) -> None:
        self.lost.set_result(None)


class Protocols(Polysock):
    """The protocols of asyncio: a callback for each line."""

    async def lines(self, port: int, count: int) -> None:
        found = 0

        def line(_: Any, __: bytes) -> None:
            nonlocal found
            found += 1

        loop = asyncio.get_running_loop()
        made = loop.create_connection(lambda: LineProtocol(line), HOST, port)
        protocol = (await made)[1]
        self.meter.start()
        await protocol.lost
        self.meter.stop()
        assert found == count

    async def pingpong(self, port: int, count: int) -> None:
        left = count

        def line(transport: Any, _: bytes) -> None:
            nonlocal left
            left -= 1
            if left > 0:
                transport.write(LINE)
            else:
                transport.close()

        loop = asyncio.get_running_loop()
        made = loop.create_connection(lambda: LineProtocol(line), HOST, port)
        transport, protocol = await made
        self.meter.start()
        transport.write(LINE)
        await protocol.lost
        self.meter.stop()

    async def serve(self, begin: Callable[[int], None], connections: int) -> None:
        loop = asyncio.get_running_loop()
        protocols: List[LineProtocol] = []

        def make() -> LineProtocol:
            protocols.append(
                LineProtocol(lambda transport, line: transport.write(line + b"\n"))
            )
            return protocols[-1]

        server = await loop.create_server(make, HOST, 0, backlog=1024)
        self.meter.start()
        begin(server.sockets[0].getsockname()[1])
        while len(protocols) < connections:
            await asyncio.sleep(0.01)
        for protocol in protocols:
            await protocol.lost
        self.meter.stop()
        server.close()


class Anyio(Polysock):
    """The streams of anyio, with its buffer for lines."""

    async def lines(self, port: int, count: int) -> None:
        import anyio
        from anyio.streams.buffered import BufferedByteReceiveStream

        found = 0
        async with await anyio.connect_tcp(HOST, port) as stream:
            buffered = BufferedByteReceiveStream(stream)
            self.meter.start()
            for _ in range(count):
                await buffered.receive_until(b"\n", 65536)
                found += 1
            self.meter.stop()

    async def pingpong(self, port: int, count: int) -> None:
        import anyio
        from anyio.streams.buffered import BufferedByteReceiveStream

        async with await anyio.connect_tcp(HOST, port) as stream:
            buffered = BufferedByteReceiveStream(stream)
            self.meter.start()
            for _ in range(count):
                await stream.send(LINE)
                await buffered.receive_until(b"\n", 65536)
            self.meter.stop()

    async def serve(self, begin: Callable[[int], None], connections: int) -> None:
        import anyio
        from anyio.streams.buffered import BufferedByteReceiveStream

        left = connections

        async def handler(stream: Any) -> None:
            nonlocal left
            async with stream:
                buffered = BufferedByteReceiveStream(stream)
                try:
                    while True:
                        line = await buffered.receive_until(b"\n", 65536)
                        await stream.send(line + b"\n")
                except (anyio.IncompleteRead, anyio.EndOfStream):
                    pass
            left -= 1
            if left == 0:
                group.cancel_scope.cancel()

        listener = await anyio.create_tcp_listener(
            local_host=HOST, local_port=0, backlog=1024
        )
        self.meter.start()
        begin(listener.listeners[0].extra(anyio.abc.SocketAttribute.local_port))
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, handler)
        self.meter.stop()


KINDS = {
    "polysock.aio": Polysock,
    "streams": Streams,
    "protocols": Protocols,
    "anyio": Anyio,
}


def measure(library: str, loop: str, case: str, count: int) -> float:
    """Returns the seconds of processor time for each of count."""
    meter = Meter()
    its = KINDS[library](meter)
    fork = multiprocessing.get_context("fork")
    processes: List[Any] = []

    def start(target: Callable[..., None], *args: Any) -> None:
        processes.append(fork.Process(target=target, args=args))
        processes[-1].start()

    main: Awaitable[None]
    if case.startswith("request"):
        connections = int(case.split()[1].replace(",", ""))
        main = its.serve(lambda port: start(ask, port, count, connections), connections)
    else:
        server = socket.create_server((HOST, 0))
        start(feed if case == "line" else answer, server, count)
        work = its.lines if case == "line" else its.pingpong
        main = work(server.getsockname()[1], count)
        server.close()
    if loop == "uvloop":
        import uvloop

        uvloop.run(main)
    else:
        asyncio.run(main)  # type: ignore[arg-type]
    for process in processes:
        process.join()
    return meter.seconds / count


# ---- All of them


def run(library: str, loop: str, case: str, scale: float) -> float:
    """Measures in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--measure"]
    count = str(max(int(CASES[case] * scale), 2000))
    done = subprocess.run(
        [*command, library, loop, case, count], stdout=subprocess.PIPE, check=True
    )
    return float(json.loads(done.stdout))


Figures = Dict[Tuple[str, str, str], List[float]]


def table(figures: Figures, loop: str) -> List[str]:
    """Returns the rows for one loop."""
    rows = [f"| per, under {loop} | {' | '.join(LIBRARIES)} |"]
    rows.append("| --- |" + " ---: |" * len(LIBRARIES))
    for case in CASES:
        ours = figures[LIBRARIES[0], loop, case]
        cells = []
        for library in LIBRARIES:
            theirs = figures[library, loop, case]
            cell = f"{statistics.median(theirs) * 1e6:.2f}"
            if theirs is not ours:
                ratio = statistics.median(a / b for a, b in zip(theirs, ours))
                cell += f" ({ratio:.2f})"
            cells.append(cell)
        rows.append(f"| {case} | {' | '.join(cells)} |")
    return rows


def report(figures: Figures, options: argparse.Namespace) -> str:
    """Returns the section of the document."""
    versions = [f"{name} {version(name)}" for name in ("polysock", "uvloop", "anyio")]
    text = f"""{TITLE}

Processor time in microseconds; in parentheses, how many times that of `polysock.aio`
on the same loop it is: the median of the ratios of {options.rounds} rounds. Lines have
{len(LINE)} bytes. Streams and protocols are those of asyncio, and a protocol calls a
method for each line; anyio reads by `receive_until`. Peers are processes of their own,
and not counted.
Python {platform.python_version()}, {", ".join(versions)}.

    python tests/bench/aio.py --rounds {options.rounds} --scale {options.scale:g} \\
        --output docs/benchmarks.md
"""
    return "\n".join([text, *table(figures, LOOPS[0]), "", *table(figures, LOOPS[1]), ""])


def main() -> None:
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="", help="cases that begin so")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        library, loop, case, count = options.measure
        print(json.dumps(measure(library, loop, case, int(count))))
        return
    for case in list(CASES):
        if not case.startswith(options.only):
            del CASES[case]
    figures: Figures = {}
    for number in range(options.rounds):
        print(f"round {number + 1}", file=sys.stderr)
        for case in CASES:
            for loop in LOOPS:
                for library in LIBRARIES:
                    seconds = run(library, loop, case, options.scale)
                    figures.setdefault((library, loop, case), []).append(seconds)
    text = report(figures, options)
    if options.output is None:
        print(text)
        return
    document = options.output.read_text()
    before, title, rest = document.partition(TITLE)
    rest = rest[rest.index("\n**") :] if title and "\n**" in rest else ""
    options.output.write_text(before.rstrip() + "\n\n" + text + rest)


if __name__ == "__main__":
    main()
