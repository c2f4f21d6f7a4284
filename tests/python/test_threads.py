# SPDX-License-Identifier: MIT
"""Threads: the GIL is let go in every wait, directions do not disturb each other, turns
are taken, and a close from elsewhere wakes whoever waits and meets no descriptor but its
own.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import threading
from contextlib import suppress
from typing import Any, Callable, Iterator, List, Tuple

import polysock
import pytest
from conftest import LIMIT, fill, until_asleep
from polysock import Closed, raising


@pytest.fixture
def hectic() -> Iterator[None]:
    """Makes threads change as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def start(*calls: Callable[[], Any]) -> Tuple[List[threading.Thread], List[Any]]:
    """Starts calls in threads. Gives the threads and the list in which results arrive."""
    results: List[Any] = []

    def run(call: Callable[[], Any]) -> None:
        try:
            results.append(call())
        except BaseException as error:
            results.append(error)
            raise

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    return threads, results


def waiting(*calls: Callable[[], Any]) -> Tuple[List[threading.Thread], List[Any]]:
    """The same, and each thread waits in the system."""
    threads, results = start(*calls)
    for thread in threads:
        assert thread.native_id is not None
        until_asleep(os.getpid(), thread.native_id)
    return threads, results


def join(threads: List[threading.Thread]) -> None:
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()


