# SPDX-License-Identifier: MIT
"""polysock.aio: what receives and sends, its limits, and its turns."""

from __future__ import annotations

import asyncio
import inspect
import socket
import struct
from typing import Any, List

import pytest
from aio_support import LARGE, run, turns, waiting, with_pair
from polysock import aio, raising

__all__ = ["run"]


SHARED = [
    name
    for name in dir(raising.Socket)
    if not name.startswith("_") and hasattr(aio.Stream, name)
]


def test_the_methods_are_those_of_raising() -> None:
    missing = {name for name in dir(raising.Socket) if not name.startswith("_")}
    missing -= set(SHARED)
    assert missing == {
        "accept", "bind", "connect", "kind", "listen", "setfd", "setpeername",
        "setsockname", "wants",
    }  # fmt: skip
    for name in SHARED:
        theirs = inspect.signature(getattr(raising.Socket, name)).parameters
        ours = inspect.signature(getattr(aio.Stream, name)).parameters
        assert list(ours) == list(theirs), name
        assert [its.default for its in ours.values()] == [
            its.default for its in theirs.values()
        ], name
    theirs = inspect.signature(raising.connect).parameters
    assert list(inspect.signature(aio.connect).parameters) == list(theirs)


# ---- Receive


@with_pair
async def test_patterns(stream: aio.Stream, peer: socket.socket) -> None:
    peer.sendall(b"a line\r\nraw\r\n12345any")
    assert await stream.receive() == b"a line"
    assert await stream.receive("*L", prefix=b">") == b">raw\r\n"
    assert await stream.receive(6, b"0") == b"012345"
    assert await stream.receiveany(2) == b"an"
    assert await stream.receiveany() == b"y"
    peer.sendall(b"until;;buffer")
    assert await stream.receiveuntil(b";;") == b"until"
    room = bytearray(b"......?")
    assert await stream.receiveinto(room, 6) == 6
    assert room == b"buffer?"
    assert await stream.receive(0) == b""
    peer.sendall(b"the rest")
    peer.close()
    assert await stream.receive("*a") == b"the rest"
    with pytest.raises(aio.Closed) as closed:
        await stream.receive("*a", b"prefix")
    assert closed.value.partial == b"prefix"


@with_pair
async def test_a_call_waits_for_all_of_it(
    stream: aio.Stream, peer: socket.socket
) -> None:
    room = bytearray(4)
    calls: List[Any] = [
        (lambda: stream.receive(), [b"ab", b"c\r", b"\nrest"], b"abc"),
        (lambda: stream.receive(6), [b"1", b"2"], b"rest12"),
        (lambda: stream.receiveany(), [b"x"], b"x"),
        (lambda: stream.receiveuntil(b"<>"), [b"ab<", b"<>"], b"ab<"),
        (lambda: stream.receiveinto(room), [b"abc", b"d"], 4),
    ]
    for call, pieces, expected in calls:
        task = await waiting(call())
        for piece in pieces:
            assert not task.done()
            peer.sendall(piece)
            await turns(5)
        assert await task == expected
    assert room == b"abcd"


@with_pair
async def test_oversized(stream: aio.Stream, peer: socket.socket) -> None:
    peer.sendall(b"12345678\n")
    with pytest.raises(aio.Oversized) as oversized:
        await stream.receive("*l", b"0", 5)
    assert oversized.value.partial == b"01234"
    assert await stream.receive() == b"5678"


@with_pair
async def test_misuse_is_raised_by_the_await(stream: aio.Stream) -> None:
    for call in (
        stream.receive("?"),
        stream.receive(-1),
        stream.receiveuntil(b""),
        stream.receiveany(0),
        stream.send("text"),  # type: ignore[arg-type]
        aio.connect("127.0.0.1", 70000),
        aio.connect("127.0.0.1", 1, family="inet7"),
        aio.connect("127.0.0.1", 1, timeout=float("nan")),
    ):
        with pytest.raises((TypeError, ValueError)):
            await call
    for value in (float("nan"), "1"):
        with pytest.raises((TypeError, ValueError)):
            stream.settimeout(value)  # type: ignore[arg-type]
        with pytest.raises((TypeError, ValueError)):
            stream.setdeadline(value)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        stream.settimeout(1, "x")
    assert stream.gettimeout() == (-1, -1)
    assert stream.getdeadline() is None


@with_pair
async def test_lines(stream: aio.Stream, peer: socket.socket) -> None:
    peer.sendall(b"one\r\ntwo\nthr")
    lines = []
    async for line in stream:
        lines.append(line)
        if line == b"two":
            peer.sendall(b"ee")
            peer.close()
    assert lines == [b"one", b"two", b"three"]
    assert [line async for line in stream] == []


@with_pair
async def test_lines_of_a_pattern(stream: aio.Stream, peer: socket.socket) -> None:
    peer.sendall(b"aabbcccc\n")
    with pytest.raises(aio.Oversized):
        async for piece in stream.lines("*l", 4):
            raise AssertionError(piece)
    assert stream.pending() == 9
    peer.close()
    pieces = [piece async for piece in stream.lines(2)]
    assert pieces == [b"aa", b"bb", b"cc", b"cc", b"\n"]
    with pytest.raises(ValueError):
        stream.lines(0)


