# SPDX-License-Identifier: MIT
"""What an object is to Python: with, iteration, text, identity, subclasses, collection,
and the fixed length of every tuple.
"""

from __future__ import annotations

import copy
import gc
import os
import pickle
import socket
import sys
import warnings
import weakref
from contextlib import ExitStack
from typing import Any, Callable, Dict, List, Tuple, cast
from unittest.mock import MagicMock

import polysock
import pytest
from polysock import raising

# ---- with


@pytest.mark.parametrize("module", [polysock, raising])
def test_with_closes(connect: Any, module: Any) -> None:
    client, peer = connect(module)
    with client as same:
        assert same is client
        assert client.getfd() >= 0
    assert client.getfd() == -1
    assert peer.recv(1) == b""


def test_with_closes_and_lets_the_exception_through(pair: Any) -> None:
    client, _ = pair
    with pytest.raises(KeyError, match="inside"), client:
        raise KeyError("inside")
    assert client.getfd() == -1


def test_with_is_fine_when_closed_inside_and_again(pair: Any) -> None:
    client, _ = pair
    with client:
        client.close()
    with client:
        pass
    assert client.close() == 1


# ---- Iteration


def test_iteration_gives_lines(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"one\r\ntwo\n\nlast")
    peer.close()
    assert iter(client) is client
    assert list(client) == [b"one", b"two", b"", b"last"]
    assert list(client) == []
    with pytest.raises(StopIteration):
        next(client)


def test_two_iterators_share_the_stream(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"1\n2\n3\n45678")
    peer.close()
    lines, raw, count = client.lines(), client.lines("*L"), client.lines(2)
    assert next(lines) == b"1"
    assert next(raw) == b"2\n"
    assert next(client) == b"3"
    assert list(count) == [b"45", b"67", b"8"]
    assert list(lines) == list(raw) == []


def test_an_iterator_keeps_its_socket(connect: Any) -> None:
    client, peer = connect()
    peer.sendall(b"alive\n")
    lines = client.lines()
    count = sys.getrefcount(client)
    other = client.lines()
    assert sys.getrefcount(client) == count + 1
    del other
    assert sys.getrefcount(client) == count
    assert next(lines) == b"alive"


def test_an_iterator_outlives_every_other_reference(listener: socket.socket) -> None:
    lines = raising.connect(*listener.getsockname()).lines()
    with listener.accept()[0] as peer:
        peer.sendall(b"a\nb")
        assert next(lines) == b"a"
        peer.shutdown(socket.SHUT_WR)
        assert list(lines) == [b"b"]
        with pytest.warns(ResourceWarning, match="unclosed"):
            del lines
        assert peer.recv(1) == b""


@pytest.mark.parametrize("module", [polysock, raising])
def test_iteration_raises_failures_and_keeps_bytes(connect: Any, module: Any) -> None:
    client, peer = connect(module)
    peer.sendall(b"whole\npart")
    client.settimeout(5)
    assert next(client) == b"whole"
    client.settimeout(0.01)
    for _ in range(2):
        with pytest.raises(polysock.Timeout) as caught:
            next(client)
        assert caught.value.error == "timeout"
    peer.sendall(b"ial\n")
    client.settimeout(5)
    assert next(client) == b"partial"


def test_iteration_of_the_wrong_kind(server: Any) -> None:
    with pytest.raises(TypeError, match=r"calling 'iter' on bad self \(tcp\{client\}"):
        iter(server)
    with pytest.raises(TypeError, match=r"\(tcp\{client\} expected\)"):
        next(server)
    with pytest.raises(TypeError, match=r"calling 'lines' on bad self \(tcp\{client\}"):
        server.lines()


def test_iteration_ends_when_closed_inside(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"a\nb\nc\n")
    seen = []
    for line in client:
        seen.append(line)
        client.close()
    assert seen == [b"a"]


def test_the_iterator_is_no_class_to_call(pair: Any) -> None:
    lines = pair[0].lines()
    assert iter(lines) is lines
    with pytest.raises(TypeError):
        type(lines)()


# ---- Text and identity


def test_kind_and_texts_follow_the_object(listener: socket.socket) -> None:
    host, port = listener.getsockname()
    with polysock.tcp()[0] as one:
        assert one.kind == "master"
        assert str(one).startswith("tcp{master}: 0x")
        assert repr(one) == "<polysock.Socket master fd=-1>"
        assert one.connect(host, port) == (1, None)
        assert one.kind == "client"
        assert str(one).startswith("tcp{client}: 0x")
        local = ":".join(map(str, one.getsockname()[:2]))
        assert repr(one) == (
            f"<polysock.Socket client fd={one.getfd()} local={local} peer={host}:{port}>"
        )
        place = str(one).split(": ")[1]
    assert repr(one) == "<polysock.Socket client fd=-1>"
    assert str(one) == f"tcp{{client}}: {place}"
    with polysock.bind(host, 0)[0] as server:
        port = server.getsockname()[1]
        assert server.kind == "server"
        number = server.getfd()
        assert repr(server) == f"<polysock.Socket server fd={number} local={host}:{port}>"
    with pytest.raises(AttributeError):
        one.kind = "server"
    with pytest.raises(AttributeError):
        del one.kind


