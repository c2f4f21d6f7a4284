# SPDX-License-Identifier: MIT
"""Cancelling loses no byte and repeats none, whatever is cancelled and when.

Both ends send and receive at once, with every method, through a socket whose buffers are
small. Calls are cancelled after some turns of the loop, or end by a limit of time; what
came out is compared with what went in.
"""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any, Callable, List, Tuple

import pytest
from aio_support import Runner, run, turns
from polysock import aio, raising

__all__ = ["run"]

SIZE = 300000
"""Bytes that go each way."""


class Count:
    """How many calls were cancelled while they waited, and how many were late."""

    cancelled = 0
    sends = 0  # of those
    late = 0


async def cut(chance: random.Random, call: Any, count: Count) -> Any:
    """Awaits a call in a task of its own, and may cancel that after some turns."""
    task = asyncio.ensure_future(call)
    if chance.random() < 0.6:
        await turns(chance.randrange(4))
        task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        count.cancelled += 1
        raise


async def send_all(
    stream: aio.Stream, data: bytes, chance: random.Random, count: Count
) -> None:
    done = 0
    while done < len(data):
        size = chance.choice((1, 2, 7, 20, 100)) if chance.random() < 0.997 else 20000
        last = min(len(data), done + size)
        try:
            done = await cut(chance, stream.send(data, done + 1, last), count)
        except asyncio.CancelledError:
            count.sends += 1
            done = max(done, min(stream.sent, last))
        except aio.Timeout as late:
            assert late.last == stream.sent
            done = late.last
        await turns(chance.randrange(10))
    stream.shutdown("send")


def calls_of(
    stream: aio.Stream, chance: random.Random
) -> List[Tuple[Callable[[], Any], bytes]]:
    """Returns calls, and what each one uses up behind its result."""
    count = chance.choice((1, 2, 10, 50, 200))
    return [
        (lambda: stream.receive(), b"\n"),
        (lambda: stream.receive("*L"), b""),
        (lambda: stream.receive(count), b""),
        (lambda: stream.receiveany(), b""),
        (lambda: stream.receiveany(count), b""),
        (lambda: stream.receiveuntil(b";;"), b";;"),
        (lambda: into(stream, count), b""),
        (lambda: stream.lines("*L").__anext__(), b""),
    ]


async def into(stream: aio.Stream, count: int) -> bytes:
    room = bytearray(count)
    try:
        return bytes(room[: await stream.receiveinto(room)])
    except aio.Error as error:
        error.partial = bytes(room[: error.last])
        raise


async def receive_all(
    stream: aio.Stream, size: int, chance: random.Random, count: Count
) -> bytes:
    got = b""
    while len(got) < size:
        call, behind = chance.choice(calls_of(stream, chance))
        limit = chance.choice((None, None, None, 0, 0.0001))
        if limit is not None and chance.random() < 0.1:
            call, behind = (lambda: stream.receive("*a")), b""  # it would take all
        stream.settimeout(limit)
        try:
            got += await cut(chance, call(), count) + behind
        except asyncio.CancelledError:
            pass
        except aio.Timeout as late:
            count.late += 1
            got += late.partial or b""
        except aio.Closed as closed:
            got += closed.partial or b""
            break
        except StopAsyncIteration:
            break
    return got


@pytest.mark.parametrize("seed", range(4))
def test_cancelling_loses_nothing(
    run: Runner, listener: socket.socket, seed: int
) -> None:
    chance = random.Random(seed)
    count = Count()

    def text() -> bytes:
        return bytes(chance.choices(b"abc;;\n", k=SIZE))

    async def main() -> None:
        streams = []
        client = raising.connect(*listener.getsockname())
        peer = raising.fromfd(listener.accept()[0].detach(), "client")
        for one in (client, peer):
            one.setoption("send-buffer-size", 1)
            streams.append(aio.Stream(one))
        here, there = streams
        one, other = text(), text()
        async with here, there:
            _, _, got_one, got_other = await asyncio.gather(
                send_all(here, one, chance, count),
                send_all(there, other, chance, count),
                receive_all(there, SIZE, chance, count),
                receive_all(here, SIZE, chance, count),
            )
            assert got_one == one
            assert got_other == other
            for stream in (here, there):
                assert stream.getstats()[:2] == (SIZE, SIZE)

    run(main())
    assert count.cancelled > 20 and count.sends > 0 and count.late > 0
