# SPDX-License-Identifier: MIT
"""The exceptions: their hierarchy, what they carry, how they travel, and the ways between
tuples and exceptions."""

from __future__ import annotations

import copy
import errno
import pickle
import socket
import struct
import sys
from typing import Any, List

import polysock
import polysock.errors
import pytest
from conftest import Child
from polysock import (
    Closed,
    Error,
    Oversized,
    Refused,
    Timeout,
    Unresolved,
    newtry,
    protect,
    raising,
    try_,
)

KINDS = [
    value
    for value in vars(polysock.errors).values()
    if isinstance(value, type) and issubclass(value, Error)
]


def test_hierarchy() -> None:
    assert len(KINDS) == 10
    assert issubclass(Timeout, socket.timeout)
    assert issubclass(Refused, Error) and issubclass(Refused, ConnectionRefusedError)
    assert issubclass(Unresolved, Error) and issubclass(Unresolved, socket.gaierror)
    assert issubclass(Error, OSError)
    assert issubclass(Timeout, Error) and issubclass(Timeout, TimeoutError)
    assert issubclass(Closed, Error) and issubclass(Closed, ConnectionError)
    assert issubclass(Oversized, Error)
    assert not issubclass(Oversized, (TimeoutError, ConnectionError))
    assert raising.Error is Error and raising.Timeout is Timeout


def test_what_a_timeout_carries(connect: Any) -> None:
    client, peer = connect(raising)
    peer.sendall(b"par")
    client.settimeout(0.01)
    with pytest.raises(TimeoutError) as caught:
        client.receive("*l", b"a ")
    error = caught.value
    assert type(error) is Timeout
    assert (error.error, error.partial, error.errno) == (
        "timeout",
        b"a par",
        errno.ETIMEDOUT,
    )
    assert error.last is None and error.address is None
    assert str(error) == error.strerror == "timeout" and "timeout" in repr(error)


def test_what_a_send_carries(connect: Any) -> None:
    client, _ = connect(raising)
    client.settimeout(0)
    data = bytes(1 << 20)
    total = 0
    with pytest.raises(Timeout) as caught:
        while True:
            total += client.send(data)
    assert caught.value.partial is None and caught.value.last is not None
    assert 0 <= caught.value.last < len(data)
    assert client.getstats()[1] == total + caught.value.last


def test_what_a_close_carries(connect: Any) -> None:
    client, peer = connect(raising)
    peer.sendall(b"rest")
    peer.close()
    with pytest.raises(ConnectionError) as caught:
        client.receive(10)
    assert type(caught.value) is Closed
    assert (caught.value.partial, caught.value.errno) == (b"rest", None)
    client.close()
    with pytest.raises(Closed):
        client.send(b"x")
    with pytest.raises(Closed):
        client.getpeername()


def test_a_reset_is_closed_with_its_number(connect: Any) -> None:
    client, peer = connect(raising)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    with pytest.raises(ConnectionResetError) as caught:
        client.receive()
    assert isinstance(caught.value, Closed)
    assert caught.value.errno == errno.ECONNRESET and caught.value.error == "closed"


def test_a_send_to_nobody_is_a_broken_pipe(connect: Any) -> None:
    client, peer = connect(raising)
    peer.close()
    with pytest.raises((BrokenPipeError, ConnectionResetError)) as caught:
        while True:
            client.send(b"x" * 100000)
    assert isinstance(caught.value, Closed) and caught.value.last is not None
    assert caught.value.errno in (errno.EPIPE, errno.ECONNRESET)


def test_what_receiveinto_carries(connect: Any) -> None:
    client, peer = connect(raising)
    peer.sendall(b"abc")
    peer.close()
    buffer = bytearray(5)
    with pytest.raises(Closed) as caught:
        client.receiveinto(buffer)
    assert (caught.value.last, caught.value.partial) == (3, None)
    assert buffer == b"abc\0\0"


