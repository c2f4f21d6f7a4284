# SPDX-License-Identifier: MIT
"""Lets a server work for a while with clients that behave badly, and checks what it says.

A third of the clients talk in bursts, a third read slowly what the server floods them
with, and a third reset their connections at any moment: in the middle of a line, before
an answer, in the middle of a flood. The servers are polysock's; the clients use nothing
but asyncio. What is checked:

- answers come in order, each once, whatever was in one packet;
- what was acknowledged is remembered after the connection was reset;
- a flood arrives to the byte, however slowly it is read;
- at the end the server has as many descriptors open as at the beginning.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, AsyncIterator, Dict, Iterator, List, Tuple

HERE = Path(__file__).resolve().parent
PATIENCE = 30
RESET = struct.pack("ii", 1, 0)
LIMIT = 8192
"""What a stream reads ahead: little, so that slow readers are slow for the server."""


class Line:
    """A connection to the server, line by line."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, data: bytes) -> None:
        """Sends lines, often cut in two somewhere."""
        cut = random.randrange(2 * len(data))
        self.writer.write(data[:cut])
        await self.writer.drain()
        if cut < len(data):
            await asyncio.sleep(0)
            self.writer.write(data[cut:])
            await self.writer.drain()

    async def hear(self) -> bytes:
        """Receives a line."""
        line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
        assert line.endswith(b"\n"), f"the server ended the connection: {line!r}"
        return line

    def reset(self) -> None:
        """Ends the connection at once."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()


@dataclass
class Soak:
    """All clients of one server, and what they have counted."""

    port: int
    end: float
    counts: Counter[str] = field(default_factory=Counter)
    acknowledged: Dict[str, Tuple[int, int]] = field(default_factory=dict)
    """By the name of a session: what was acknowledged, and what was sent."""

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Line]:
        """Connects, and ends the connection in an orderly way."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, limit=LIMIT
        )
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LIMIT)
        try:
            yield Line(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def last(self, line: Line, name: str) -> int:
        """Asks what the server remembers of a session."""
        await line.ask(f"last {name}\n".encode())
        words = (await line.hear()).split()
        assert words[:2] == [b"last", name.encode()], words
        return int(words[2])

    async def burst(self, line: Line, name: str, sent: int, count: int) -> int:
        """Sends some lines at once."""
        data = "".join(f"add {name} {sent + i + 1}\n" for i in range(count))
        await line.ask(data.encode())
        return sent + count

    async def talk(self, number: int) -> None:
        """Sends bursts, and hears all answers."""
        name, sent = f"talker{number}", 0
        async with self.connection() as line:
            while time.monotonic() < self.end:
                before = sent
                sent = await self.burst(line, name, sent, random.randint(1, 40))
                for i in range(before, sent):
                    assert await line.hear() == b"ok %d\n" % (i + 1)
                self.counts["answers"] += sent - before
                await asyncio.sleep(random.random() * 0.01)
            assert await self.last(line, name) == sent
        self.acknowledged[name] = sent, sent

    async def read_slowly(self, _: int) -> None:
        """Reads floods in small pieces, with pauses."""
        while time.monotonic() < self.end:
            async with self.connection() as line:
                count = random.randint(1, 10000)
                await line.ask(b"flood %d\nlast nobody\n" % count)
                for i in range(1, count + 1):
                    assert await line.hear() == b"%099d\n" % i
                    if i % 200 == 0 and time.monotonic() < self.end:
                        await asyncio.sleep(random.random() * 0.03)
                assert await line.hear() == b"last nobody 0\n"
                self.counts["flooded"] += count

    async def break_off(self, number: int) -> None:
        """Resets connections at any moment, and asks what the server remembers."""
        session = 0
        while time.monotonic() < self.end:
            session += 1
            name = f"breaker{number}-{session}"
            acknowledged = sent = 0
            async with self.connection() as line:
                for _ in range(random.randint(0, 5)):
                    sent = await self.burst(line, name, sent, random.randint(1, 20))
                    for _ in range(random.randint(0, sent - acknowledged)):
                        acknowledged += 1
                        assert await line.hear() == b"ok %d\n" % acknowledged
                if random.random() < 0.3:
                    line.writer.write(b"flood 5000\n")
                if random.random() < 0.3:
                    line.writer.write(b"add half a li")
                await asyncio.sleep(random.random() * 0.02)
                line.reset()
            self.acknowledged[name] = acknowledged, sent
            self.counts["resets"] += 1
            async with self.connection() as line:
                await self.compare(line, name)

    async def compare(self, line: Line, name: str) -> None:
        """Fails if something acknowledged was forgotten, or invented."""
        acknowledged, sent = self.acknowledged[name]
        last = await self.last(line, name)
        assert acknowledged <= last <= sent, f"{name}: {acknowledged} {last} {sent}"

    async def stay_silent(self, _: int) -> None:
        """Connects and says nothing, or half a line."""
        async with self.connection() as line:
            if random.random() < 0.5:
                line.writer.write(b"last nob")
            await asyncio.sleep(max(0, self.end - time.monotonic()))

    async def run(self, clients: int) -> None:
        """Runs all clients; then asks for every session again, and ends the server."""
        kinds = [self.talk, self.read_slowly, self.break_off] * (clients // 3)
        kinds += [self.stay_silent] * 5
        tasks = [asyncio.create_task(kind(i)) for i, kind in enumerate(kinds)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        async with self.connection() as line:
            for name in self.acknowledged:
                await self.compare(line, name)
            await line.ask(b"stalls\n")
            self.counts["stalls"] = int((await line.hear()).split()[1])


def descriptors(process: Any) -> int:
    """Counts the open descriptors of a process."""
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def descriptors_at_first(process: Any, port: int) -> int:
    """Counts them once the server serves: before, it may not have opened all it needs."""
    with socket.create_connection(("127.0.0.1", port)) as first:
        first.settimeout(PATIENCE)
        first.sendall(b"last nobody\n")
        assert first.recv(100) == b"last nobody 0\n"
        return descriptors(process) - 1


def settle(process: Any, expected: int) -> int:
    """Waits until a process has as many descriptors as expected, and counts them."""
    end = time.monotonic() + PATIENCE
    while descriptors(process) > expected and time.monotonic() < end:
        time.sleep(0.01)
    return descriptors(process)


def soak(command: List[str], seconds: float, clients: int) -> None:
    """Runs one server with its clients. Raises if something is wrong."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            before = descriptors_at_first(process, port)
            run = Soak(port, time.monotonic() + seconds)
            asyncio.run(run.run(clients))
            after = settle(process, before)
            assert after == before, f"{after} descriptors open, {before} at first"
            for kind in ("answers", "flooded", "resets", "stalls"):
                assert run.counts[kind] > 0, f"no {kind}"
            with socket.create_connection(("127.0.0.1", port)) as last:
                last.sendall(b"quit\n")
                status = process.wait(PATIENCE)
            assert status == 0, f"status {status}"
            print(f"  {dict(run.counts)}, {len(run.acknowledged)} sessions")
        finally:
            process.kill()


def servers(options: Any) -> Iterator[List[str]]:
    """Yields the commands of the servers."""
    yield [options.c]
    for waits in ("poller", "select"):
        yield [options.lua, str(HERE / "serve.lua"), waits]
        yield [options.python, str(HERE / "serve.py"), waits]


def main() -> None:
    """Runs all servers, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for each server")
    parser.add_argument("--clients", type=int, default=150, help="how many at once")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the dice")
    parser.add_argument("--c", required=True, help="the server in C")
    parser.add_argument("--lua", default="lua5.4", help="the interpreter of Lua")
    parser.add_argument("--python", default=sys.executable, help="a Python with polysock")
    parser.add_argument("--only", help="servers whose command has this word")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    random.seed(options.seed)
    passed = 0
    for command in servers(options):
        if options.only and options.only not in " ".join(command):
            continue
        print(" ".join(command), flush=True)
        soak(command, options.seconds, options.clients)
        passed += 1
    print(f"soak: {passed} passed")


if __name__ == "__main__":
    main()
