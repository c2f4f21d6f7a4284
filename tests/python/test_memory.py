# SPDX-License-Identifier: MIT
"""Each allocation of Python's fails once, one after another, in calls of every kind.

Whatever is missing, the call says so, gives back all that it took, and loses no bytes.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import socket
import sys
from typing import Any, Callable, Dict, Iterator, List, Tuple

import polysock
import pytest
from conftest import descriptors
from polysock import raising

if sys.version_info < (3, 11):
    pytest.skip(
        "older versions keep more in stock, and count otherwise", allow_module_level=True
    )

testcapi = pytest.importorskip("_testcapi")

if not hasattr(testcapi, "set_nomemory") or "free-threading" in sys.version:
    pytest.skip("needs allocations that can be made to fail", allow_module_level=True)

WORDS = "memory allocation failure"
NAME = ".".join(["polysock", "_core"])  # no constant, which would live for ever
MANY = 400  # allocations; no call here has as many


def starved(call: Callable[[Any], Any], given: Any, first: int, stop: int) -> Any:
    """Calls while allocations fail. Gives the result, or the exception."""
    testcapi.set_nomemory(first, stop)
    _ = (first, stop)  # takes the tuple that the call before has left in a free list
    try:
        return call(given)
    except Exception as error:
        testcapi.remove_mem_hooks()
        return error.with_traceback(None)
    finally:
        testcapi.remove_mem_hooks()


def is_lack(result: Any) -> bool:
    """Does a result say that there was no memory?"""
    if isinstance(result, polysock.Error):
        return result.strerror == WORDS
    if isinstance(result, tuple) and result and result[0] is None:
        return bool(result[1] == WORDS)
    if isinstance(result, SystemError):  # some Pythons lose the exception on its way
        lost = "error return without exception set", "failed without setting an exception"
        return str(result).endswith(lost)
    return isinstance(result, MemoryError)


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class World:
    """Sockets of both styles, and their peers."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.client = polysock.connect(*self.address)[0]
        self.peer = self.listener.accept()[0]
        self.other = raising.connect(*self.address)
        self.partner = self.listener.accept()[0]
        self.lines = self.other.lines()
        self.poller = polysock.poller()[0]
        self.strict = raising.poller()

        def wait() -> Iterator[Any]:
            if False:
                yield
            return "waited"

        self.wait = wait
        for one in self.client, self.other:
            one.settimeout(5)

    def close(self) -> None:
        for one in (
            self.client,
            self.other,
            self.peer,
            self.partner,
            self.listener,
            self.poller,
            self.strict,
        ):
            one.close()

    def feed(self) -> None:
        self.peer.sendall(b"line\n")
        self.partner.sendall(b"line\n")


class Foreign:
    """What a program may have in place of a socket."""

    def __init__(self, world: World) -> None:
        self.world = world

    def fileno(self) -> int:
        return self.world.peer.fileno()

    def dirty(self) -> bool:
        return True


class Getfd(Foreign):
    """As LuaSocket calls it."""

    def getfd(self) -> int:
        return self.fileno()


class Subclass(int):
    pass


def fresh(text: str) -> str:
    """A text whose UTF-8 nobody has asked for yet."""
    return "".join(list(text))


Before = Callable[[World], Any]
Call = Callable[[World, Any], Any]


def nothing(_: World) -> None:
    pass


def quiet(w: World) -> None:
    w.client.settimeout(0)
    w.other.settimeout(0)


def room(w: World) -> bytearray:
    w.peer.sendall(b"line\n")
    return bytearray(5)


def much(w: World) -> None:
    w.peer.sendall(bytes(60_000))


def closed_pair(w: World) -> Tuple[Any, Any]:
    return polysock.tcp()[0], raising.tcp()


def closed(poller: Any) -> Any:
    poller.close()
    return type(poller)


def foreign_member(w: World) -> Foreign:
    made = Foreign(w)
    w.poller.add(made, "rw", 5)
    return made


