# SPDX-License-Identifier: MIT
"""Name servers that answer late, never, wrongly, or with ten addresses of which only the
last works. The resolver is the system's own; the limits of the calls hold all the same.
"""

from __future__ import annotations

import time
from typing import Any, Callable, List

import pytest
from lab import DEAD4, FAR4, FAR6, Lab
from names import GARBAGE, NXDOMAIN, REFUSED, SERVFAIL, A, Entry, NameServer
from program import Program, until

LATE = 2.5
HELPERS = 32
"""Threads that resolve names, at most: ARCHITECTURE.md."""

UNKNOWN = "host or service not provided, or not known"
TEMPORARY = "temporary failure in name resolution"
SILENT = (TEMPORARY, UNKNOWN)
"""What the C library says of a server that gives no usable answer depends on its kind."""


def test_a_late_answer(
    program: Program, names: NameServer, listen: Any, note: Callable[[str], None]
) -> None:
    """0.8 s, with a limit of 0.2: calls again make progress, and one look-up serves."""
    peer = listen()
    names.entries["late.test"] = Entry([FAR4], late=0.8)
    program.call("mod", "tcp", into="one")
    program.call("one", "settimeout", 0.2)
    began = time.monotonic()
    timeouts = 0
    while True:
        answer = program.call("one", "connect", "late.test", peer.port)
        if answer.values[0] is not None:
            break
        assert answer.error == "timeout" and 0.2 <= answer.seconds < 0.2 + LATE
        timeouts += 1
    taken = time.monotonic() - began
    note(f"0.8 s of look-up under a limit of 0.2: connected after {taken:.2f} s")
    assert timeouts >= 2 and 0.8 <= taken < 0.8 + 2 * LATE
    assert names.asked["late.test", A] == 1
    peer.accept().sendall(b"here\n")
    assert program.call("one", "receive").value == "here"


def test_a_look_up_that_was_given_up_is_the_next_calls(
    program: Program, names: NameServer, listen: Any
) -> None:
    """Another object, and another call with the same question, collect it."""
    peer = listen()
    names.entries["late.test"] = Entry([FAR4], late=0.5)
    program.call("mod", "tcp", into="one")
    program.call("one", "settimeout", 0.05)
    assert program.call("one", "connect", "late.test", peer.port).error == "timeout"
    program.call("one", "close")
    until(lambda: program.helpers() == 0)
    program.call("mod", "tcp", into="two")
    program.call("two", "settimeout", 0)
    for _ in range(100):
        answer = program.call("two", "connect", "late.test", peer.port)
        if answer.values[0] is not None:
            break
        assert answer.error == "timeout"
        time.sleep(0.01)
    peer.accept()
    assert names.asked["late.test", A] == 1


@pytest.mark.parametrize("mode", ["b", "t"])
def test_an_answer_that_never_comes(
    program: Program, names: NameServer, mode: str
) -> None:
    """The limit holds; without one, the resolver gives up after its own second."""
    names.entries["never.test"] = Entry(never=True)
    program.call("mod", "tcp", into="one")
    program.call("one", "settimeout", 0.3, mode)
    ended = program.call("one", "connect", "never.test", 80)
    assert ended.error == "timeout" and 0.3 <= ended.seconds < 0.3 + LATE
    assert program.call("one", "wants").value == "w"
    program.call("one", "settimeout", -1, mode)
    ended = program.call("one", "connect", "never.test", 80)
    assert ended.error in SILENT and ended.seconds < 4 + 2 * LATE
    ended = program.call("dns", "toip", "never.test", 0.3)
    assert ended.error == "timeout" and 0.3 <= ended.seconds < 0.3 + LATE


@pytest.mark.parametrize(
    ("code", "words"),
    [(SERVFAIL, (TEMPORARY,)), (REFUSED, SILENT), (NXDOMAIN, (UNKNOWN,)), (0, SILENT)],
)
def test_an_answer_without_addresses(
    program: Program, names: NameServer, code: int, words: List[str]
) -> None:
    names.entries["wrong.test"] = Entry(wrong=code)
    failed = program.call("mod", "connect", "wrong.test", 80)
    assert failed.error in words and failed.seconds < 4 + 2 * LATE


