# SPDX-License-Identifier: MIT
"""polysock.aio: limits of time, turns, cancellation and the end."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from typing import Any, Callable, List

import polysock
import pytest
from aio_support import LARGE, LOOPS, Runner, pair, run, turns, until, waiting, with_pair
from polysock import aio, raising

__all__ = ["run"]


# ---- Limits


@with_pair
async def test_a_timeout_takes_the_partial(
    stream: aio.Stream, peer: socket.socket
) -> None:
    room = bytearray(8)
    calls: List[Any] = [
        lambda prefix: stream.receive("*l", prefix),
        lambda prefix: stream.receive("*a", prefix),
        lambda prefix: stream.receive(9, prefix),
        lambda prefix: stream.receiveuntil(b";", prefix),
    ]
    for limit in (lambda: stream.settimeout(0.01), lambda: stream.setdeadline(0.05)):
        for call in calls:
            peer.sendall(b"half")
            await until_readable(stream)
            limit()
            with pytest.raises(aio.Timeout) as late:
                await call(b">")
            assert late.value.partial == b">half"
            assert isinstance(late.value, TimeoutError)
            assert stream.pending() == 0
        stream.settimeout()
    peer.sendall(b"half")
    await until_readable(stream)
    stream.setdeadline(0.02)
    with pytest.raises(aio.Timeout) as late:
        await stream.receiveinto(room)
    assert late.value.last == 4 and room[:4] == b"half"
    with pytest.raises(aio.Timeout) as late:
        await stream.receiveany()
    assert late.value.partial == b""


async def until_readable(stream: aio.Stream) -> None:
    """Waits until bytes have arrived, which loopback brings at once."""
    await until(lambda: raising.select([stream], None, 0.01)[0] == [stream])


@with_pair
async def test_limits_never_end_early(stream: aio.Stream, peer: socket.socket) -> None:
    for limit in (0.0012, 0.02, 0.05):
        for set_limit in (
            lambda limit=limit: stream.settimeout(limit),
            lambda limit=limit: stream.settimeout(limit, "t"),
            lambda limit=limit: stream.setdeadline(limit),
        ):
            time.sleep(0.01)  # the clock of a loop may stand still meanwhile
            start = time.monotonic()
            set_limit()
            with pytest.raises(aio.Timeout):
                await stream.receive()
            assert time.monotonic() - start >= limit
            stream.settimeout()
            stream.settimeout(None, "t")
            stream.setdeadline()


@with_pair
async def test_mode_b_limits_each_wait_and_t_the_call(
    stream: aio.Stream, peer: socket.socket
) -> None:
    async def drip() -> None:
        while True:
            peer.sendall(b".")
            await asyncio.sleep(0.02)

    task = asyncio.ensure_future(drip())
    stream.settimeout(5)
    assert await stream.receive(10) == b"." * 10
    stream.settimeout(0.1, "t")
    with pytest.raises(aio.Timeout) as late:
        await stream.receive(10000)
    assert late.value.partial
    assert stream.gettimeout() == (5, 0.1)
    task.cancel()


@with_pair
async def test_a_limit_of_0_and_a_deadline_that_has_passed_take_what_is_there(
    stream: aio.Stream, peer: socket.socket
) -> None:
    for limit in (lambda: stream.settimeout(0), lambda: stream.setdeadline(-1)):
        stream.settimeout()
        peer.sendall(b"line\nhalf")
        await until_readable(stream)
        limit()
        seen: List[int] = []
        asyncio.get_running_loop().call_soon(seen.append, 1)
        assert await stream.receive() == b"line"
        with pytest.raises(aio.Timeout) as late:
            await stream.receive()
        assert late.value.partial == b"half"
        assert not seen
        await turns(1)
    assert stream.getdeadline() == 0


@with_pair
async def test_limits_change_between_calls(
    stream: aio.Stream, peer: socket.socket
) -> None:
    """The timer of an earlier call ends no later one."""
    stream.settimeout(0.02)
    peer.sendall(b"1\n")
    assert await stream.receive() == b"1"
    stream.settimeout()
    task = await waiting(stream.receive())
    await asyncio.sleep(0.05)
    assert not task.done()
    peer.sendall(b"2\n")
    assert await task == b"2"
    stream.settimeout(30)
    peer.sendall(b"3\n")
    assert await stream.receive() == b"3"
    stream.settimeout(0.01)
    with pytest.raises(aio.Timeout):
        await stream.receive()
    stream.setdeadline(20)
    assert 19 < (stream.getdeadline() or 0) <= 20


# ---- Turns, cancellation, close


@with_pair
async def test_two_that_receive_take_turns(
    stream: aio.Stream, peer: socket.socket
) -> None:
    first = await waiting(stream.receive(8))
    peer.sendall(b"1234")
    second = await waiting(stream.receive())
    third = await waiting(stream.receiveany(1))
    fourth = await waiting(stream.lines().__anext__())
    third.cancel()
    peer.sendall(b"5678")
    assert await first == b"12345678"
    assert not second.done()
    peer.sendall(b"line\nnext\n")
    assert await second == b"line"
    assert await fourth == b"next"
    assert third.cancelled()


@with_pair
async def test_an_iterator_leaves_what_another_task_receives(
    stream: aio.Stream, peer: socket.socket
) -> None:
    first = await waiting(stream.receive(8))
    peer.sendall(b"12\n4")
    await until(lambda: stream.pending() == 4)
    line = await waiting(stream.lines().__anext__())
    peer.sendall(b"5678line\n")
    assert await first == b"12\n45678"
    assert await line == b"line"


@with_pair
async def test_a_turn_that_is_cancelled_goes_to_the_next(
    stream: aio.Stream, peer: socket.socket
) -> None:
    first = await waiting(stream.receive())
    second = await waiting(stream.receive())
    third = await waiting(stream.receive())
    first.cancel()
    asyncio.get_running_loop().call_soon(second.cancel)  # it has its turn, and not run
    peer.sendall(b"line\n")
    assert await third == b"line"
    assert await asyncio.wait_for(waiting_nothing(stream, peer), 5) == b"more"


async def waiting_nothing(stream: aio.Stream, peer: socket.socket) -> bytes:
    peer.sendall(b"more\n")
    return await stream.receive()


@with_pair
async def test_time_in_line_counts(stream: aio.Stream, peer: socket.socket) -> None:
    first = await waiting(stream.receive(8))
    peer.sendall(b"1234")
    stream.settimeout(0.01)
    with pytest.raises(aio.Timeout) as late:
        await stream.receive("*l", b"prefix")
    assert late.value.partial == b"prefix"
    with pytest.raises(aio.Timeout) as late:
        await stream.receiveinto(bytearray(1))
    assert (late.value.last, late.value.partial) == (0, None)
    with pytest.raises(aio.Timeout) as late:
        await stream.receiveuntil(b";", b"prefix")
    assert late.value.partial == b"prefix"
    with pytest.raises(aio.Timeout) as late:
        await stream.receiveany()
    assert late.value.partial == b""
    peer.sendall(b"5678")
    assert await first == b"12345678"


@with_pair
async def test_one_receives_while_another_sends(
    stream: aio.Stream, peer: socket.socket
) -> None:
    receiving = await waiting(stream.receive())
    assert await stream.send(b"question\n") == 9
    assert peer.recv(100) == b"question\n"
    sending = await waiting(stream.send(LARGE))
    peer.sendall(b"answer\n")
    assert await receiving == b"answer"
    assert not sending.done()
    sending.cancel()
    await asyncio.wait([sending])


@with_pair
async def test_cancel_keeps_what_was_received(
    stream: aio.Stream, peer: socket.socket
) -> None:
    room = bytearray(100)
    calls: List[Callable[[], Any]] = [
        lambda: stream.receive(),
        lambda: stream.receive("*a"),
        lambda: stream.receive(1 << 20),
        lambda: stream.receiveuntil(b";"),
        lambda: stream.receiveinto(room),
        lambda: stream.lines().__anext__(),
    ]
    for sent, call in enumerate(calls):
        task = await waiting(call())
        peer.sendall(b"%d" % sent)
        await until(lambda sent=sent: stream.pending() == sent + 1)
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError):
            await task
    assert room == bytearray(100)
    assert stream.getstats()[0] == 0
    assert await stream.receive(6) == b"012345"


@with_pair
async def test_close_wakes_all_that_wait(stream: aio.Stream, peer: socket.socket) -> None:
    tasks = [
        await waiting(stream.receive()),
        await waiting(stream.receiveany()),
        await waiting(stream.send(LARGE)),
        await waiting(stream.send(b"x")),
    ]
    stream.close()
    for task in tasks:
        with pytest.raises(aio.Closed):
            await task
    for call in (stream.receive(), stream.send(b""), stream.receiveany()):
        with pytest.raises(aio.Closed):
            await call
    assert stream.close() == 1
    assert stream.getfd() == -1
    assert "closed" in repr(stream)


@with_pair
async def test_what_is_cancelled_and_closed_at_once(
    stream: aio.Stream, peer: socket.socket
) -> None:
    task = await waiting(stream.receive())
    stream.close()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@with_pair
async def test_detach(stream: aio.Stream, peer: socket.socket) -> None:
    peer.sendall(b"one\ntwo\n")
    assert await stream.receive() == b"one"
    with pytest.raises(aio.Error):
        stream.detach()
    assert await stream.receive() == b"two"
    with socket.socket(fileno=stream.detach()) as plain:
        plain.setblocking(True)
        plain.sendall(b"plain")
        assert peer.recv(5) == b"plain"
    with pytest.raises(aio.Closed):
        await stream.receive()


@with_pair
async def test_a_stream_of_a_client(stream: aio.Stream, peer: socket.socket) -> None:
    client = raising.fromfd(stream.detach(), "client")
    client.settimeout(0.01, "t")
    client.setdeadline(-1)
    async with aio.Stream(client) as other:
        assert other.gettimeout() == (-1, -1)
        task = await waiting(other.receive())
        peer.sendall(b"line\n")
        assert await task == b"line"
    with raising.tcp4() as master, pytest.raises(ValueError):
        aio.Stream(master)
    with polysock.try_(polysock.tcp4()) as plain, pytest.raises(TypeError):
        aio.Stream(plain)


@with_pair
async def test_what_nobody_reads_does_not_keep_the_loop_busy(
    stream: aio.Stream, peer: socket.socket
) -> None:
    task = await waiting(stream.receive())
    peer.sendall(b"line\nand more")
    assert await task == b"line"
    peer.sendall(b"and more")
    side = stream._incoming
    assert side.registered
    await until(lambda: not side.registered)
    assert await stream.receive(16) == b"and moreand more"


@with_pair
async def test_options_and_names(stream: aio.Stream, peer: socket.socket) -> None:
    assert stream.setoption("tcp-nodelay", True) == 1
    assert stream.getoption("tcp-nodelay") is True
    assert stream.getsockname()[:2] == peer.getpeername()
    assert stream.getpeername() == (*peer.getsockname(), "inet")
    assert stream.getfamily() == "inet4"
    assert stream.fileno() == stream.getfd() >= 0
    assert not stream.dirty()
    stream.setstats(5, 6, 7)
    assert stream.getstats()[:2] == (5, 6)


def test_the_loop_forgets_a_stream_that_is_collected(
    run: Runner, listener: socket.socket
) -> None:
    """Its number may come back as another file."""

    async def main() -> None:
        stream, peer = await pair(listener)
        with peer:
            peer.sendall(b"line\n")
            assert await stream.receive() == b"line"
            assert stream._incoming.registered
            loop, fd = asyncio.get_running_loop(), stream.getfd()
            with pytest.warns(ResourceWarning):
                del stream
                gc.collect()
            assert not loop.remove_reader(fd)

    run(main())


def test_a_stream_may_outlive_its_loop(listener: socket.socket) -> None:
    for make in LOOPS.values():
        loop = make()
        stream, peer = loop.run_until_complete(pair(listener))
        peer.sendall(b"line\n")
        assert loop.run_until_complete(stream.receive()) == b"line"
        loop.close()
        stream.close()
        peer.close()
