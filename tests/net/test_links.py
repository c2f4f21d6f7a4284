# SPDX-License-Identifier: MIT
"""Links that lose, delay, reorder, or take small packets only: every byte arrives once
and in order, and limits mean what they say.
"""

from __future__ import annotations

import random
import socket
from typing import Any, Callable

import pytest
from conftest import beside
from lab import FAR4, FAR6, NEAR4, Lab
from program import Program

BAD = {"loss": 0.04, "delay": 0.01, "jitter": 0.01, "reorder": 0.1, "behind": 0.03}
"""One packet in 25 is lost, one in ten comes after later ones; 10 to 20 ms each way."""


def text(size: int) -> bytes:
    """Lines of all lengths, the same in each run."""
    dice = random.Random(size)
    out = bytearray()
    while len(out) < size:
        out += b"%08d" % len(out) + b"x" * dice.choice((0, 1, 30, 500, 3000)) + b"\n"
    return bytes(out[: size - 1]) + b"\n"


def receive_all(end: socket.socket) -> bytes:
    out = bytearray()
    while True:
        piece = end.recv(65536)
        if not piece:
            return bytes(out)
        out += piece


def talk(program: Program, end: socket.socket, size: int) -> None:
    """Both directions, line by line and as one block."""
    sent = text(size)
    block, rest = sent[: size // 2], sent[size // 2 :]

    def feed() -> None:
        end.sendall(sent)
        end.shutdown(socket.SHUT_WR)

    feeding = beside(feed)
    heard = beside(receive_all, end)
    assert program.call("one", "send", sent).value == size
    assert program.call("one", "shutdown", "send").value == 1
    got = program.call("one", "receive", len(block)).value.encode("latin-1")
    assert got == block
    lines = []
    while True:
        line = program.call("one", "receive", "*L")
        if line.values[0] is None:
            assert line.error == "closed" and not line.partial
            break
        lines.append(line.value.encode("latin-1"))
    assert b"".join(lines) == rest
    feeding()
    assert heard() == sent


def test_loss_delay_and_order(
    program: Program, lab: Lab, listen: Any, note: Callable[[str], None]
) -> None:
    peer = listen()
    lab.link(**BAD)
    assert program.call("mod", "connect", FAR4, peer.port, into="one").value
    talk(program, peer.accept(), 200_000)
    counts = lab.link()
    assert counts["lost"] > 0 and counts["late"] > 0
    note(f"of {counts['moved']} packets {counts['lost']} lost, {counts['late']} late")


def test_a_server_on_a_bad_link(program: Program, lab: Lab) -> None:
    lab.link(**BAD)
    assert program.call("mod", "bind", NEAR4, 0, into="server").value
    port = program.call("server", "getsockname").values[1]
    program.call("server", "settimeout", 60)
    connecting = beside(socket.create_connection, (NEAR4, port), 60)
    assert program.call("server", "accept", into="one").value
    with connecting() as end:
        talk(program, end, 100_000)


@pytest.mark.parametrize("address", [FAR4, FAR6])
def test_small_packets(program: Program, lab: Lab, listen: Any, address: str) -> None:
    """MTU 576, and 1280, which is the least for IPv6."""
    mtu = 576 if address == FAR4 else 1280
    lab.near.up(mtu)
    lab.far.up(mtu)
    peer = listen(address)
    assert program.call("mod", "connect", address, peer.port, into="one").value
    talk(program, peer.accept(), 200_000)


def test_a_narrow_place_on_the_way(program: Program, lab: Lab, listen: Any) -> None:
    """The ends have an MTU of 1500, a router between them one of 576."""
    lab.link(mtu=576)
    peer = listen()
    assert program.call("mod", "connect", FAR4, peer.port, into="one").value
    talk(program, peer.accept(), 100_000)
    assert lab.link()["big"] > 0


def test_a_narrow_place_that_says_nothing(
    program: Program, lab: Lab, listen: Any, note: Callable[[str], None]
) -> None:
    """Large packets vanish. The promise of tcp-user-timeout holds here, too."""
    lab.link(mtu=576, silent=1)
    peer = listen()
    assert program.call("mod", "connect", FAR4, peer.port, into="one").value
    peer.accept()
    assert program.call("one", "setoption", "tcp-user-timeout", 2).value
    assert program.call("one", "send", b"x" * 20_000).value == 20_000
    program.call("one", "settimeout", 20)
    ended = program.call("one", "receive")
    assert ended.error == "timeout"
    note(f"2 s of tcp-user-timeout: noticed after {ended.seconds:.2f} s")
    assert 1.5 < ended.seconds < 10


def test_limits_on_a_slow_link(program: Program, lab: Lab, listen: Any) -> None:
    """Half a second to and fro."""
    lab.link(delay=0.25)
    peer = listen()
    one = program.call("mod", "tcp", into="one")
    assert one.value
    program.call("one", "settimeout", 0.1)
    began = program.call("one", "connect", FAR4, peer.port)
    assert began.error == "timeout" and 0.1 <= began.seconds < 0.4
    calls = 1
    seconds = began.seconds
    while True:
        again = program.call("one", "connect", FAR4, peer.port)
        calls += 1
        seconds += again.seconds
        if again.values[0] is not None:
            break
        assert again.error == "timeout" and again.seconds >= 0.1
    assert calls > 2 and seconds >= 0.45
    end = peer.accept()
    program.call("one", "settimeout", -1)
    program.call("one", "settimeout", 0.3, "t")
    assert program.call("one", "send", b"ask\n").value == 4
    late = program.call("one", "receive")
    assert late.error == "timeout" and 0.3 <= late.seconds < 0.8
    assert end.recv(100) == b"ask\n"
    end.sendall(b"answer\n")
    program.call("one", "settimeout", 30, "t")
    assert program.call("one", "receive").value == "answer"
