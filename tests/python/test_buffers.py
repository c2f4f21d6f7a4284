# SPDX-License-Identifier: MIT
"""Memory of the caller: what receiveinto fills and send reads, and what happens to it
meanwhile."""

from __future__ import annotations

import os
import threading
import tracemalloc
from array import array
from typing import Any, List

import polysock
import pytest
from conftest import LIMIT, Child, fill, until_asleep
from polysock import raising


def test_receiveinto_fills_what_can_be_filled(pair: Any) -> None:
    client, peer = pair
    client.settimeout(5)
    peer.sendall(bytes(range(64)))
    room = bytearray(b"." * 8)
    assert client.receiveinto(room) == (8, None, None) and room == bytes(range(8))
    assert client.receiveinto(room, 3) == (3, None, None)
    assert room == bytes([8, 9, 10, 3, 4, 5, 6, 7])
    assert client.receiveinto(memoryview(room)[6:]) == (2, None, None)
    assert room == bytes([8, 9, 10, 3, 4, 5, 11, 12])
    numbers = array("H", [0] * 4)
    assert client.receiveinto(numbers) == (8, None, None)
    assert numbers.tobytes() == bytes(range(13, 21))
    assert client.receiveinto(room, 0) == (0, None, None)
    assert client.receiveinto(bytearray()) == (0, None, None)
    assert client.receiveinto(room, None)[0] == 8


def test_receiveinto_says_how_far_it_came(pair: Any) -> None:
    client, peer = pair
    room = bytearray(10)
    peer.sendall(b"abc")
    client.settimeout(0.01)
    assert client.receiveinto(room) == (None, "timeout", 3)
    assert room[:3] == b"abc"
    peer.sendall(b"def")
    peer.close()
    client.settimeout(5)
    assert client.receiveinto(memoryview(room)[3:]) == (None, "closed", 3)
    assert room == b"abcdef\0\0\0\0"


@pytest.mark.parametrize("nbytes", [9, 10**30])
def test_receiveinto_beyond_the_buffer_is_misuse(pair: Any, nbytes: int) -> None:
    with pytest.raises(ValueError, match=r"#2 to 'receiveinto' \(nbytes: at most"):
        pair[0].receiveinto(bytearray(8), nbytes)


def test_receiveinto_of_a_large_buffer(pair: Any) -> None:
    client, peer = pair
    data = os.urandom(8 << 20)
    sender = threading.Thread(target=peer.sendall, args=(data,))
    sender.start()
    room = bytearray(len(data))
    assert client.receiveinto(room) == (len(data), None, None)
    sender.join()
    assert room == data


def in_thread(call: Any) -> tuple[threading.Thread, List[Any]]:
    """Starts a call, and comes back when its thread waits in the system."""
    results: List[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    assert thread.native_id is not None
    until_asleep(os.getpid(), thread.native_id)
    return thread, results


def test_a_buffer_under_way_cannot_be_resized(pair: Any) -> None:
    client, peer = pair
    fill(client)
    data = bytearray(b"y" * (8 << 20))
    thread, results = in_thread(lambda: client.send(data))
    for change in (data.clear, lambda: data.extend(b"z"), lambda: data.pop()):
        with pytest.raises(BufferError):
            change()
    received = 0
    while received < len(data):
        received += peer.recv(1 << 20).count(b"y")
    thread.join(LIMIT)
    assert results == [(len(data), None, None)]
    data.clear()  # it is the program's again


def test_room_under_way_cannot_be_resized(pair: Any) -> None:
    client, peer = pair
    room = bytearray(4)
    prefix = bytearray(b"pre")
    thread, results = in_thread(lambda: client.receiveinto(room))
    with pytest.raises(BufferError):
        room.extend(b"more")
    peer.sendall(b"1234")
    thread.join(LIMIT)
    assert results == [(4, None, None)] and room == b"1234"
    thread, results = in_thread(lambda: client.receive("*l", prefix))
    with pytest.raises(BufferError):
        prefix.clear()
    prefix[0:1] = b"P"
    peer.sendall(b"fix\n")
    thread.join(LIMIT)
    assert results == [(b"Prefix", None, None)]
    prefix.clear()
    room.clear()


def test_a_buffer_is_released_after_failure_and_misuse(pair: Any) -> None:
    client, _ = pair
    data = bytearray(b"data")
    client.settimeout(0)
    client.receive("*l", data)
    client.receiveuntil(data, data)
    client.receiveinto(data)
    for call in (
        lambda: client.receiveinto(data, 100),
        lambda: client.receiveinto(data, "x"),
        lambda: client.send(data, "x"),
        lambda: client.receive("*x", data),
        lambda: client.receive("*l", data, "x"),
        lambda: client.receive("*l", data, 1),
        lambda: client.receiveuntil(data, "x"),
        lambda: client.receiveuntil(b"x", data, 0),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()
    client.close()
    client.send(data)
    client.receiveinto(data)
    data.clear()


@pytest.mark.parametrize("style", ["tuples", "raising", "quiet"])
def test_a_large_receive_that_fails_gives_its_memory_back(
    connect: Any, style: str
) -> None:
    client, peer = connect(polysock if style == "tuples" else raising)
    client.settimeout(0)
    lines = client.lines(1 << 20)
    peer.sendall(b"part")
    polysock.select([client], None, LIMIT)
    if style == "quiet":
        polysock._core._mark(client, 1)
    calls: List[Any] = [lambda: client.receive(1 << 20), lambda: next(lines)]
    sizes = []
    tracemalloc.start()
    try:
        for _ in range(8):
            for call in calls:
                try:
                    result = call()
                except polysock.Timeout:
                    assert style != "quiet"
                else:
                    assert result is None or style == "tuples"
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[1] < 256 << 10, sizes


def test_a_result_has_no_part_of_the_prefix_memory(pair: Any) -> None:
    client, peer = pair
    prefix = bytearray(b"abc")
    peer.sendall(b"d\n")
    client.settimeout(5)
    result = client.receive("*l", prefix)[0]
    prefix[:] = b"xyz"
    assert result == b"abcd" and type(result) is bytes


def test_bytes_end_with_a_null_in_memory() -> None:
    """As int and others expect it, also where there was memory for more."""
    with Child(
        """
with raising.bind("127.0.0.1", 0) as server:
    for size in (0, 1000, 10_000, 50_000):
        client = raising.connect(*server.getsockname()[:2])
        with client:
            with server.accept() as peer:
                peer.send(b" " * size + b"1234")
            say(int(client.receive("*a")))
""",
        env={**os.environ, "PYTHONMALLOC": "debug"},  # it fills what is new
    ) as child:
        for _ in range(4):
            assert child.hear() == "1234"
        child.end()