def blackhole() -> Tuple[Any, Any, List[socket.socket]]:
    """Returns a listener whose queue is full, so that a connect to it waits."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    address = listener.getsockname()
    queued = []
    for _ in range(2):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(address)
        queued.append(one)
    return listener, address, queued


# ---- The GIL


def test_other_threads_run_during_every_wait(pair: Any, server: Any) -> None:
    client, _ = pair
    fill(client)
    server.settimeout(0.05)
    client.settimeout(0.05)
    listener, address, queued = blackhole()
    master = polysock.tcp4()[0]
    master.settimeout(0.05)
    waits: List[Callable[[], Any]] = [
        client.receive,
        client.receiveany,
        lambda: client.receiveuntil(b"x"),
        lambda: client.receiveinto(bytearray(1)),
        lambda: client.receive(1 << 20),
        lambda: client.send(bytes(16 << 20)),
        server.accept,
        lambda: master.connect(*address),
        lambda: polysock.select([client], None, 0.05),
        lambda: polysock.sleep(0.05),
    ]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # then only a wait lets go
    try:
        for number, wait in enumerate(waits):
            began, ran = threading.Event(), threading.Event()

            def other(began: threading.Event = began, ran: threading.Event = ran) -> None:
                began.wait(LIMIT)
                ran.set()

            thread = threading.Thread(target=other)
            thread.start()
            began.set()
            wait()
            assert ran.is_set(), number
            thread.join()
    finally:
        sys.setswitchinterval(before)
        master.close()
        for one in [listener, *queued]:
            one.close()


# ---- Both directions, and turns


@pytest.mark.parametrize("size", [3 << 20, 16 << 20])
def test_one_thread_sends_while_another_receives(server: Any, size: int) -> None:
    one, error = polysock.connect(*server.getsockname()[:2])
    assert error is None
    other = server.accept()[0]
    with one, other:
        data = {one: os.urandom(size), other: os.urandom(size)}

        def send(end: Any, chunk: int) -> None:
            for at in range(1, size + 1, chunk):
                last = min(at + chunk - 1, size)
                assert end.send(data[end], at, last) == (last, None, None)

        def receive(end: Any, chunk: int) -> Any:
            digest, left = hashlib.sha256(), size
            while left > 0:
                piece = end.receive(min(chunk, left))[0]
                left -= len(piece)
                digest.update(piece)
            return end, digest.digest()

        threads, results = start(
            lambda: send(one, size),
            lambda: send(other, 700_001),
            lambda: receive(one, size),
            lambda: receive(other, 300_007),
        )
        join(threads)
        digests = dict(result for result in results if result is not None)
        assert digests[one] == hashlib.sha256(data[other]).digest()
        assert digests[other] == hashlib.sha256(data[one]).digest()
        assert one.getstats()[:2] == other.getstats()[:2] == (size, size)


@pytest.mark.usefixtures("hectic")
def test_receivers_take_turns_and_lose_nothing(pair: Any) -> None:
    client, peer = pair
    lines = [b"%d:%s" % (number, b"x" * (number % 97)) for number in range(3000)]
    seen: List[List[bytes]] = [[], [], []]

    def receive(which: int) -> None:
        while True:
            line, error, partial = client.receive()
            if error is not None:
                assert (error, partial) == ("closed", b"")
                return
            seen[which].append(line)

    threads, _ = start(lambda: receive(0), lambda: receive(1), lambda: receive(2))
    for at in range(0, len(lines), 7):
        peer.sendall(b"\r\n".join(lines[at : at + 7]) + b"\r\n")
    peer.shutdown(socket.SHUT_WR)
    join(threads)
    assert sorted(seen[0] + seen[1] + seen[2]) == sorted(lines)
    for part in seen:  # each gets its own in the order of the stream
        numbers = [int(line.split(b":")[0]) for line in part]
        assert numbers == sorted(numbers)


@pytest.mark.usefixtures("hectic")
def test_senders_take_turns_and_mix_nothing(pair: Any) -> None:
    client, peer = pair
    blocks = [bytes([65 + number]) * (200_000 + number) for number in range(4)]
    threads, results = start(
        *[lambda block=block: [client.send(block) for _ in range(3)] for block in blocks]
    )
    total = 3 * sum(map(len, blocks))
    received = bytearray()
    while len(received) < total:
        received += peer.recv(1 << 20)
    join(threads)
    at, counts = 0, dict.fromkeys(range(4), 0)
    while at < total:
        number = received[at] - 65
        assert received[at : at + len(blocks[number])] == blocks[number]
        at += len(blocks[number])
        counts[number] += 1
    assert set(counts.values()) == {3}


def test_the_wait_for_a_turn_obeys_the_timeout(pair: Any) -> None:
    client, peer = pair
    threads, results = waiting(client.receive)
    client.settimeout(0.02)
    assert client.receive("*l", b"kept") == (None, "timeout", b"kept")
    client.settimeout(0)
    assert client.receiveany() == (None, "timeout", b"")
    assert client.detach() == (None, "object is in use")
    peer.sendall(b"line\n")
    join(threads)
    assert results == [(b"line", None, None)]


def test_many_acceptors(server: Any) -> None:
    count = 8
    threads, results = waiting(*[server.accept] * count)
    address = server.getsockname()[:2]
    clients = [socket.create_connection(address) for _ in range(count)]
    join(threads)
    peers = sorted(accepted.getpeername()[1] for accepted, _ in results)
    assert peers == sorted(client.getsockname()[1] for client in clients)
    for client in clients:
        client.close()
    for accepted, error in results:
        assert error is None and accepted.close() == 1


# ---- Close from another thread


def test_close_wakes_a_receive(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"part")
    threads, results = waiting(lambda: client.receive(10, b"a "))
    client.close()
    join(threads)
    assert results[0] in [(None, "closed", b"a part"), (None, "closed", b"a ")]
    assert client.getfd() == -1 and peer.recv(1) == b""


@pytest.mark.parametrize("count", [1, 3])
def test_close_wakes_all_who_wait(pair: Any, count: int) -> None:
    client, _ = pair
    fill(client)
    block = bytes(1 << 20)
    threads, results = waiting(
        *[client.receive] * count, *[lambda: client.send(block)] * count
    )
    client.close()
    join(threads)
    assert [result[:2] for result in results] == [(None, "closed")] * 2 * count


def test_close_wakes_a_select(pair: Any, connect: Any) -> None:
    client, _ = pair
    other, _ = connect()

    def select_raising() -> None:
        with pytest.raises(Closed):
            raising.select([client], None)

    threads, results = waiting(
        lambda: polysock.select([client, other], None), select_raising
    )
    client.close()
    join(threads)
    assert ([], [], "closed") in results and None in results


def test_a_closed_member_keeps_its_descriptor_until_select_ends(
    server: Any, connect: Any
) -> None:
    """Another socket with the same number would be found ready instead."""
    client, peer = connect()
    other, _ = connect()
    threads, results = waiting(lambda: polysock.select([client], [], LIMIT))
    number = client.getfd()
    client.close()
    join(threads)
    assert results == [([], [], "closed")]
    assert os.dup(other.getfd()) == number  # given back by now
    os.close(number)


def test_a_close_that_lingers_leaves_the_interpreter_to_others(pair: Any) -> None:
    client, peer = pair
    sent = fill(client)
    client.setoption("linger", {"on": True, "timeout": LIMIT})
    events: List[str] = []
    closing = threading.Event()

    def close() -> None:
        closing.set()
        client.close()
        events.append("closed")

    threads, _ = start(close)
    closing.wait(LIMIT)
    sent -= len(peer.recv(1))
    events.append("read")
    while sent > 0:
        sent -= len(peer.recv(1 << 16))
    join(threads)
    assert events == ["read", "closed"]


def test_close_wakes_acceptors(server: Any) -> None:
    threads, results = waiting(*[server.accept] * 3)
    server.close()
    join(threads)
    assert results == [(None, "closed")] * 3


def test_close_wakes_a_connect() -> None:
    listener, address, queued = blackhole()
    master = polysock.tcp4()[0]
    threads, results = waiting(lambda: master.connect(*address))
    master.close()
    join(threads)
    assert results == [(None, "closed")]
    for one in [listener, *queued]:
        one.close()


def test_close_ends_an_iteration(connect: Any) -> None:
    client, peer = connect(raising)
    peer.sendall(b"a\nb\nrest")

    def iterate() -> List[Any]:
        seen: List[Any] = []
        try:
            seen.extend(client)  # it takes what came before the failure
        except polysock.Closed as error:
            seen.append(error.error)
        return seen

    threads, results = waiting(iterate)
    client.close()
    join(threads)
    assert results[0] == [b"a", b"b", "closed"]


@pytest.mark.usefixtures("hectic")
def test_close_never_meets_a_reused_descriptor(listener: socket.socket) -> None:
    """Its number is a stranger's at once: neither to be read from nor written to."""
    address = listener.getsockname()
    block = bytes(1 << 19)  # so large that the GIL is let go around each system call

    def spin(call: Callable[[], Any]) -> Any:
        while True:
            result = call()
            if result[1] not in (None, "timeout"):
                return result[1]

    for round_ in range(120):
        plain = polysock.connect(*address)[0]
        peer = listener.accept()[0]
        peer.sendall(bytes(1 << 18))
        left, right = socket.socketpair()
        right.sendall(b"secret")
        plain.settimeout(0 if round_ % 4 else 5)
        threads, results = start(
            lambda one=plain: spin(lambda: one.receive(1 << 20)),
            lambda one=plain: spin(lambda: one.send(block)),
            lambda one=plain: spin(lambda: one.receiveinto(bytearray(1 << 19))),
        )
        polysock.sleep(0.0005 * (round_ % 3))
        plain.close()
        taken = [os.dup(left.fileno()) for _ in range(3)]
        join(threads)
        assert results == ["closed"] * 3
        left.setblocking(False)
        right.setblocking(False)
        assert left.recv(100) == b"secret"
        with pytest.raises(BlockingIOError):
            right.recv(1)
        for number in taken:
            os.close(number)
        for one in left, right, peer:
            one.close()