@pytest.mark.parametrize("how", GARBAGE)
def test_a_wrong_answer(program: Program, names: NameServer, how: str) -> None:
    """What is no answer to the question is none: the limit ends the wait."""
    names.entries["wrong.test"] = Entry([FAR4], wrong=how)
    program.call("mod", "tcp", into="one")
    program.call("one", "settimeout", 1, "t")
    failed = program.call("one", "connect", "wrong.test", 1)
    assert failed.error in ("timeout", *SILENT) and failed.seconds < 1 + LATE
    assert program.call("one", "close").value == 1
    names.entries["right.test"] = Entry([FAR4])
    assert program.call("dns", "toip", "right.test").value == FAR4


def ten(program: Program, lab: Lab, names: NameServer, last: str) -> List[str]:
    """A name of ten addresses, in the order in which the system gives them."""
    addresses = [f"10.77.0.{10 + number}" for number in range(10)]
    names.entries["ten.test"] = Entry(addresses)
    found = program.call("dns", "getaddrinfo", "ten.test").value
    ordered = [entry["addr"] for entry in found]
    assert sorted(ordered) == addresses
    lab.far.give(ordered[-1])
    return ordered


def test_ten_addresses_of_which_nine_refuse(
    program: Program, lab: Lab, names: NameServer, listen: Any
) -> None:
    ordered = ten(program, lab, names, "")
    for address in ordered[:-1]:
        lab.far.give(address)
    peer = listen(ordered[-1])
    assert program.call("mod", "connect", "ten.test", peer.port, into="one").value
    assert program.call("one", "getpeername").value == ordered[-1]
    peer.accept()


def test_ten_addresses_of_which_nine_are_dead(
    program: Program,
    lab: Lab,
    names: NameServer,
    listen: Any,
    note: Callable[[str], None],
) -> None:
    """The limit of a wait is one for each address; that of the call is one for all."""
    ordered = ten(program, lab, names, "")
    peer = listen(ordered[-1])
    program.call("mod", "tcp", into="one")
    program.call("one", "settimeout", 0.2)
    answer = program.call("one", "connect", "ten.test", peer.port)
    note(f"9 dead addresses, 0.2 s each: connected after {answer.seconds:.2f} s")
    assert answer.value == 1 and 1.8 <= answer.seconds < 1.8 + 2 * LATE
    assert program.call("one", "getpeername").value == ordered[-1]
    peer.accept()
    program.call("mod", "tcp", into="two")
    program.call("two", "settimeout", 0.2)
    program.call("two", "settimeout", 0.7, "t")
    answer = program.call("two", "connect", "ten.test", peer.port)
    assert answer.error == "timeout" and 0.7 <= answer.seconds < 0.7 + LATE
    answer = program.call(
        "mod", "connect", "ten.test", peer.port, None, None, None, 0.5, into="three"
    )
    assert answer.error == "timeout" and 0.5 <= answer.seconds < 0.5 + LATE


def test_nothing_grows_while_names_hang(
    program: Program, names: NameServer, listen: Any, note: Callable[[str], None]
) -> None:
    """600 tries of 60 names of which none is answered: bounded threads, descriptors and
    memory; and names that are answered again work as soon as a helper is free."""
    peer = listen()
    names.silent = True
    most = descriptors = 0
    program.call("mod", "tcp", into="one")
    program.call("one", "settimeout", 0)
    before = program.descriptors()
    memory = 0
    for number in range(600):
        name = f"n{number % 60}.test"
        assert program.call("one", "connect", name, peer.port).values[0] is None
        most = max(most, program.helpers())
        descriptors = max(descriptors, program.descriptors() - before)
        if number == 120:
            memory = program.memory()
    grown = program.memory() - memory
    note(
        f"{most} helper threads, {descriptors} descriptors, {grown >> 10} KiB more after "
        "the first 120 tries"
    )
    assert 0 < most <= HELPERS
    assert descriptors <= 3 * HELPERS  # the resolver's sockets, and what wakes threads
    assert grown < 2 << 20
    names.silent = False
    names.entries["again.test"] = Entry([FAR4, FAR6])
    program.call("one", "settimeout", 60)
    assert program.call("one", "connect", "again.test", peer.port).value == 1
    peer.accept()
    program.call("one", "close")
    until(lambda: program.helpers() == 0)


def test_a_name_of_a_dead_address(program: Program, names: NameServer) -> None:
    """The limit of a call covers the look-up and the connect together."""
    names.entries["slow.test"] = Entry([DEAD4], late=0.4)
    ended = program.call("mod", "connect", "slow.test", 80, None, None, None, 0.8)
    assert ended.error == "timeout" and 0.8 <= ended.seconds < 0.8 + LATE