def first_that_buffers(w: World, poller: Any) -> Any:
    """Nothing but its answer makes it ready."""
    added = poller.add(Foreign(w), "r", 5)
    return poller.wait(0) if added[0] else added


def feed_piece(w: World) -> None:
    """The exception that carries it may lack memory, and Python has no other way."""
    w.feed()


def busy(w: World) -> None:
    """Somebody else waits for the socket."""
    polysock._core._mark(w.other, 256)


def pieces_of(w: World) -> Any:
    return polysock._core._pieces(w.lines, w.wait)


def ended(piece: Any) -> Any:
    """What is awaited gives its value at once."""
    try:
        piece.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def name_of_nobody(w: World) -> str:
    return fresh("nobody\udc80.invalid")


CASES: Dict[str, Tuple[Before, Call]] = {
    # Bytes.
    "receive": (World.feed, lambda w, _: w.client.receive()),
    "receive, raising": (World.feed, lambda w, _: w.other.receive()),
    "receive a count": (World.feed, lambda w, _: w.client.receive(5)),
    "receive much": (much, lambda w, _: len(w.client.receive(60_000)[0] or b"")),
    "receive with a prefix": (World.feed, lambda w, _: w.client.receive("*l", b"pre")),
    "receiveuntil": (World.feed, lambda w, _: w.client.receiveuntil(b"\n")),
    "receiveany": (World.feed, lambda w, _: w.other.receiveany()),
    "receiveinto": (room, lambda w, room: w.client.receiveinto(room)),
    "next": (World.feed, lambda w, _: next(w.client)),
    "next, raising": (World.feed, lambda w, _: next(w.lines)),
    "lines": (nothing, lambda w, _: type(w.client.lines("*l", 10))),
    "send": (nothing, lambda w, _: w.client.send(b"x")),
    # Failures.
    "timeout": (quiet, lambda w, _: w.client.receive("*l", b"pre")),
    "timeout, raising": (quiet, lambda w, _: w.other.receive("*l", b"pre")),
    "timeout of an iterator": (quiet, lambda w, _: next(w.client)),
    "timeout of room": (quiet, lambda w, _: w.other.receiveinto(bytearray(5))),
    "refused": (nothing, lambda w, _: polysock.connect("127.0.0.1", 1)),
    "refused, raising": (nothing, lambda w, _: raising.connect("127.0.0.1", 1)),
    "no descriptor": (nothing, lambda w, _: polysock.fromfd(2**31 - 1, "client")),
    "no descriptor, raising": (nothing, lambda w, _: raising.fromfd(2**31 - 1, "client")),
    "not connected": (closed_pair, lambda w, pair: pair[0].getpeername()),
    "not connected, raising": (closed_pair, lambda w, pair: pair[1].getpeername()),
    "words": (nothing, lambda w, _: polysock._core.failure("timeout", b"part")),
    "system's words": (nothing, lambda w, _: polysock._core.failure("No such file")),
    # Values.
    "tcp": (nothing, lambda w, _: polysock.tcp()[0].kind),
    "tcp, raising": (nothing, lambda w, _: raising.tcp().kind),
    "stats": (nothing, lambda w, _: w.client.getstats()[:2]),
    "timeouts": (nothing, lambda w, _: w.client.gettimeout()),
    "addresses": (nothing, lambda w, _: (w.client.getsockname(), w.other.getpeername())),
    "repr": (nothing, lambda w, _: repr(w.client)),
    "repr of a poller": (nothing, lambda w, _: repr(w.poller)),
    "linger": (nothing, lambda w, _: w.client.getoption("linger")),
    "linger, raising": (nothing, lambda w, _: w.other.getoption("linger")),
    "congestion": (nothing, lambda w, _: w.client.getoption("tcp-congestion")),
    "toip": (nothing, lambda w, _: polysock.dns.toip("127.0.0.1")),
    "toip, raising": (nothing, lambda w, _: raising.dns.toip("127.0.0.1")),
    "getaddrinfo": (nothing, lambda w, _: polysock.dns.getaddrinfo("127.0.0.1")),
    "getnameinfo": (nothing, lambda w, _: polysock.dns.getnameinfo("127.0.0.1", "80")),
    "gethostname": (nothing, lambda w, _: polysock.dns.gethostname()),
    # Arguments.
    "huge number": (lambda w: 10**400, lambda w, n: w.client.setdeadline(n)),
    "huge negative": (lambda w: -(10**400), lambda w, n: w.client.setdeadline(n)),
    "whole float": (nothing, lambda w, _: w.client.send(b"abc", 1000.0)),
    "subclass": (lambda w: Subclass(10**6), lambda w, n: w.client.send(b"abc", n)),
    "name": (lambda w: fresh("n\u00e4me\0"), lambda w, n: polysock.dns.toip(n)),
    "name of bytes": (name_of_nobody, lambda w, n: polysock.dns.toip(n)),
    "service": (lambda w: fresh("n\u00e4me"), lambda w, n: polysock.bind("::1", n)),
    "mode": (lambda w: fresh("m\u00f6de"), lambda w, n: w.client.shutdown(n)),
    "no mode": (nothing, lambda w, _: w.client.shutdown(1)),
    "pattern": (lambda w: fresh("p\u00e4t"), lambda w, n: w.client.receive(n)),
    "pattern of bytes": (lambda w: fresh("*\udc80"), lambda w, n: w.client.receive(n)),
    "option": (
        lambda w: fresh("\u00f6ption"),
        lambda w, n: w.client.setoption("tcp-congestion", n),
    ),
    "option of bytes": (
        lambda w: fresh("\ud800"),
        lambda w, n: w.client.setoption("tcp-congestion", n),
    ),
    "setoption linger": (
        lambda w: {"on": False, "timeout": 0},
        lambda w, n: w.client.setoption("linger", n),
    ),
    "no buffer": (nothing, lambda w, _: w.client.send([b"x"])),
    "too many": (nothing, lambda w, _: w.client.close(1, 2, 3)),
    "unknown keyword": (nothing, lambda w, _: w.client.receive(size=1)),
    "twice": (nothing, lambda w, _: w.client.receive(1, pattern=1)),
    # Sets.
    "select": (nothing, lambda w, _: polysock.select([w.client], [w.client], 0)[1:]),
    "select, raising": (nothing, lambda w, _: raising.select(None, (w.other,), 0)),
    "select foreign": (Foreign, lambda w, f: polysock.select([f], [f], 0)[0] == [f]),
    "select of an iterator": (
        lambda w: iter([w.client]),
        lambda w, members: polysock.select(members, None, 0),
    ),
    "select of no set": (Foreign, lambda w, f: polysock.select(f, None, 0)),
    "select of a number": (nothing, lambda w, _: polysock.select(5, None, 0)),
    "select of what waits": (nothing, lambda w, _: polysock.select([w.client], [], 0)),
    # Pollers.
    "poller": (nothing, lambda w, _: closed(polysock.poller()[0])),
    "poller, raising": (nothing, lambda w, _: closed(raising.poller())),
    "add": (nothing, lambda w, _: w.poller.add(w.client, "r", 5)),
    "add foreign": (Foreign, lambda w, f: w.poller.add(f, "rw", 5)),
    "modify": (
        lambda w: w.poller.add(w.client, "r", 5),
        lambda w, _: w.poller.modify(w.client, "rw", 6),
    ),
    "add foreign with getfd": (Getfd, lambda w, f: w.poller.add(f, "rw", 5)),
    "remove": (
        lambda w: w.poller.add(w.client, "r", 5),
        lambda w, _: w.poller.remove(w.client),
    ),
    "remove foreign": (foreign_member, lambda w, f: w.poller.remove(f)),
    "wait": (
        lambda w: w.poller.add(w.client, "w", 5),
        lambda w, _: w.poller.wait(0),
    ),
    "wait in vain": (nothing, lambda w, _: w.poller.wait(0)),
    "wait for the first that buffers": (
        lambda w: polysock.poller()[0],
        lambda w, poller: first_that_buffers(w, poller),
    ),
    "wait for foreign": (foreign_member, lambda w, f: w.poller.wait(0)),
    "add what has no descriptor": (nothing, lambda w, _: w.poller.add(object(), "r")),
    # What polysock.aio is made of.
    "pieces": (nothing, lambda w, _: type(pieces_of(w))),
    "piece": (feed_piece, lambda w, _: ended(pieces_of(w).__anext__())),
    "piece that waits": (busy, lambda w, _: ended(pieces_of(w).__anext__())),
    "piece of no use": (nothing, lambda w, _: pieces_of(w).__anext__().throw(5)),
}


