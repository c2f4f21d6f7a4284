# SPDX-License-Identifier: MIT
"""What the garbage collector sees of each object: its references, all of them and no
others; nothing of one that is being freed; and what an object held, once it is gone.
"""

from __future__ import annotations

import errno
import gc
import sys
import weakref
from typing import Any, Callable, Iterator, List

import polysock
import pytest
from polysock import raising

core: Any = polysock._core


def same(one: List[Any], other: List[Any]) -> bool:
    return sorted(map(id, one)) == sorted(map(id, other))


def waiting() -> Iterator[Any]:
    yield


class Foreign:
    """What a program may have in place of a socket."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        return self.fd


# ---- References


def test_what_a_socket_refers_to(connect: Any) -> None:
    client = connect(raising)[0]
    assert same(gc.get_referents(client), [type(client), core])
    client.name = "attribute"
    assert same(gc.get_referents(client), [type(client), core, client.__dict__])


def test_what_iterators_refer_to(connect: Any) -> None:
    client = connect(raising)[0]
    lines = client.lines()
    assert same(gc.get_referents(lines), [type(lines), client])
    pieces = core._pieces(lines, waiting)
    piece = pieces.__anext__()
    expected = [type(pieces), lines, waiting, type(piece)]
    assert same(gc.get_referents(pieces), expected)
    assert same(gc.get_referents(piece), [type(piece), pieces])
    assert gc.is_tracked(piece)
    core._mark(client, 256)  # somebody else waits for it, so this has to wait too
    assert piece.send(None) is None
    referents = gc.get_referents(piece)
    assert len(referents) == 3 and type(piece) in referents and pieces in referents
    piece.close()
    assert same(gc.get_referents(piece), [type(piece)])


def test_what_a_poller_refers_to(connect: Any) -> None:
    client, peer = connect()
    foreign, token = Foreign(peer.fileno()), object()
    with raising.poller() as poller:
        assert same(gc.get_referents(poller), [type(poller), core])
        poller.add(client, "r", token)
        poller.add(foreign, "r")
        expected = [type(poller), core, client, token, foreign, foreign]
        assert same(gc.get_referents(poller), expected)


def test_what_the_modules_refer_to(connect: Any) -> None:
    style = raising.tcp.__self__  # type: ignore[attr-defined]
    assert any(its is core for its in gc.get_referents(style))
    known = list(map(id, gc.get_referents(core)))
    assert id(style) in known
    for module in (polysock, raising):
        assert id(module.Socket) in known and id(module.Poller) in known
    for its in (polysock.BaseSocket, polysock.BasePoller):
        assert id(its) in known
    for error in (polysock.Error, polysock.Timeout, polysock.Closed, polysock.Refused):
        assert id(error) in known
    words = polysock.fromfd(2**31 - 1, "client")[1]
    lines = connect(raising)[0].lines()
    pieces = core._pieces(lines, waiting)
    for one in (lines, pieces, pieces.__anext__()):
        assert id(type(one)) in known
    assert len(known) == len({*known})
    dicts = [its for its in gc.get_referents(core) if type(its) is dict]
    assert any(its.get(words) == errno.EBADF for its in dicts)


def test_words_of_failures_are_always_the_same_objects(server: Any) -> None:
    """None is made for each failure, and none is freed."""
    server.settimeout(0)
    words = [server.accept()[1], polysock.connect("127.0.0.1", 1)[1]]
    with polysock.tcp()[0] as one, polysock.poller()[0] as poller:
        words.append(poller.remove(one)[1])
    words.append(server.close() and server.accept()[1])
    assert words == ["timeout", "connection refused", "not added", "closed"]
    assert all(sys.intern("".join(its)) is its for its in words)


def test_objects_refer_to_nothing_else(connect: Any) -> None:
    client = connect(raising)[0]
    lines = client.lines()
    pieces = core._pieces(lines, waiting)
    core._mark(client, 256)
    piece = pieces.__anext__()
    piece.send(None)
    with raising.poller() as poller:
        ours = [client, lines, pieces, piece, poller]
        found = gc.get_referrers(Foreign(5))
        assert not any(its is one for its in found for one in ours)


# ---- The end


class Watch:
    """Looks, when it ends, whether the collector has objects of a class."""

    def __init__(self, kind: type, found: List[int]) -> None:
        self.kind, self.found = kind, found

    def __call__(self, *_: Any) -> Any:
        raise NotImplementedError

    def __del__(self) -> None:
        gc.collect()
        self.found.append(sum(type(its) is self.kind for its in gc.get_objects()))


@pytest.mark.parametrize("make", [lambda: raising.tcp(), lambda: raising.poller()])
def test_one_that_is_freed_is_out_of_the_collectors_sight(
    make: Callable[[], Any],
) -> None:
    one = make()
    one.close()
    gc.collect()
    kind, found = type(one), []

    def look(_: Any) -> None:
        gc.collect()
        found.append(sum(type(its) is kind for its in gc.get_objects()))

    before = sum(type(its) is kind for its in gc.get_objects())
    reference = weakref.ref(one, look)
    del one
    assert reference() is None and found == [before - 1]


def test_iterators_that_are_freed_are_out_of_sight(connect: Any) -> None:
    client = connect(raising)[0]
    found: List[int] = []
    lines = client.lines()
    gc.collect()
    pieces = core._pieces(lines, Watch(type(core._pieces(lines, iter)), found))
    del pieces
    assert found == [0]
    pieces = core._pieces(
        lines, Watch(type(core._pieces(lines, iter).__anext__()), found)
    )
    piece = pieces.__anext__()
    del pieces, piece
    assert found == [0, 0]

    def wait() -> Iterator[Any]:
        watch = Watch(kind, found)
        yield
        del watch

    core._mark(client, 256)
    piece = core._pieces(lines, wait).__anext__()
    kind = type(piece)
    piece.send(None)
    del piece
    assert found == [0, 0, 0]


def test_lines_that_are_freed_are_out_of_sight() -> None:
    with raising.bind("127.0.0.1", 0) as server:
        client: Any = raising.connect(*server.getsockname()[:2])
        server.accept().close()
        lines = client.lines()
        found: List[int] = []
        client.watch = Watch(type(lines), found)
        client.close()
        gc.collect()
        before = sum(type(its) is type(lines) for its in gc.get_objects())
        del client, lines
        assert found == [before - 1]


@pytest.mark.parametrize("make", [lambda: raising.tcp(), lambda: raising.poller()])
def test_attributes_go_with_their_object(make: Callable[[], Any]) -> None:
    one = make()
    one.close()
    one.name = Foreign(5)
    gone = weakref.ref(one.name)
    del one
    assert gone() is None


class Buffering(Foreign):
    def dirty(self) -> bool:
        return False


@pytest.mark.skipif("free-threading" in sys.version, reason="other threads' blocks count")
@pytest.mark.parametrize("kind", [Foreign, Buffering])
def test_a_poller_leaves_nothing_of_foreign_members(kind: Any, connect: Any) -> None:
    foreign = kind(connect()[1].fileno())

    def once() -> None:
        with raising.poller() as poller:
            poller.add(foreign, "r")
            poller.remove(foreign)

    for _ in range(100):
        once()
    before = sys.getallocatedblocks()
    for _ in range(500):
        once()
    assert sys.getallocatedblocks() - before < 100


def test_a_piece_lets_what_it_waited_for_go(connect: Any) -> None:
    """However its end comes about."""
    client = connect(raising)[0]
    core._mark(client, 256)

    def begun() -> Any:
        waits = []

        def wait() -> Any:
            made = waiting()
            waits.append(weakref.ref(made))
            return made

        piece = core._pieces(client.lines(), wait).__anext__()
        assert piece.send(None) is None
        return piece, waits[0]

    piece, gone = begun()
    with pytest.raises(StopIteration):
        piece.send(None)
    assert gone() is None
    piece, gone = begun()
    with pytest.raises(KeyError):
        piece.throw(KeyError)
    assert gone() is None
    piece, gone = begun()
    piece.close()
    assert gone() is None


def test_a_piece_has_nothing_of_what_was_there_before(connect: Any) -> None:
    pieces = core._pieces(connect(raising)[0].lines(), waiting)
    before = [bytes([255] * 15) for _ in range(1000)]  # as large as a piece
    del before
    for piece in [pieces.__anext__() for _ in range(100)]:
        assert same(gc.get_referents(piece), [type(piece), pieces])
        assert piece.close() is None


def test_a_piece_that_nobody_awaits_is_collected(connect: Any) -> None:
    client = connect(raising)[0]

    def cycle() -> Any:
        def wait() -> Any:
            raise NotImplementedError

        wait.piece = core._pieces(client.lines(), wait).__anext__()  # type: ignore[attr-defined]
        return weakref.ref(wait)

    gone = cycle()
    assert gone() is not None
    gc.collect()
    assert gone() is None


def test_a_piece_in_a_cycle_is_collected(connect: Any) -> None:
    client = connect(raising)[0]
    core._mark(client, 256)

    def cycle() -> Any:
        held: List[Any] = []

        def wait() -> Iterator[Any]:
            yield
            held.clear()

        held.append(core._pieces(client.lines(), wait).__anext__())
        held[0].send(None)
        held.append(Foreign(5))
        return weakref.ref(held[1])

    gone = cycle()
    assert gone() is not None
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("module", [polysock, raising])
@pytest.mark.parametrize("whole", [True, False])
def test_a_finaliser_receives_from_the_same_socket(
    connect: Any, module: Any, whole: bool
) -> None:
    """Whether the collector comes amid a call, or after: no byte is given twice."""
    client, peer = connect(module)
    client.settimeout(0)
    sent = b"line\n" if whole else b"line"
    given: List[bytes] = []

    def receive() -> None:
        try:
            result = client.receive("*L")
        except polysock.Error as error:
            assert isinstance(error, polysock.Timeout) or error.partial == b""
            given.append(error.partial or b"")
            return
        if module is polysock:
            assert len(result) == 3
            assert result[1] in (None, "timeout") or result[2] == b""
            result = result[0] or result[2]
        given.append(result)

    class Last:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            receive()

    before = gc.get_threshold()
    timeouts = 0
    for i in range(20):
        peer.sendall(sent)
        polysock.select([client], None, 5)
        gc.disable()
        gc.collect()  # it also ends what is kept for the next objects
        if i == 5:
            timeouts = sum(isinstance(its, polysock.Error) for its in gc.get_objects())
        gc.set_threshold(1)
        Last()
        gc.enable()
        receive()
        gc.set_threshold(*before)
        gc.collect()
        assert b"".join(given) == sent and len(given) == 2
        given.clear()
    gc.collect()
    now = sum(isinstance(its, polysock.Error) for its in gc.get_objects())
    assert now <= timeouts


@pytest.mark.parametrize("make", ["bind", "poller"])
def test_an_end_leaves_the_exception_that_is_on_its_way(make: str) -> None:
    """What a broken expression held ends while its exception is raised."""
    arguments = ("127.0.0.1", 0) if make == "bind" else ()

    def fails() -> Any:
        raise KeyError("the one that counts")

    with pytest.warns(ResourceWarning):
        try:
            print(getattr(raising, make)(*arguments), fails())
        except KeyError as error:
            assert error.args == ("the one that counts",)
        else:
            raise AssertionError("no exception")
