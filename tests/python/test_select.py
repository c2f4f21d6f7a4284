# SPDX-License-Identifier: MIT
"""select on what Python has: any iterable as a set, any object with getfd or fileno as a
member, more members and higher descriptors than other selects bear."""

from __future__ import annotations

import gc
import os
import resource
import socket
import sys
from typing import Any, Callable, Iterator, List
from unittest.mock import MagicMock

import polysock
import pytest
from conftest import descriptors
from polysock import raising


class Foreign:
    """An object with getfd, as LuaSocket knows them."""

    def __init__(self, end: socket.socket, dirty: Any = None) -> None:
        self.end = end
        if dirty is not None:
            self.dirty: Callable[[], Any] = lambda: dirty

    def getfd(self) -> int:
        return self.end.fileno()


@pytest.fixture
def ends() -> Iterator[List[socket.socket]]:
    made = socket.socketpair()
    yield list(made)
    for end in made:
        end.close()


def test_sets_of_any_kind(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"x")
    for given in (
        [client],
        (client,),
        {client},
        {client: "key"},
        iter([client]),
        (one for one in [client]),
        {client: 1}.keys(),
        reversed([client]),
    ):
        assert polysock.select(given, (), 5) == ([client], [], None)
    assert polysock.select(None, None, 0) == polysock.select([], [], 0.001)


def test_a_generator_that_raises_comes_through(pair: Any) -> None:
    def broken() -> Iterator[Any]:
        yield pair[0]
        raise KeyError("generator")

    with pytest.raises(KeyError, match="generator"):
        polysock.select(broken(), None, 0)
    with pytest.raises(KeyError, match="generator"):
        polysock.select([pair[0]], broken(), 0)


def test_a_set_that_changes_meanwhile(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"x")
    members: List[Any] = []

    class Shrinking(Foreign):
        def getfd(self) -> int:
            members.clear()
            return super().getfd()

    members.extend([Shrinking(peer), client, client])
    assert polysock.select(members, None, 5)[0] == [client]
    assert members == []


def test_a_socket_is_no_set(pair: Any, server: Any, ends: List[socket.socket]) -> None:
    """To iterate over it would receive its lines, or wait for them."""
    client, peer = pair
    peer.sendall(b"one\ntwo\n")
    with open(ends[0].fileno(), "rb", closefd=False) as file:
        for one in (client, server, client.lines(), ends[0], Foreign(ends[0]), file):
            for at, sets in (1, (one, None)), (2, ([client], one)):
                place = (
                    rf"^bad argument #{at} to 'select' \(\w+: set of sockets expected\)"
                )
                for module in (polysock, raising):
                    with pytest.raises(TypeError, match=place):
                        module.select(*sets, 0)
    assert client.receive() == (b"one", None, None)
    assert client.receive() == (b"two", None, None)


def test_sets_of_every_kind(pair: Any) -> None:
    client, _ = pair
    for made in (list, tuple, set, frozenset, iter, dict.fromkeys):
        assert polysock.select(None, made([client]), 5) == ([], [client], None)
    assert polysock.select(None, (one for one in [client]), 5)[1] == [client]
    assert polysock.select(None, {client: 1}.keys(), 5)[1] == [client]


def test_foreign_objects(ends: List[socket.socket]) -> None:
    left, right = ends
    one = Foreign(left)
    assert polysock.select([one], None, 0) == ([], [], "timeout")
    assert polysock.select([left], None, 0) == ([], [], "timeout")
    assert polysock.select([one], [one, left], 0) == ([], [one, left], None)
    right.send(b"x")
    assert polysock.select([one, left], None, 5) == ([one, left], [], None)
    with open(left.fileno(), "rb", closefd=False) as file:
        assert polysock.select([file], None, 5) == ([file], [], None)


def test_buffered_foreign_objects_are_readable(ends: List[socket.socket]) -> None:
    one, clean = Foreign(ends[0], True), Foreign(ends[0], False)
    assert polysock.select([clean, one], None, 60) == ([one], [], None)
    assert polysock.select([Foreign(ends[0], [])], None, 0)[0] == []
    assert polysock.select([Foreign(ends[0], "yes")], None, 60)[2] is None


def test_buffered_bytes_of_our_own(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"one\ntwo\n")
    assert client.receive()[0] == b"one"
    assert client.dirty() and client.pending() == 4
    assert polysock.select([client], None, 60) == ([client], [], None)