def test_the_type_says_where_it_is_from() -> None:
    assert polysock.Socket.__module__.split(".")[0] == "polysock"
    assert polysock.Socket.__qualname__ == "Socket"


def test_objects_are_equal_to_themselves_alone(connect: Any) -> None:
    one, other = connect()[0], connect()[0]
    assert one == one and one != other and (one == other) is False
    for thing in (None, 5, "text", object(), one.getfd(), type(one), one.lines()):
        assert one != thing and (one == thing) is False
    with pytest.raises(TypeError):
        one < other  # noqa: B015
    table = {one: 1, other: 2}
    one.close()
    assert table[one] == 1 and table[other] == 2 and len({one, one, other}) == 2
    assert bool(one)


def test_fileno_is_for_loops(pair: Any) -> None:
    client, _ = pair
    assert client.fileno() == client.getfd()
    client.close()
    with pytest.raises(ValueError, match="descriptor"):
        client.fileno()


# ---- Things that only the module may make


def test_no_object_without_the_module() -> None:
    with pytest.raises(TypeError):
        polysock.Socket()
    with polysock.tcp()[0] as one:
        for copied in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                copied(one)


class Sub(polysock.Socket):  # type: ignore[misc]
    """A subclass that a program makes by itself."""

    def __init__(self) -> None:
        self.note = "mine"


METHODS = [name for name in dir(polysock.Socket) if not name.startswith("__")]


def hollow() -> List[Any]:
    new = cast(Callable[[Any], Any], polysock.Socket.__new__)
    return [new(polysock.Socket), new(Sub), Sub()]


@pytest.mark.parametrize("which", range(3))
def test_a_hollow_object_is_misuse_and_no_crash(which: int, pair: Any) -> None:
    one = hollow()[which]
    good: Dict[str, Tuple[Any, ...]] = {
        "bind": ("127.0.0.1", 0),
        "connect": ("127.0.0.1", 1),
        "setsockname": ("127.0.0.1", 0),
        "setpeername": ("127.0.0.1", 1),
        "send": (b"x",),
        "receiveuntil": (b"x",),
        "receiveinto": (bytearray(1),),
        "setoption": ("keepalive", True),
        "getoption": ("keepalive",),
        "setfd": (5,),
    }
    tried = 0
    for name in METHODS:
        if name in {"this", "thisown", "append", "next", "own", "acquire", "disown"}:
            continue  # the generator's
        tried += 1
        with pytest.raises(TypeError, match=r"on bad self \(tcp\{any\} expected\)"):
            if name == "kind":
                assert one.kind
            else:
                getattr(one, name)(*good.get(name, ()))
    assert tried > 30
    for call in (str, repr, iter, next):
        with pytest.raises(TypeError, match=r"on bad self \(tcp\{any\} expected\)"):
            call(one)
    with pytest.raises(TypeError, match=r"on bad self \(tcp\{any\} expected\)"), one:
        pass
    assert one == one and one != pair[0]
    with pytest.raises(TypeError):
        polysock.select([one], None, 0)


def test_a_hollow_object_is_collected_quietly() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(100):
            hollow()
        gc.collect()


def test_methods_of_other_objects() -> None:
    with pytest.raises(TypeError):
        polysock.Socket.receive(5)
    with pytest.raises(TypeError):
        polysock.Socket.receive(MagicMock())
    with pytest.raises(TypeError):
        polysock.Socket.close()


def test_weak_references_work_or_say_that_they_do_not(listener: socket.socket) -> None:
    """It depends on the version of the generator."""
    one = raising.connect(*listener.getsockname())
    try:
        weak = weakref.ref(one)
    except TypeError:
        one.close()
        return
    assert weak() is one
    one.close()
    del one
    assert weak() is None


def test_attributes_of_ones_own(pair: Any) -> None:
    client, _ = pair
    client.name = "one"
    assert client.name == "one"
    del client.name
    with pytest.raises(AttributeError):
        client.name  # noqa: B018


# ---- Collection


def test_an_open_object_is_warned_about_and_closed(connect: Any) -> None:
    client, peer = connect()
    number = client.getfd()
    spare, error = polysock.fromfd(os.dup(number), "client")
    assert error is None
    client.close()
    with pytest.warns(ResourceWarning, match=r"unclosed .*tcp\{client\}.*fd="):
        del spare
        gc.collect()
    assert peer.recv(1) == b""