def left_in(one: Any) -> bytes:
    """Takes what a socket still has."""
    got = b""
    one.settimeout(0)
    while True:
        try:
            got += (
                polysock.try_(one.receiveany())
                if one.__class__ is polysock.Socket
                else (one.receiveany())
            )
        except polysock.Timeout:
            one.settimeout(5)
            return got


def tidy(w: World, given: Any) -> None:
    """Ends what a case has left."""
    polysock._core._mark(w.other, 0)
    w.client.setdeadline(None)
    w.poller.remove(w.client)
    if isinstance(given, Foreign):
        w.poller.remove(given)
    assert w.poller.count() == 0


def rounds(w: World, case: Tuple[Before, Call], alone: bool) -> List[Any]:
    """Lets each allocation of a call fail, alone or with all after it.

    Gives the results. What free lists hold is given back before each call.
    """
    before, call = case
    results: List[Any] = []
    enough = 0
    for first in range(MANY):
        given = before(w)
        gc.collect()
        stop = first + 1 if alone else 0
        result = starved(lambda it: call(w, it), given, first, stop)  # noqa: B023
        tidy(w, given)
        left = left_in(w.client), left_in(w.other)
        lack = is_lack(result)
        if lack and before is World.feed:
            assert left == (b"line\n", b"line\n"), (first, result)
        results.append("lack" if lack else repr(result))
        enough = 0 if lack else enough + 1
        if enough == 4:
            return results
    raise AssertionError(f"{MANY} allocations: {results}")


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    gc.collect()
    gc.freeze()  # collections look at what a test makes, and not at all of pytest
    yield made
    gc.unfreeze()
    made.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_what_a_call_took_comes_back(world: World, name: str, alone: bool) -> None:
    case = CASES[name]
    pieces = pieces_of(world)
    shared = [None, True, False, 0, 1, b"", "r", 5, polysock._core]
    shared += map(sys.intern, ["timeout", "closed", "connection refused"])
    shared += [polysock.Socket, polysock.Poller, raising.Socket, raising.Poller]
    shared += [world.client, world.other, world.poller, world.lines, world.wait]
    shared += [type(world.lines), type(pieces), type(pieces.__anext__())]
    for _ in range(5):
        due = rounds(world, case, alone)
    assert {*due} == {"lack", due[-1]}  # it says so, or is complete
    gc.collect()
    references = [sys.getrefcount(one) for one in shared]
    opened = descriptors()
    blocks = sys.getallocatedblocks()
    for _ in range(20):
        assert rounds(world, case, alone)[-1] == due[-1]
    gc.collect()
    grown = sys.getallocatedblocks() - blocks
    changes = [sys.getrefcount(one) - was for one, was in zip(shared, references)]
    assert max(map(abs, changes)) < 15, changes
    assert grown < 15
    assert descriptors() == opened


