# SPDX-License-Identifier: MIT
"""Peers that mean no good. What each can cost is bounded, in memory, in time and in
processor time; the bound stands in each test. What a call answers to endless CRs and to
floods is shown by the scenarios of the conformance suite.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any, Callable, Dict, List, Tuple

import pytest
from conftest import Peer
from program import PATIENCE, Object, Program, until

KIB, MIB = 1 << 10, 1 << 20
LATE = 3.0
"""Seconds that a loaded machine may add."""


def grows(program: Program, before: int) -> int:
    return program.peak() - before


@pytest.mark.parametrize(
    ("pattern", "byte"),
    [("*l", "x"), ("*L", "x"), ("*a", "x"), ("until", "x"), ("lines", "x")]
    + [("*l", "\r"), ("lines", "\r")],
)
def test_an_endless_line(
    program: Program, peer: Peer, scale: int, pattern: str, byte: str
) -> None:
    """Bound: with a maxsize of 64 KiB, ever so many bytes cost less than 2 MiB, the
    strings of the language included."""
    peer.flood(byte.encode() * 65536)
    most = 65536

    def take() -> int:
        if pattern == "until":
            got = program.call("one", "receiveuntil", b"end", b"", most)
        else:
            got = program.call("one", "receive", pattern, b"", most)
        if pattern == "*a" and got.values[0] is not None:
            return len(got.value)
        assert got.error == "oversized" and len(got.partial) <= most
        return len(got.partial)

    if pattern == "lines":  # it does not take the bytes: they stay where they are
        program.call("one", "lines", "*L", most, into="it")
        program.testee.request("0", None, "it", "next", [])
        words, _ = program.testee.answer("0", PATIENCE)
        assert words[0] == b"error" and b"oversized" in b" ".join(words)
        assert program.call("one", "pending").value <= 2 * most
        return
    take()
    program.forget_peak()
    before = program.memory()
    for _ in range(50 * scale):
        take()
    assert program.call("one", "getstats").value >= 50 * 65536 * scale
    assert grows(program, before) < 2 * MIB


def test_a_byte_at_a_time(program: Program, peer: Peer, scale: int) -> None:
    """A peer that sends a byte a minute: the limit of a wait never ends the call, that
    of the call and a deadline do. Bound: on time, whatever trickles in. Here a minute is
    0.02 seconds long."""

    def trickle() -> None:
        while not peer.over.wait(0.02):
            peer.send(b"y")

    peer.threads.append(threading.Thread(target=trickle, daemon=True))
    peer.threads[0].start()
    program.call("one", "settimeout", 2 * LATE)
    program.call("one", "settimeout", 0.2, "t")
    for call in (("receive",), ("receive", "*a"), ("receiveuntil", b"end")):
        peer.send(b"y")  # one at least, however late the thread is
        ended = program.call("one", *call)
        assert ended.error == "timeout" and 0.2 <= ended.seconds < 0.2 + LATE
        assert 0 < len(ended.partial) < 1000
    program.call("one", "settimeout", -1, "t")
    peer.send(b"y")
    program.call("one", "setdeadline", 0.2)
    ended = program.call("one", "receive", 1000)
    assert ended.error == "timeout" and ended.seconds < 0.2 + LATE
    assert 0 < len(ended.partial) < 1000


@pytest.mark.parametrize(("before", "most"), [(1, 16), (65_000, 96)])
def test_many_slow_peers(
    program: Program,
    listener: socket.socket,
    scale: int,
    note: Callable[[str], None],
    before: int,
    most: int,
) -> None:
    """Bound: a connection on which a part of a line waits in the read buffer costs less
    than 16 KiB, the objects and strings of the language included; one that has received
    a long line directly before, less than 96 KiB, because it keeps the buffer of 64."""
    count = 100 * scale
    host, port = listener.getsockname()
    ends: List[socket.socket] = []

    def more(first: int) -> None:
        for number in range(first, first + count):
            name = f"c{number}"
            assert program.call("mod", "connect", host, port, into=name).value
            ends.append(listener.accept()[0])
            ends[-1].sendall(b"x" * before + b"\n")
            assert program.call(name, "receive").value == "x" * before
            ends[-1].sendall(b"line\nGET / HT")
            assert program.call(name, "receive").value == "line"
            assert program.call(name, "pending").value == 8

    more(0)
    used = program.memory()
    more(count)
    each = (program.memory() - used) / count
    note(f"{each / KIB:.1f} KiB for each")
    for end in ends:
        end.close()
    assert each < most * KIB


def test_a_million_tiny_segments(
    program: Program, peer: Peer, scale: int, note: Callable[[str], None]
) -> None:
    """A byte in each: 50,000, or a million in the long form. Bound: less than 4 MiB, and
    what the program needs to print half of them; and the limit of a call ends it on time
    while they come."""
    count = 50_000 * scale
    peer.flood(b"z", count + count // 2)
    program.forget_peak()
    before = program.memory()
    got = program.call("one", "receive", count // 2)
    assert got.value == "z" * (count // 2)
    program.call("one", "settimeout", 0.2, "t")
    ended = program.call("one", "receive", 1 << 30)
    taken = len(ended.partial)
    assert ended.error == "timeout" and 0.2 <= ended.seconds < 0.2 + LATE
    program.call("one", "settimeout", 0.001, "t")
    began = time.monotonic()
    while taken < count // 2:
        assert time.monotonic() - began < 120
        taken += len(program.call("one", "receive").partial)
    note(f"{grows(program, before) / KIB:.0f} KiB at most")
    assert grows(program, before) < 4 * MIB + 16 * count // 2


def test_urgent_data(program: Program, peer: Peer) -> None:
    """The urgent byte is not in the stream. Bound: a wait beside it uses no processor."""
    peer.send(b"one")
    peer.end.send(b"!", socket.MSG_OOB)
    peer.send(b" line\n")
    assert program.call("one", "receive").value == "one line"
    peer.end.send(b"!", socket.MSG_OOB)
    used = program.seconds()
    program.call("one", "settimeout", 0.6, "t")
    ended = program.call("one", "receive")
    assert ended.error == "timeout" and ended.partial == ""
    ready = program.call("mod", "select", [Object("one")], None, 0.2).values
    assert ready == [[], [], "timeout"]
    program.call("mod", "poller", into="poller")
    assert program.call("poller", "add", Object("one"), "rw").value == 1
    assert program.call("poller", "modify", Object("one"), "r").value == 1
    assert program.call("poller", "wait", 0.2).error == "timeout"
    assert program.seconds() - used < 0.2  # of one
    peer.end.send(b"abc", socket.MSG_OOB)  # only the last byte is urgent
    peer.send(b"\n")
    program.call("one", "settimeout", 30, "t")
    assert program.call("one", "receive").value == "ab"
    for _ in range(1000):
        peer.end.send(b"!", socket.MSG_OOB)
    peer.send(b"\n")
    # A byte that the next urgent one overtakes is an ordinary one.
    assert set(program.call("one", "receive").value) <= {"!"}


CALLS: Dict[str, Tuple[Any, ...]] = {
    "receive": ("receive",),
    "all": ("receive", "*a"),
    "count": ("receive", 100_000),
    "any": ("receiveany",),
    "until": ("receiveuntil", b"end"),
    "send": ("send", b"x" * 8_000_000),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_reset_during_a_call(
    program: Program, peer: Peer, listener: socket.socket, call: str
) -> None:
    """Bound: it ends the call at once, with closed."""
    if not program.has_threads:
        pytest.skip("no threads")
    peer.end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    program.start("t", "one", *CALLS[call])
    began = time.monotonic()
    peer.reset()
    ended = program.collect("t")
    assert ended.error == "closed" and time.monotonic() - began < LATE


def idle(program: Program, peer: Peer) -> None:
    peer.reset()


def after_bytes(program: Program, peer: Peer) -> None:
    """Some are in the read buffer, and the system has dropped none."""
    peer.send(b"line\nhalf")
    assert program.call("one", "receive").value == "line"
    assert program.call("one", "pending").value == 4
    peer.reset()


def half_closed_here(program: Program, peer: Peer) -> None:
    assert program.call("one", "shutdown", "send").value == 1
    assert peer.end.recv(10) == b""
    peer.reset()


def half_closed_there(program: Program, peer: Peer) -> None:
    peer.end.shutdown(socket.SHUT_WR)
    assert program.call("one", "receive").error == "closed"
    assert program.call("one", "send", b"x").value == 1
    peer.reset()


def unread(program: Program, peer: Peer) -> None:
    """The peer closes without having read: its system resets."""
    assert program.call("one", "send", b"x").value == 1
    peer.end.recv(1, socket.MSG_PEEK)
    peer.end.close()


STATES = (idle, after_bytes, half_closed_here, half_closed_there, unread)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_reset_before_a_call(
    program: Program, listener: socket.socket, state: Callable[..., None]
) -> None:
    """In every state of the connection, whatever is called first. Bound: each call comes
    back at once, and says closed; what was received before is not lost."""
    firsts = [*CALLS.values(), ("select",), ("poller",), ("getpeername",), ("close",)]
    for first in firsts:
        peer = Peer(program, listener)
        state(program, peer)
        began = time.monotonic()
        left = "half" if state is after_bytes else ""
        if first[0] in ("select", "poller"):  # the reset may come a moment after
            program.call("mod", "select", [Object("one")], None, 30)
        if first[0] == "select":
            ready = program.call("mod", "select", [Object("one")], [Object("one")], 30)
            assert ready.values[0][:1] == [Object("one")] == ready.values[1][:1]
        elif first[0] == "poller":
            program.call("mod", "poller", into="poller")
            assert program.call("poller", "add", Object("one"), "rw").value == 1
            assert program.call("poller", "wait", 30).value == [[Object("one"), "rw"]]
            program.call("poller", "close")
        elif first[0] == "getpeername":
            program.call("one", "getpeername")  # it may still be known
        elif first[0] == "close":
            assert program.call("one", "close").value == 1
        elif first[0] == "send":
            # The reset may come a moment after the call that caused it.
            until(lambda: program.call("one", "send", b"x").values[0] is None)
            assert program.call("one", "send", b"x").error == "closed"
        elif first[0] == "receiveany" and left:
            assert program.call("one", *first).value == left
            left = ""
        else:
            ended = program.call("one", *first)
            assert ended.error == "closed" and ended.partial == left
            left = ""
        if first[0] != "close":
            ended = program.call("one", "receive")
            assert ended.error == "closed" and ended.partial == left
            assert program.call("one", "send", b"x").error == "closed"
            assert program.call("one", "close").value == 1
        assert program.call("one", "receive").error == "closed"
        assert time.monotonic() - began < LATE
        peer.end.close()


def test_a_reset_ends_a_lingering_close(program: Program, peer: Peer) -> None:
    """Bound: close waits no longer for a peer that is gone."""
    peer.end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    program.call("one", "setoption", "linger", {"on": True, "timeout": 30})
    program.call("one", "settimeout", 0.05)
    assert program.call("one", "send", b"x" * 8_000_000).error == "timeout"
    if not program.has_threads:
        peer.reset()
        assert program.call("one", "close").seconds < LATE
        return
    program.start("t", "one", "close")
    peer.reset()
    assert program.collect("t").value == 1