@pytest.mark.parametrize("method", ["getfd", "dirty"])
def test_methods_that_raise_come_through(ends: List[socket.socket], method: str) -> None:
    class Broken(Foreign):
        def __init__(self) -> None:
            super().__init__(ends[0], False)
            setattr(self, method, self.fail)

        def fail(self) -> None:
            raise KeyError(method)

    with pytest.raises(KeyError, match=method):
        polysock.select([Broken()], None, 0)


def test_attributes_that_raise_come_through() -> None:
    class Broken:
        @property
        def getfd(self) -> Any:
            raise KeyError("attribute")

    class Lacking:
        @property
        def getfd(self) -> Any:
            raise AttributeError("as if it were not there")

    with pytest.raises(KeyError, match="attribute"):
        polysock.select([Broken()], None, 0)
    assert polysock.select([Lacking()], None, 0)[2] == "timeout"


def test_what_methods_give_is_given_back(ends: List[socket.socket]) -> None:
    class Number(int):
        gone = 0

        def __del__(self) -> None:
            Number.gone += 1

    class Counted(Foreign):
        def getfd(self) -> int:
            return Number(super().getfd())

        def dirty(self) -> int:  # type: ignore[override]
            return Number(0)

    assert polysock.select([Counted(ends[0])], [Counted(ends[1])], 5)[2] is None
    gc.collect()
    assert Number.gone == 4


def test_the_names_of_methods_are_given_back(ends: List[socket.socket]) -> None:
    names = [sys.intern(name) for name in ("getfd", "fileno", "dirty")]
    members = [Foreign(ends[0], False), ends[0]]
    before = list(map(sys.getrefcount, names))
    for _ in range(200):
        assert polysock.select(members, None, 0)[2] == "timeout"
    for name, was in zip(names, before):
        assert abs(sys.getrefcount(name) - was) < 100


@pytest.mark.parametrize(
    "value", [None, -1, "5", 2.5, [], -7, 2**31, 2**32, 2**62, 10**30, -(10**30)]
)
def test_values_that_are_no_descriptor_are_ignored(value: Any) -> None:
    class Odd:
        def getfd(self) -> Any:
            return value

        def dirty(self) -> bool:
            raise KeyError("nobody asks it then")

    assert polysock.select([Odd()], [Odd()], 0) == ([], [], "timeout")


def test_things_that_are_no_sockets_are_ignored(server: Any) -> None:
    closed = polysock.tcp4()[0]
    closed.close()
    undecided = polysock.tcp()[0]
    things = [None, 5, "text", object(), closed, undecided, type, polysock.tcp, [server]]
    assert polysock.select(things, things, 0) == ([], [], "timeout")


def test_objects_that_have_every_attribute() -> None:
    class Everything:
        def __getattr__(self, name: str) -> Any:
            return self

        def __call__(self, *args: Any) -> Any:
            return self

    assert polysock.select([MagicMock(), Everything()], None, 0) == ([], [], "timeout")


def test_ready_members_are_the_same_objects_in_order(connect: Any) -> None:
    pairs = [connect() for _ in range(20)]
    ready = [client for client, _ in pairs[::3]]
    for _, peer in pairs[::3]:
        peer.sendall(b"x")
    every = [client for client, _ in pairs]
    found, writable, error = polysock.select(every[::-1], every, 5)
    while len(found) < len(ready):
        found = polysock.select(every[::-1], None, 5)[0]
    assert found == ready[::-1] and writable == every and error is None


@pytest.mark.parametrize("count", [1100, 3000])
def test_more_than_1024_descriptors(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * count + 100:
        pytest.skip(f"the limit of descriptors is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * count + 100, hard))
    before = descriptors()
    try:
        pairs = [socket.socketpair() for _ in range(count)]
        lefts = [left for left, _ in pairs]
        assert max(left.fileno() for left in lefts) > 1024
        pairs[-1][1].send(b"x")
        pairs[7][1].send(b"x")
        assert polysock.select(lefts, None, 5) == ([lefts[7], lefts[-1]], [], None)
        assert len(polysock.select(lefts, lefts, 5)[1]) == count
        for ends in pairs:
            for end in ends:
                end.close()
        with polysock.bind("127.0.0.1", 0)[0] as server:
            low = server.getfd()
            server.setfd(os.dup2(low, 2 * count + 50))
            os.close(low)
            with polysock.connect(*server.getsockname()[:2])[0]:
                assert polysock.select([server], None, 5) == ([server], [], None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert descriptors() == before