@pytest.mark.parametrize("name", ["select", "select, raising", "select of an iterator"])
def test_no_memory_for_a_set_is_a_memory_error(world: World, name: str) -> None:
    before, call = CASES[name]
    enough = 0
    for first in range(MANY):
        given = before(world)
        gc.collect()
        result = starved(lambda it: call(world, it), given, first, first + 1)  # noqa: B023
        assert not isinstance(result, SystemError), (first, result)
        enough = 0 if is_lack(result) else enough + 1
        if enough == 4:
            break
    assert enough == 4 and first > 6


def unloaded() -> Tuple[Any, Any]:
    """The compiled module once more, and what fills it."""
    path = polysock._core.__file__
    spec = importlib.util.spec_from_file_location(NAME, path)
    assert spec is not None and spec.loader is not None
    return importlib.util.module_from_spec(spec), spec.loader.exec_module


def load(first: int, stop: int) -> Any:
    """Loads the module while allocations fail."""
    module, fill = unloaded()
    result = starved(fill, module, first, stop)
    if result is None:  # then all of it is there
        assert {*vars(module)} == {*vars(polysock._core)}
        for name, its in vars(module).items():
            where = getattr(vars(polysock._core)[name], "__module__", None)
            assert getattr(its, "__module__", None) == where, name
        assert len(gc.get_referents(module)) == len(gc.get_referents(polysock._core))
        for style in "", "Raising":
            for noun in "Socket", "Poller":
                made = getattr(module, style + noun)
                assert made.__bases__ == (getattr(module, "Base" + noun),)
    return result