def test_oversized(connect: Any) -> None:
    client, peer = connect(raising)
    peer.sendall(b"0123456789\n")
    with pytest.raises(Oversized) as caught:
        client.receive("*l", b"", 4)
    assert caught.value.partial == b"0123"
    assert client.receive() == b"456789"


def test_other_failures_are_plain_errors_with_errno() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Error) as caught:
            raising.bind("127.0.0.1", port)
    assert type(caught.value) is Error and caught.value.errno == errno.EADDRINUSE
    assert caught.value.error == "address already in use" and caught.value.partial is None
    with pytest.raises(Error) as unknown:
        raising.fromfd(2**31 - 1, "client")
    assert unknown.value.errno == errno.EBADF
    with raising.tcp() as master, pytest.raises(Error) as undecided:
        master.getsockname()
    assert undecided.value.errno is None


def test_refused_names_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    where = f"127.0.0.1:{port}"
    with raising.tcp4() as master:
        for call in (
            lambda: raising.connect("127.0.0.1", port),
            lambda: raising.connect(port=float(port), address="127.0.0.1"),
            lambda: raising.connect4("127.0.0.1", str(port)),
            lambda: master.connect("127.0.0.1", port),
            lambda: master.setpeername(port=port, address="127.0.0.1"),
        ):
            with pytest.raises(ConnectionRefusedError) as caught:
                call()
            error: Any = caught.value
            assert type(error) is Refused and error.errno == errno.ECONNREFUSED
            assert str(error) == f"connection refused: {where}"
            assert (error.error, error.address) == ("connection refused", where)
    with pytest.raises(Error, match=r": \[::1\]:1$"):
        raising.connect("::1", 1)
    with pytest.raises(Error, match=r"^closed: 127.0.0.1:80$"):
        master.bind("127.0.0.1", 80)
    with pytest.raises(Closed, match=r"^closed$"):
        master.listen()


def test_names_that_are_not_found_are_a_class() -> None:
    for call in (
        lambda: raising.dns.toip("no.such.invalid"),
        lambda: raising.connect("no.such.invalid", 80),
        lambda: try_(polysock.dns.getaddrinfo("no.such.invalid")),
    ):
        with pytest.raises(socket.gaierror, match="^(host or|temporary)") as caught:
            call()
        assert type(caught.value) is Unresolved
        assert caught.value.errno in (socket.EAI_NONAME, socket.EAI_AGAIN)


def test_try_finds_the_number_of_words() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    with pytest.raises(Error) as caught:
        try_(polysock.bind(*address))
    assert caught.value.errno == errno.EADDRINUSE
    listener.close()
    with pytest.raises(Refused) as caught:
        try_(polysock.connect(*address))
    assert caught.value.errno == errno.ECONNREFUSED
    with pytest.raises(Error) as caught:
        try_(polysock.fromfd(2**31 - 1, "client"))
    assert caught.value.errno == errno.EBADF
    with pytest.raises(Timeout) as caught:
        try_((None, "timeout", b"part"))
    assert caught.value.errno == errno.ETIMEDOUT and caught.value.partial == b"part"
    with pytest.raises(Closed) as caught:
        try_((None, "closed", 5))
    assert caught.value.errno is None and caught.value.last == 5
    for other in (None, "text", 5.5, [5], object()):
        with pytest.raises(Closed) as caught:
            try_((None, "closed", other))
        assert caught.value.partial is None and caught.value.last is None
    with pytest.raises(Error) as caught:
        try_((None, "words of nobody"))
    assert caught.value.errno is None


def test_words_are_always_the_same_object(pair: Any) -> None:
    """They are not made again, so a timeout costs little."""
    pair[0].settimeout(0)
    assert pair[0].receive()[1] is sys.intern("timeout")


def test_words_that_cannot_be_looked_up() -> None:
    class Hostile(str):
        def __hash__(self) -> int:
            raise KeyError("hash")

    with pytest.raises(KeyError, match="hash"):
        polysock.try_((None, Hostile("words of nobody")))


