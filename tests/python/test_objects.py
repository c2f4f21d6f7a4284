# SPDX-License-Identifier: MIT
"""What an object is to Python: with, iteration, text, identity, and the fixed length of
every tuple.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
import warnings
from contextlib import ExitStack
from typing import Any, Callable, List, Tuple

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


@pytest.mark.parametrize("module", [polysock, raising])
def test_iteration_over_what_is_closed_here_raises(connect: Any, module: Any) -> None:
    client, peer = connect(module)
    peer.sendall(b"a\nb\nc\n")
    seen = []
    with pytest.raises(polysock.Closed) as caught:
        for line in client:
            seen.append(line)
            client.close()
    assert seen == [b"a"] and type(caught.value) is polysock.Closed
    assert caught.value.errno is None
    for again in (iter(client), client.lines("*L"), client.lines(4)):
        with pytest.raises(polysock.Closed):
            next(again)


@pytest.mark.parametrize("module", [polysock, raising])
@pytest.mark.parametrize("pattern", ["*l", "*L", 8, "*a"])
def test_iteration_tells_a_reset_from_an_end(
    connect: Any, module: Any, pattern: Any
) -> None:
    """Half a piece is given at an end, and not when the connection broke."""
    for reset in (True, False):
        client, peer = connect(module)
        peer.sendall(b"half a p")
        client.settimeout(10)
        lines = client.lines(pattern)
        if pattern == 8:
            assert next(lines) == b"half a p"
            peer.sendall(b"half")
        if reset:
            polysock.select([client], None, 10)
            linger = struct.pack("ii", 1, 0)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        peer.close()
        if reset:
            with pytest.raises(ConnectionResetError) as caught:
                next(lines)
            assert isinstance(caught.value, polysock.Closed)
            assert caught.value.errno == errno.ECONNRESET
        else:
            assert next(lines) == (b"half" if pattern == 8 else b"half a p")
            with pytest.raises(StopIteration):
                next(lines)


def test_the_iterator_is_no_class_to_call(pair: Any) -> None:
    lines = pair[0].lines()
    assert iter(lines) is lines
    with pytest.raises(TypeError):
        type(lines)()


# ---- Text and identity


@pytest.mark.parametrize("module", [polysock, raising])
def test_kind_and_texts_follow_the_object(listener: socket.socket, module: Any) -> None:
    host, port = listener.getsockname()
    name = "polysock.Socket" if module is polysock else "polysock.RaisingSocket"

    def made(result: Any) -> Any:
        return result if module is raising else polysock.try_(result)

    with made(module.tcp()) as one:
        assert one.kind == "master"
        assert repr(one) == str(one) == f"<{name} master>"
        one.connect(host, port)
        assert one.kind == "client"
        local = ":".join(map(str, one.getsockname()[:2]))
        assert (
            repr(one)
            == str(one)
            == (f"<{name} client fd={one.getfd()} local={local} peer={host}:{port}>")
        )
    assert repr(one) == str(one) == f"<{name} client closed>"
    with made(module.bind(host, 0)) as server:
        port = server.getsockname()[1]
        assert server.kind == "server"
        number = server.getfd()
        assert repr(server) == f"<{name} server fd={number} local={host}:{port}>"
    with pytest.raises(AttributeError):
        one.kind = "server"
    with pytest.raises(AttributeError):
        del one.kind
    six, error = polysock.bind("::1", 0)
    if six is not None:
        with six:
            assert f"local=[::1]:{six.getsockname()[1]}>" in repr(six)


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


@pytest.mark.parametrize("make", ["bind", "poller"])
def test_a_warning_of_one_that_is_unclosed(make: str, monkeypatch: Any) -> None:
    """It is about the line that dropped it, and only as an error it is unraisable."""
    lost: List[Any] = []

    def hook(its: Any) -> None:
        lost.append((its.exc_type, type(its.object)))

    monkeypatch.setattr(sys, "unraisablehook", hook)
    arguments = ("127.0.0.1", 0) if make == "bind" else ()
    with pytest.warns(ResourceWarning, match="^unclosed <polysock") as seen:
        getattr(polysock, make)(*arguments)
    assert [its.filename for its in seen] == [__file__] and lost == []
    kind = polysock.Socket if make == "bind" else polysock.Poller
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(polysock, make)(*arguments)
    assert lost.pop() == (ResourceWarning, kind) and lost == []

    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("broken")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", broken)
        getattr(polysock, make)(*arguments)
    assert lost == [(KeyError, type(None))]