def test_a_load_takes_nothing_for_good(world: World) -> None:
    names = ["timeout", "closed", "partial", "last", "address", "r", "w", "rw"]
    shared = [polysock.Error, polysock.Timeout, None, polysock._core, NAME, *names]

    def counts() -> List[int]:
        gc.collect()
        texts = (sys.intern(one) if one in names else one for one in shared)
        return [sys.getallocatedblocks(), *map(sys.getrefcount, texts)]

    changes = []
    for _ in range(12):  # at first, Python's own tables grow
        before = counts()
        for _ in range(40):
            assert load(MANY * 100, 0) is None
            gc.collect()
        changes.append([now - was for now, was in zip(counts(), before)])
        if max(map(abs, changes[-1])) < 20:
            return
    raise AssertionError(changes)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python's own making crashes")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("alone", [True, False])
def test_a_load_without_memory_fails(world: World, alone: bool) -> None:
    """Python's own making of classes loses some memory then, and 3.12 tells of it."""
    enough = first = 0
    while enough < 20:
        result = load(first, first + 1 if alone else 0)
        assert result is None or is_lack(result), result
        enough = enough + 1 if result is None else 0
        first += 1
        if first % 20 == 0:
            gc.collect()
    assert first > 300
    assert load(MANY * 100, 0) is None


def test_the_first_words_of_the_system_without_memory(world: World) -> None:
    """Their number, which only a later try_ asks for, may be forgotten for that."""
    for style in "", "raising_":
        due = 0
        for first in range(MANY):
            module, fill = unloaded()
            fill(module)
            call = getattr(module, style + "fromfd")
            result = starved(lambda it: it(2**31 - 1, "client"), call, first, first + 1)
            if not is_lack(result):
                words = getattr(result, "strerror", None) or result[1]
                assert words == "Bad file descriptor", result
                due += 1
            if due == 6:
                break
        assert due == 6


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
@pytest.mark.parametrize("name", ["tcp", "poller", "toip", "getaddrinfo"])
def test_the_memory_of_the_core_comes_back(name: str) -> None:
    calls: Dict[str, Callable[[], Any]] = {
        "tcp": lambda: polysock.tcp()[0].close(),
        "poller": lambda: polysock.poller()[0].close(),
        "toip": lambda: polysock.dns.toip("127.0.0.1"),
        "getaddrinfo": lambda: polysock.dns.getaddrinfo("127.0.0.1"),
    }
    call = calls[name]
    many = 20_000
    for _ in range(many // 10):
        call()
    before = resident()
    for _ in range(many):
        call()
    grown = resident() - before
    assert grown < 16 * many + (64 << 10), grown / many