def test_the_numbers_of_words_are_given_back() -> None:
    before = sys.getrefcount(errno.EBADF)
    for _ in range(500):
        assert polysock.fromfd(2**31 - 1, "client")[1] is not None
    assert abs(sys.getrefcount(errno.EBADF) - before) < 100


def test_numbers_do_not_depend_on_the_locale() -> None:
    """The words of the system may be another language's, or another encoding's."""
    script = """
    import errno, locale, os
    for name in ("de_DE.UTF-8", "de_DE", "fr_FR", "ja_JP.eucjp"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            pass  # it is not installed here
    for call in raising.fromfd, lambda *its: polysock.try_(polysock.fromfd(*its)):
        try:
            call(2**31 - 1, "client")
        except polysock.Error as error:
            say(error.errno == errno.EBADF, str(error) == os.strerror(errno.EBADF))
    """
    with Child(script) as child:
        assert child.hear() == child.hear() == "True True"
        child.end()


def test_an_address_with_a_colon_is_in_brackets() -> None:
    """Wherever the colon is, the port can be told from the rest."""
    for name in (":x", "x:", "::1"):
        with pytest.raises(polysock.Error) as caught:
            polysock.raising.connect(name, 1, timeout=0)
        assert caught.value.address == f"[{name}]:1"


@pytest.mark.parametrize("number", [None, errno.ECONNRESET, errno.ETIMEDOUT, errno.EPIPE])
@pytest.mark.parametrize("kind", KINDS)
def test_errors_can_be_pickled_and_copied(kind: Any, number: Any) -> None:
    error = kind("words", b"part", number, 7, "host:80")
    error.add = "more"

    def check(other: Any) -> None:
        assert type(other) is kind and other is not error and other.add == "more"
        assert (other.error, other.partial, other.errno) == ("words", b"part", number)
        assert (other.last, other.address) == (7, "host:80")
        assert str(other) == "words: host:80" and other.args == error.args

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        check(pickle.loads(pickle.dumps(error, protocol)))
    for other in copy.copy(error), copy.deepcopy(error):
        check(other)
    assert kind("words").partial is None and str(kind("words")) == "words"


def test_a_raised_error_can_be_pickled(connect: Any) -> None:
    client, peer = connect(raising)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    with pytest.raises(Closed) as caught:
        client.receive("*l", b"begun")
    other = pickle.loads(pickle.dumps(caught.value))
    assert type(other) is type(caught.value) and isinstance(other, ConnectionResetError)
    assert (other.errno, other.partial) == (errno.ECONNRESET, b"begun")


def test_a_raising_server_accepts_raising_objects() -> None:
    with raising.bind("127.0.0.1", 0) as server:
        port = server.getsockname()[1]
        server.settimeout(0)
        with pytest.raises(Timeout):
            server.accept()
        server.settimeout(5)
        with socket.create_connection(("127.0.0.1", port)), server.accept() as accepted:
            accepted.settimeout(0)
            with pytest.raises(Timeout):
                accepted.receive()
            assert accepted.setoption("keepalive", True) == 1
            assert accepted.getoption("keepalive") is True
            assert accepted.getsockname()[1] == port


def test_a_plain_server_accepts_plain_objects(server: Any) -> None:
    port = server.getsockname()[1]
    server.settimeout(5)
    with socket.create_connection(("127.0.0.1", port)):
        accepted, error = server.accept()
        with accepted:
            accepted.settimeout(0)
            assert error is None and accepted.receive() == (None, "timeout", b"")


def test_both_styles_have_the_same_functions() -> None:
    for name in raising.__all__:
        assert hasattr(raising, name)
    assert set(polysock.__all__) <= set(raising.__all__)
    for name in polysock.dns.__all__:
        assert callable(getattr(raising.dns, name))


