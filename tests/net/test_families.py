# SPDX-License-Identifier: MIT
"""Networks of IPv4 only and of IPv6 only, and of both where one of them is dead."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from lab import FAR4, FAR6, NEAR4, NEAR6, Lab
from names import Entry, NameServer
from program import Program

LATE = 2.5
FAR = {4: FAR4, 6: FAR6}
NEAR = {4: NEAR4, 6: NEAR6}
UNREACHABLE = ("Network is unreachable", "Cannot assign requested address")


def words(family: int) -> str:
    return "inet" if family == 4 else "inet6"


@pytest.mark.parametrize("family", [4, 6])
def test_one_family_only(
    program: Program, lab: Lab, names: NameServer, listen: Any, family: int
) -> None:
    """A name of both families connects by the one that is there, at once."""
    other = 10 - family
    with open("/etc/resolv.conf", "r+", encoding="ascii") as file:
        before = file.read()
        file.seek(0)
        file.write(f"nameserver {FAR[family]}\n")
        file.truncate()
    try:
        lab.near.take(other)
        names.entries["both.test"] = Entry([FAR4, FAR6])
        peer = listen(FAR[family])
        answer = program.call("mod", "connect", "both.test", peer.port, into="one")
        assert answer.value and answer.seconds < LATE
        assert program.call("one", "getpeername").values[::2] == [
            FAR[family],
            words(family),
        ]
        peer.accept().sendall(b"here\n")
        assert program.call("one", "receive").value == "here"
        assert program.call("mod", "bind", NEAR[family], 0, into="server").value
        lost = program.call("mod", f"connect{other}", FAR[other], peer.port)
        assert lost.error in UNREACHABLE and lost.seconds < LATE
        lost = program.call("mod", f"connect{other}", "both.test", peer.port)
        assert lost.values[0] is None and lost.seconds < LATE
    finally:
        with open("/etc/resolv.conf", "w", encoding="ascii") as file:
            file.write(before)


@pytest.mark.parametrize("dead", [4, 6])
def test_one_family_is_dead(
    program: Program,
    lab: Lab,
    names: NameServer,
    listen: Any,
    note: Callable[[str], None],
    dead: int,
) -> None:
    """Its packets vanish, the name server's answers too. With a limit for each wait the
    other family is tried after it; without one, when the system gives up."""
    alive = 10 - dead
    names.entries["both.test"] = Entry([FAR4, FAR6])
    peer = listen(FAR[alive])
    found = program.call("dns", "getaddrinfo", "both.test").value
    first = 6 if found[0]["family"] == "inet6" else 4
    if dead == 4:  # the names that IPv4 brought are used by number
        target = FAR6
        lab.link(cut4=1)
        answer = program.call("mod", "connect", target, peer.port, into="one")
        assert answer.value and answer.seconds < LATE
        lost = program.call("mod", "connect", FAR4, 80, None, None, None, 0.3)
        assert lost.error == "timeout" and 0.3 <= lost.seconds < 0.3 + LATE
        return
    assert first == 6  # RFC 6724 prefers it
    lab.link(cut6=1)
    program.call("mod", "tcp", into="one")
    program.call("one", "settimeout", 0.4)
    answer = program.call("one", "connect", "both.test", peer.port)
    assert answer.value == 1 and 0.4 <= answer.seconds < 0.4 + LATE
    assert program.call("one", "getpeername").values[::2] == [FAR4, "inet"]
    peer.accept()
    lab.near.set("net/ipv4/tcp_syn_retries", 1)
    answer = program.call("mod", "connect", "both.test", peer.port, into="two")
    note(f"no limit, tcp_syn_retries 1: connected after {answer.seconds:.2f} s")
    assert answer.value and 2.5 < answer.seconds < 3 + LATE
    assert program.call("two", "getpeername").value == FAR4
    peer.accept()