@pytest.mark.parametrize("end", ["close", "detach", "setfd", "with"])
def test_no_warning_about_a_closed_object(listener: socket.socket, end: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = raising.connect(*listener.getsockname())
        number = one.getfd()
        if end == "close":
            one.close()
        elif end == "detach":
            os.close(one.detach())
        elif end == "setfd":
            one.setfd(-1)
            os.close(number)
        else:
            with one:
                pass
        del one
        gc.collect()
        with polysock.tcp()[0]:
            pass
        del_me = polysock.tcp()[0]  # has no descriptor yet
        del del_me


def test_collection_in_the_middle_of_an_exception(listener: socket.socket) -> None:
    def dropping() -> None:
        one = raising.connect(*listener.getsockname())
        assert one
        raise KeyError("the one that counts")

    with pytest.warns(ResourceWarning), pytest.raises(KeyError, match="counts"):
        try:
            dropping()
        finally:
            gc.collect()


def test_a_warning_that_is_an_error_does_not_stop_the_closing(connect: Any) -> None:
    one, peer = connect()
    number = os.dup(one.getfd())
    one.close()
    two = raising.fromfd(number, "client")
    hooked: List[Any] = []
    before, sys.unraisablehook = sys.unraisablehook, hooked.append
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            del two
    finally:
        sys.unraisablehook = before
    assert [type(item.exc_value) for item in hooked] == [ResourceWarning]
    hooked.clear()
    assert peer.recv(1) == b""


# ---- Tuples


def test_every_tuple_has_its_length(listener: socket.socket) -> None:
    """Success and failure are unpacked in the same way."""
    address = listener.getsockname()
    three: List[Tuple[Callable[..., Any], Any]]
    with ExitStack() as stack:
        master = stack.enter_context(polysock.try_(polysock.tcp4()))
        client = stack.enter_context(polysock.try_(polysock.connect(*address)))
        server = stack.enter_context(polysock.try_(polysock.bind("127.0.0.1", 0)))
        peer = stack.enter_context(listener.accept()[0])
        peer.sendall(b"x" * 100)
        three = [
            (client.receive, (1,)),
            (client.receiveany, (1,)),
            (client.receiveuntil, (b"x",)),
            (client.receiveinto, (bytearray(1),)),
            (client.send, (b"x",)),
            (client.getsockname, ()),
            (client.getpeername, ()),
        ]
        two: List[Tuple[Callable[..., Any], Any]] = [
            (client.setoption, ("keepalive", True)),
            (client.getoption, ("keepalive",)),
            (client.getoption, ("error",)),
            (client.connect, address),
            (server.accept, ()),
            (master.bind, ("127.0.0.1", 0)),
        ]
        server.settimeout(0)
        for call, args in three:
            assert isinstance(call(*args), tuple) and len(call(*args)) == 3, call
        for call, args in two:
            assert isinstance(call(*args), tuple) and len(call(*args)) == 2, call
        assert len(client.getstats()) == 3 and len(client.gettimeout()) == 2
        for one in master, client, server:
            one.close()
        for call, args in three:
            assert call(*args)[:2] == (None, "closed") and len(call(*args)) == 3, call
        for call, args in [*two, (client.detach, ()), (master.listen, ())]:
            assert call(*args) == (None, "closed"), call
    for call in (polysock.dns.toip, polysock.dns.tohostname, polysock.dns.getnameinfo):
        assert len(call("127.0.0.1")) == 3 and len(call("no.such.invalid")) == 3
    assert len(polysock.dns.getaddrinfo("127.0.0.1")) == 2
    assert len(polysock.dns.gethostname()) == 2
    assert len(polysock.select(None, None, 0)) == 3
    assert polysock.connect("127.0.0.1", 1) == (None, "connection refused")
    assert polysock.fromfd(2**31 - 1, "client") == (None, "Bad file descriptor")


def test_bare_values(pair: Any) -> None:
    client, _ = pair
    assert client.settimeout(1) == client.setstats() == client.setdeadline() == 1
    assert client.shutdown() == client.close() == 1
    assert client.settimeout(1) == client.shutdown("send") == 1
    assert client.dirty() is False and client.pending() == 0
    assert client.getfamily() == "inet4" and client.getfd() == -1
    assert client.setfd(-1) is None and polysock.sleep(0) is None
    assert isinstance(polysock.gettime(), float)
    assert isinstance(polysock.monotime(), float)
    assert polysock.VERSION.startswith("polysock ") and polysock.SOCKETINVALID == -1
    assert isinstance(polysock.SETSIZE, int)


def test_types_of_values(pair: Any) -> None:
    client, _ = pair
    ip, port, family = client.getsockname()
    assert (type(ip), type(port), type(family)) == (str, int, str)
    received, sent, age = client.getstats()
    assert (type(received), type(sent), type(age)) == (int, int, float)
    assert client.getoption("keepalive") == (False, None)
    assert type(client.getoption("keepalive")[0]) is bool
    assert type(client.getoption("tcp-keepidle")[0]) is int
    assert type(client.getoption("tcp-user-timeout")[0]) is float
    linger = client.getoption("linger")[0]
    assert linger == {"on": False, "timeout": 0}
    assert type(linger["on"]) is bool and type(linger["timeout"]) is int
    assert client.setoption("linger", linger) == (1, None)