@with_pair
async def test_lines_fail_when_it_is_no_end(
    stream: aio.Stream, peer: socket.socket
) -> None:
    peer.sendall(b"half a l")
    lines = stream.lines()
    stream.settimeout(0.01)
    with pytest.raises(aio.Timeout) as late:
        await lines.__anext__()
    assert late.value.partial == b"" and stream.pending() == 8
    stream.settimeout()
    task = await waiting(lines.__anext__())
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    with pytest.raises(ConnectionResetError):
        await task
    stream.close()
    with pytest.raises(aio.Closed):
        await lines.__anext__()


@with_pair
async def test_a_piece_that_nobody_awaits_stays(
    stream: aio.Stream, peer: socket.socket
) -> None:
    peer.sendall(b"one\ntwo\nthree\nfour\n")
    assert await stream.receive() == b"one"
    lines = stream.lines()
    lines.__anext__()
    never_begun = asyncio.ensure_future(lines.__anext__())
    never_begun.cancel()
    closed: Any = lines.__anext__()
    closed.close()
    thrown: Any = lines.__anext__()
    for error in ((KeyError("why"),), (KeyError, "why"), (KeyError, "why", None)):
        with pytest.raises(KeyError, match="why"):
            lines.__anext__().throw(*error)  # type: ignore[attr-defined]
    with pytest.raises(KeyError):
        thrown.throw(KeyError)
    for piece in (closed, thrown):
        with pytest.raises(RuntimeError):
            await piece
    piece = lines.__anext__()
    assert await piece == b"two"
    with pytest.raises(RuntimeError):
        await piece
    with pytest.raises(StopIteration) as given:
        lines.__anext__().send(None)  # type: ignore[attr-defined]
    assert given.value.value == b"three"
    with pytest.raises(StopIteration) as given:
        next(lines.__anext__())  # type: ignore[call-overload]
    assert given.value.value == b"four"


@with_pair
async def test_a_piece_that_waits_can_be_closed(
    stream: aio.Stream, peer: socket.socket
) -> None:
    lines = stream.lines()
    waits: Any = lines.__anext__()
    waits.send(None)
    waits.close()
    waits = lines.__anext__()
    waits.send(None)
    with pytest.raises(KeyError):
        waits.throw(KeyError("why"))
    peer.sendall(b"line\n")
    assert await lines.__anext__() == b"line"


@with_pair
async def test_what_is_buffered_needs_no_turn(
    stream: aio.Stream, peer: socket.socket
) -> None:
    peer.sendall(b"0\n" * 100)
    await stream.receive()
    seen = []
    asyncio.get_running_loop().call_soon(seen.append, "turn")
    for _ in range(99):
        await stream.receive()
    assert not seen
    await turns(1)
    assert seen


@with_pair
async def test_who_receives_a_flood_lets_others_run(
    stream: aio.Stream, peer: socket.socket
) -> None:
    """Even when the socket is never empty."""
    seen = 0

    async def other() -> None:
        nonlocal seen
        while True:
            seen += 1
            peer.sendall(b"x\n" * 1000)
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    for _ in range(100000):
        await stream.receive()
    task.cancel()
    assert seen >= 100


@with_pair
async def test_who_sends_without_a_wait_lets_others_run(
    stream: aio.Stream, peer: socket.socket
) -> None:
    seen = 0

    async def other() -> None:
        nonlocal seen
        while True:
            seen += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    for _ in range(1000):
        assert await stream.send(b"x") == 1
    task.cancel()
    assert 5 <= seen <= 100
    assert stream.getstats()[1] == 1000


# ---- Send


@with_pair
async def test_send(stream: aio.Stream, peer: socket.socket) -> None:
    assert await stream.send(b"hello") == 5 == stream.sent
    assert await stream.send(bytearray(b"hello"), 2, -2) == 4 == stream.sent
    assert await stream.send(b"hello", 9) == 8 == stream.sent
    assert await stream.send(memoryview(b"hello"), -1, None) == 5
    assert peer.recv(100) == b"hello" + b"ell" + b"o"
    stream.shutdown("send")
    with pytest.raises(BrokenPipeError) as broken:
        await stream.send(b"hello", 2)
    assert broken.value.last == 1 == stream.sent  # type: ignore[attr-defined]


def drain(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += peer.recv(1 << 20)
    return data


@with_pair
async def test_send_ends_when_the_system_has_the_bytes(
    stream: aio.Stream, peer: socket.socket
) -> None:
    loop = asyncio.get_running_loop()
    task = await waiting(stream.send(LARGE, 2, -2))
    data = await loop.run_in_executor(None, drain, peer, len(LARGE) - 2)
    assert data == LARGE[1:-1]
    assert await task == len(LARGE) - 1 == stream.sent


@with_pair
async def test_a_send_that_is_late_or_cancelled_tells_how_far_it_went(
    stream: aio.Stream, peer: socket.socket
) -> None:
    task = await waiting(stream.send(LARGE))
    behind = await waiting(stream.send(LARGE, 3))
    behind.cancel()
    with pytest.raises(asyncio.CancelledError):
        await behind
    assert stream.sent == 2  # nothing went out
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    first = stream.sent
    assert 0 < first < len(LARGE) and first == stream.getstats()[1]
    stream.settimeout(0.01)
    with pytest.raises(aio.Timeout) as late:
        await stream.send(LARGE, first + 1)
    second = stream.sent
    assert first <= second == late.value.last == stream.getstats()[1]
    stream.settimeout()
    rest = asyncio.ensure_future(stream.send(LARGE, second + 1))
    data = await asyncio.get_running_loop().run_in_executor(None, drain, peer, len(LARGE))
    assert data == LARGE and await rest == len(LARGE)