def test_raising_select_and_names(connect: Any) -> None:
    client, peer = connect(raising)
    assert raising.select(None, [client], 5) == ([], [client])
    with pytest.raises(Timeout):
        raising.select([client], None, 0)
    assert raising.dns.toip("127.0.0.1")[0] == "127.0.0.1"
    assert raising.dns.getaddrinfo("127.0.0.1") == [
        {"family": "inet", "addr": "127.0.0.1"}
    ]
    assert isinstance(raising.dns.gethostname(), str)
    assert peer


# ---- try_, newtry, protect


def test_try_gives_values(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"line\n")
    assert try_(client.receive()) == b"line"
    assert try_(client.send(b"x")) == 1
    assert try_(client.getsockname())[2] == "inet"
    assert try_(client.getoption("error")) is None
    with try_(polysock.bind("127.0.0.1", 0)) as server:
        assert server.kind == "server"


def test_try_raises_failures(pair: Any) -> None:
    client, peer = pair
    client.settimeout(0)
    with pytest.raises(Timeout) as caught:
        try_(client.receive("*l", b"so far"))
    assert caught.value.partial == b"so far"
    peer.close()
    with pytest.raises(Refused, match="^connection refused$"):
        try_(polysock.connect("127.0.0.1", 1))
    with pytest.raises(Error, match="host or service"):
        try_(polysock.dns.toip("no.such.invalid"))
    client.close()
    with pytest.raises(Closed) as closed:
        try_(client.send(b"x", 1))
    assert closed.value.last == 0
    with pytest.raises(Closed):
        try_(client.getsockname())


@pytest.mark.parametrize("value", [None, 5, "text", b"data", [None, "timeout"], (), (1,)])
def test_try_of_no_result_is_misuse(value: Any) -> None:
    with pytest.raises(TypeError, match="bad argument #1 to 'try_'"):
        try_(value)


def test_newtry_calls_the_finalizer_first(pair: Any) -> None:
    calls: List[str] = []
    attempt = newtry(lambda: calls.append("finalized"))
    assert attempt((5, None)) == 5 and calls == []
    with pytest.raises(Timeout):
        attempt((None, "timeout", b""))
    assert calls == ["finalized"]
    closing = newtry(pair[0].close)
    with pytest.raises(Closed):
        closing((None, "closed"))
    assert pair[0].getfd() == -1


def test_the_exception_of_a_finalizer_counts() -> None:
    def broken() -> None:
        raise KeyError("finalizer")

    with pytest.raises(KeyError, match="finalizer"):
        newtry(broken)((None, "timeout"))


@pytest.mark.parametrize("value", [5, "text", object()])
def test_misuse_of_newtry_and_protect(value: Any) -> None:
    with pytest.raises(TypeError, match="bad argument #1 to 'newtry'"):
        newtry(value)
    with pytest.raises(TypeError, match="bad argument #1 to 'protect'"):
        protect(value)
    with pytest.raises(TypeError, match="bad argument #1 to 'protect'"):
        protect(None)  # type: ignore[arg-type]


def test_protect_turns_failures_back(pair: Any) -> None:
    client, _ = pair
    client.settimeout(0)

    @protect
    def receive(count: int, *, extra: bytes = b"") -> bytes:
        """Receives."""
        return bytes(try_(client.receive(count, extra)))

    assert receive(5) == (None, "timeout")
    assert receive(2, extra=b"ab") == (b"ab", None)
    assert receive.__name__ == "receive" and receive.__doc__ == "Receives."


def test_protect_lets_others_through() -> None:
    def other() -> None:
        raise OSError("not ours")

    with pytest.raises(OSError, match="not ours"):
        protect(other)()
    with pytest.raises(TimeoutError):
        protect(lambda: (_ for _ in ()).throw(TimeoutError()))()
    with pytest.raises(TypeError):
        protect(lambda: polysock.bind(5, 5))()