def test_close_from_many_threads(connect: Any) -> None:
    for _ in range(30):
        client, peer = connect()
        threads, results = start(*[client.close] * 4, client.receive)
        join(threads)
        assert [result for result in results if result == 1] == [1] * 4
        assert peer.recv(1) == b""


def test_a_select_sees_what_another_thread_sends(connect: Any) -> None:
    client, peer = connect()
    threads, results = waiting(lambda: polysock.select([client], None))
    peer.sendall(b"x")
    join(threads)
    assert results == [([client], [], None)]


@pytest.mark.parametrize("module", [polysock, raising])
def test_all_calls_in_threads_at_once(connect: Any, module: Any) -> None:
    """Without the global lock, too: each thread does one thing, and one closes."""
    for round_ in range(20):
        client, peer = connect(module)
        client.settimeout(0)
        peer.setblocking(False)
        calls: List[Callable[[], Any]] = [
            lambda one=client: one.receive("*l", b"prefix"),
            lambda one=client: one.receiveany(3),
            lambda one=client: next(one),
            lambda one=client: next(one.lines(2)),
            lambda one=client: one.send(b"to the peer\n"),
            lambda one=peer: (one.send(b"a line\r\nanother\n"), one.recv(100)),
            lambda one=client: (one.pending(), one.dirty(), one.wants(), one.getstats()),
            lambda one=client: (repr(one), one.kind, one.getfd(), one.getsockname()),
            lambda one=client: (one.setoption("keepalive", True), one.getoption("error")),
            lambda one=client: (one.settimeout(0), one.setdeadline(5), one.gettimeout()),
            lambda one=client: module.select([one], [one], 0),
            lambda one=client, n=round_: setattr(one, f"name{n}", one),
        ]

        def repeat(call: Callable[[], Any]) -> None:
            for _ in range(60):
                with suppress(OSError, StopIteration):
                    call()

        threads = [threading.Thread(target=repeat, args=(call,)) for call in calls]
        for one in threads:
            one.start()
        if round_ % 2:
            client.close()
        join(threads)
        client.close()
        assert client.getfd() == -1 and client.pending() == 0
