# SPDX-License-Identifier: MIT
"""Links that are cut, for three seconds and for ever: what was under way arrives when
the link is there again, and keepalive and tcp-user-timeout notice in the time that they
promise when it is not.
"""

from __future__ import annotations

import socket
import time
from typing import Any, Callable

from conftest import beside
from lab import DEAD4, FAR4, Lab
from program import Program

LATE = 2.5
"""Seconds that a machine under load may add to a promise."""

SIZE = 3_000_000


def block() -> bytes:
    return bytes(range(256)) * (SIZE // 256)


def connected(program: Program, listen: Any) -> socket.socket:
    peer = listen()
    assert program.call("mod", "connect", FAR4, peer.port, into="one").value
    end: socket.socket = peer.accept()
    return end


def feed(end: socket.socket, started: Callable[[], Any]) -> None:
    """Sends a block, and calls something when a third is on the way."""
    data = block()
    end.sendall(data[: SIZE // 3])
    started()
    end.sendall(data[SIZE // 3 :])


def test_a_receive_outlives_a_cut(program: Program, lab: Lab, listen: Any) -> None:
    """Three seconds. The limit of each wait ends calls meanwhile, and no byte is lost."""
    end = connected(program, listen)
    lab.link(delay=0.01)
    program.call("one", "settimeout", 0.5)
    feeding = beside(feed, end, lambda: lab.link(cut=1))
    cut = time.monotonic()
    got, timeouts = "", 0
    whole = False
    while len(got) < len(block()):
        if timeouts and not whole and time.monotonic() - cut > 3:
            lab.link()
            whole = True
        piece = program.call("one", "receive", len(block()) - len(got))
        if piece.values[0] is None:
            assert piece.error == "timeout" and piece.seconds >= 0.5
            timeouts += 1
            got += piece.partial
        else:
            got += piece.value
    assert got.encode("latin-1") == block() and timeouts >= 3
    feeding()


def test_a_send_outlives_a_cut(program: Program, lab: Lab, listen: Any) -> None:
    """Three seconds, without a limit: the call ends when everything was taken."""
    end = connected(program, listen)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    lab.link(cut=1)

    def mend() -> bytes:
        time.sleep(3)  # the cut is what is tested
        lab.link(delay=0.01)
        out = bytearray()
        while len(out) < len(block()):
            out += end.recv(65536)
        return bytes(out)

    mending = beside(mend)
    sent = program.call("one", "send", block())
    assert sent.value == len(block()) and sent.seconds > 2.5
    assert mending() == block()


def test_a_send_counts_what_went_out(program: Program, lab: Lab, listen: Any) -> None:
    """A limit ends a send into a cut link. The index continues exactly."""
    end = connected(program, listen)
    program.call("one", "setoption", "send-buffer-size", 65536)
    lab.link(cut=1)
    program.call("one", "settimeout", 0.5)
    first = program.call("one", "send", block())
    assert first.error == "timeout" and 0.5 <= first.seconds < 0.5 + LATE
    last = first.partial
    assert 0 < last < len(block())
    lab.link()
    program.call("one", "settimeout", 60)

    def hear() -> bytes:
        out = bytearray()
        while len(out) < len(block()):
            out += end.recv(65536)
        return bytes(out)

    hearing = beside(hear)
    assert program.call("one", "send", block(), last + 1).value == len(block())
    assert hearing() == block()


def test_a_device_that_goes_down(program: Program, lab: Lab, listen: Any) -> None:
    """The near end loses its device, and with it the route, for a second."""
    end = connected(program, listen)
    lab.near.down()
    failed = program.call("mod", "connect", FAR4, 80)
    assert failed.error in ("Network is unreachable", "network is unreachable")
    assert failed.seconds < LATE
    assert program.call("one", "send", b"sent while it was down\n").value == 23
    program.call("one", "settimeout", 1)
    assert program.call("one", "receive").error == "timeout"
    lab.near.up()
    assert end.recv(100) == b"sent while it was down\n"
    end.sendall(b"up\n")
    program.call("one", "settimeout", 60)
    assert program.call("one", "receive").value == "up"


def test_keepalive_notices(
    program: Program, lab: Lab, listen: Any, note: Callable[[str], None]
) -> None:
    """Promised: after idle + interval * count, 1 + 1 * 3 seconds of silence."""
    end = connected(program, listen)
    for option, value in (("tcp-keepidle", 1), ("tcp-keepintvl", 1), ("tcp-keepcnt", 3)):
        assert program.call("one", "setoption", option, value).value
    assert program.call("one", "setoption", "keepalive", True).value
    end.sendall(b"half a line")
    program.call("one", "settimeout", 1.5)
    assert program.call("one", "receive").error == "timeout"
    lab.link(cut=1)
    program.call("one", "settimeout", -1)
    ended = program.call("one", "receive", "*l", b"half a line")
    note(f"4 s of keepalive: noticed {ended.seconds:.2f} s after the cut")
    assert ended.error == "timeout" and ended.partial == "half a line"
    # The last probe that was answered may have been up to an interval before the cut.
    assert 4 - 1.2 < ended.seconds < 4 + LATE
    again = program.call("one", "receive")
    assert again.error == "timeout" and again.seconds < LATE
    assert program.call("one", "send", b"x").error == "closed"


def test_keepalive_lets_a_quiet_peer_live(
    program: Program, lab: Lab, listen: Any
) -> None:
    """A peer that says nothing for longer than that answers the probes."""
    end = connected(program, listen)
    for option, value in (("tcp-keepidle", 1), ("tcp-keepintvl", 1), ("tcp-keepcnt", 2)):
        assert program.call("one", "setoption", option, value).value
    assert program.call("one", "setoption", "keepalive", True).value
    program.call("one", "settimeout", 5)
    assert program.call("one", "receive").error == "timeout"
    end.sendall(b"here\n")
    assert program.call("one", "receive").value == "here"
    assert lab.link()["moved"] > 8  # probes and their answers


def test_user_timeout_notices(
    program: Program, lab: Lab, listen: Any, note: Callable[[str], None]
) -> None:
    """Promised: 2 seconds after bytes were sent that nobody acknowledges."""
    connected(program, listen)
    assert program.call("one", "setoption", "tcp-user-timeout", 2).value
    lab.link(cut=1)
    assert program.call("one", "send", b"into the void\n").value == 14
    ended = program.call("one", "receive")
    note(f"2 s of tcp-user-timeout: noticed after {ended.seconds:.2f} s")
    assert ended.error == "timeout" and 1.8 < ended.seconds < 2 + LATE


def test_user_timeout_ends_a_send(
    program: Program, lab: Lab, listen: Any, note: Callable[[str], None]
) -> None:
    """The same for a send that waits: it says how many bytes the system had taken."""
    connected(program, listen)
    assert program.call("one", "setoption", "tcp-user-timeout", 2).value
    program.call("one", "setoption", "send-buffer-size", 65536)
    lab.link(cut=1)
    ended = program.call("one", "send", block())
    note(f"2 s of tcp-user-timeout: a send ended after {ended.seconds:.2f} s")
    assert ended.error == "timeout" and 0 < ended.partial < len(block())
    assert 1.8 < ended.seconds < 2 + LATE


def test_a_peer_that_is_not_there(
    program: Program, lab: Lab, note: Callable[[str], None]
) -> None:
    """Nobody answers a connect. The limit ends it, or else the system does."""
    for mode in ("b", "t"):
        program.call("mod", "tcp4", into="one")
        program.call("one", "settimeout", 0.5, mode)
        ended = program.call("one", "connect", DEAD4, 80)
        assert ended.error == "timeout" and 0.5 <= ended.seconds < 0.5 + LATE
        program.call("one", "close")
    lab.near.set("net/ipv4/tcp_syn_retries", 1)
    ended = program.call("mod", "connect", DEAD4, 80)
    note(f"tcp_syn_retries 1: connect ended after {ended.seconds:.2f} s")
    assert ended.error == "timeout" and 2.5 < ended.seconds < 3 + LATE


def test_a_reset_that_comes_late(program: Program, lab: Lab, listen: Any) -> None:
    """The peer forgets the connection while the link is cut."""
    end = connected(program, listen)
    lab.link(cut=1)
    reset = b"\x01\0\0\0\0\0\0\0"
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    end.close()
    program.call("one", "settimeout", 0.3)
    assert program.call("one", "receive").error == "timeout"
    assert program.call("one", "send", b"x").value == 1
    lab.link()
    program.call("one", "settimeout", 60)
    assert program.call("one", "receive").error == "closed"
    assert program.call("one", "send", b"x").error == "closed"
