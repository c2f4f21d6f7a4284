# SPDX-License-Identifier: MIT
"""Misuse in Python's own types: every parameter of every function and method, with values
that only Python has. Each must raise before anything is done, and name the parameter.
"""

from __future__ import annotations

import decimal
import fractions
import re
import sys
from array import array
from typing import Any, Callable, Dict, List, Tuple

import polysock
import pytest
from polysock import raising


class Hostile:
    """Converts to nothing: its own exceptions have to come through."""

    def __index__(self) -> int:
        raise RuntimeError("index")

    def __float__(self) -> float:
        raise RuntimeError("float")

    def __iter__(self) -> Any:
        raise RuntimeError("iter")


def released() -> memoryview:
    view = memoryview(bytearray(8))
    view.release()
    return view


HUGE = 10**30
NAN = float("nan")

# For each type of argument: values of the wrong type, and values that are wrong.
WRONG: Dict[str, Tuple[List[Any], List[Any]]] = {
    "name": (
        [None, 5, 5.5, True, b"127.0.0.1", bytearray(b"x"), [], object()],
        ["a\0b", "\0", "\udc80", "x\ud800"],
    ),
    "optional name": ([5, 5.5, True, b"127.0.0.1", []], ["a\0b", "\udc80"]),
    "port": (
        [None, 80.5, True, b"80", [], object(), decimal.Decimal(80), NAN],
        [-1, 65536, HUGE, -HUGE, "65536", "9" * 40, "8\x000", "\udc80"],
    ),
    "backlog": ([5.5, "5", True, b"5", []], []),
    "timeout": (["1", b"1", [], True, 1j, object()], [NAN]),
    "seconds": ([None, "1", b"1", [], True, 1j], [NAN]),
    "descriptor": ([None, 1.5, "1", True, b"1", []], [-2, HUGE, -HUGE, 2**31]),
    "mode": ([5, b"b", True, []], ["", "x", "b\0", "\udc80", "B"]),
    "pattern": (
        [2.5, float("inf"), b"*l", True, [], object(), NAN],
        [-1, HUGE, -HUGE, "", "*", "*x", "ll"] + ["l\0", "\udc80", "*\udc80"],
    ),
    "data": (
        [
            None,
            "text",
            5,
            5.5,
            True,
            [b"x"],
            object(),
            memoryview(bytes(8))[::2],
            released(),
        ],
        [],
    ),
    "prefix": (["text", 5, True, [b"x"], memoryview(bytes(8))[::2], released()], []),
    "maxsize": ([5.5, "5", True, b"5", []], [0, -1, -HUGE]),
    "index": ([1.5, "1", True, b"1", []], []),
    "total": ([1.5, "1", True, []], [-1, -HUGE]),
    "age": (["1", b"1", True, []], [NAN]),
    "room": (
        [None, "text", b"constant", 5, True, memoryview(b"constant"), released()]
        + [memoryview(bytearray(8))[::2]],
        [],
    ),
    "sockets": ([5, 5.5, True, object()], []),
    "option": (
        [None, 5, True, b"keepalive", []],
        ["", "nope", "KEEPALIVE", "k\0", "\udc80"],
    ),
    "kind": ([5, True, b"client", []], ["", "CLIENT", "client\0", "\udc80", "any"]),
}

ADDRESS = "127.0.0.1"
Signature = List[Tuple[str, str, Any]]  # name, type in WRONG, a good value

REMOTE: Signature = [("address", "name", ADDRESS), ("port", "port", 1)]
LOCAL: Signature = [
    *REMOTE,
    ("locaddr", "optional name", ADDRESS),
    ("locport", "port", 0),
]
LIMIT = ("timeout", "timeout", 5)
TAKEN: Signature = [("prefix", "prefix", b""), ("maxsize", "maxsize", 100)]

FUNCTIONS: Dict[str, Signature] = {
    "bind": [*REMOTE, ("backlog", "backlog", 5)],
    "connect": [*LOCAL, ("family", "mode", "inet"), LIMIT],
    "connect4": [*LOCAL, LIMIT],
    "connect6": [*LOCAL, LIMIT],
    "fromfd": [("fd", "descriptor", 0), ("kind", "kind", "client")],
    "select": [
        ("recvt", "sockets", []),
        ("sendt", "sockets", []),
        ("timeout", "timeout", 0),
    ],
    "sleep": [("seconds", "seconds", 0)],
    "dns.toip": [("address", "name", ADDRESS), LIMIT],
    "dns.tohostname": [("address", "name", ADDRESS), LIMIT],
    "dns.getaddrinfo": [("address", "name", ADDRESS), LIMIT],
    "dns.getnameinfo": [
        ("address", "optional name", ADDRESS),
        ("service", "optional name", "80"),
        LIMIT,
    ],
}

MASTER: Dict[str, Signature] = {
    "bind": REMOTE,
    "setsockname": REMOTE,
    "connect": REMOTE,
    "setpeername": REMOTE,
    "listen": [("backlog", "backlog", 5)],
}

CLIENT: Dict[str, Signature] = {
    "receive": [("pattern", "pattern", 1), *TAKEN],
    "receiveany": [("max", "maxsize", 5)],
    "receiveuntil": [("delimiter", "data", b"x"), *TAKEN],
    "receiveinto": [("buffer", "room", bytearray(8)), ("nbytes", "total", 4)],
    "lines": [("pattern", "pattern", "*l"), ("maxsize", "maxsize", 100)],
    "send": [("data", "data", b"x"), ("i", "index", 1), ("j", "index", 1)],
    "shutdown": [("mode", "mode", "both")],
    "setstats": [
        ("received", "total", 0),
        ("sent", "total", 0),
        ("age", "age", 0),
    ],
    "settimeout": [("value", "timeout", 1), ("mode", "mode", "b")],
    "setdeadline": [("seconds", "timeout", 1)],
    "setoption": [("option", "option", "keepalive"), ("value", "any", True)],
    "getoption": [("option", "option", "keepalive")],
    "setfd": [("fd", "descriptor", -1)],
}


def find(module: Any, dotted: str) -> Callable[..., Any]:
    for part in dotted.split("."):
        module = getattr(module, part)
    return module  # type: ignore[no-any-return]


def cases(table: Dict[str, Signature]) -> List[Any]:
    found = []
    for name, signature in table.items():
        for index, (parameter, kind, _) in enumerate(signature):
            if kind == "any":  # test_option_types
                continue
            good = [value for _, _, value in signature]
            if parameter == "locport":
                kind = "local port"
            found.append(
                pytest.param(name, index, parameter, kind, good, id=f"{name}-{parameter}")
            )
    return found


def wrong(kind: str, name: str, parameter: str) -> Tuple[List[Any], List[Any]]:
    if kind == "local port":  # it may be absent
        types, values = WRONG["port"]
        return [value for value in types if value is not None], values
    types, values = WRONG[kind]
    if parameter == "delimiter":
        return types, [*values, b""]
    if name.endswith("bind") or name == "setsockname":
        return types, values
    return types, [*values, 0, "0"] if kind == "port" else values


def check(
    call: Callable[..., Any],
    name: str,
    at: int,
    parameter: str,
    kind: str,
    good: List[Any],
) -> None:
    word = name.rpartition(".")[2]
    place = re.escape(f"bad argument #{at + 1} to '{word}' ({parameter}: ")
    if parameter == "option":
        place = f"{place}|" + re.escape(
            f"bad argument #1 to '{word}' (unsupported option '"
        )
    types, values = wrong(kind, name, parameter)
    for value in types:
        with pytest.raises(TypeError, match=f"^({place})") as caught:
            call(*good[:at], value, *good[at + 1 :])
        assert type(caught.value) is TypeError, (value, caught.value)
        assert caught.value.__cause__ is None and caught.value.__context__ is None
    for value in values:
        with pytest.raises(ValueError, match=f"^({place})") as raised:
            call(*good[:at], value, *good[at + 1 :])
        assert type(raised.value) is ValueError, (value, raised.value)


@pytest.mark.parametrize("module", [polysock, raising], ids=["tuples", "raising"])
@pytest.mark.parametrize(("name", "at", "parameter", "kind", "good"), cases(FUNCTIONS))
def test_functions(
    module: Any, name: str, at: int, parameter: str, kind: str, good: List[Any]
) -> None:
    check(find(module, name), name, at, parameter, kind, good)


@pytest.mark.parametrize("module", [polysock, raising], ids=["tuples", "raising"])
@pytest.mark.parametrize(("name", "at", "parameter", "kind", "good"), cases(MASTER))
def test_masters(
    module: Any, name: str, at: int, parameter: str, kind: str, good: List[Any]
) -> None:
    made = module.tcp4()
    with made if module is raising else made[0] as master:
        check(getattr(master, name), name, at, parameter, kind, good)
        assert master.kind == "master" and master.getsockname()[1] == 0


@pytest.mark.parametrize("module", [polysock, raising], ids=["tuples", "raising"])
@pytest.mark.parametrize(("name", "at", "parameter", "kind", "good"), cases(CLIENT))
def test_clients(
    connect: Any,
    module: Any,
    name: str,
    at: int,
    parameter: str,
    kind: str,
    good: List[Any],
) -> None:
    client, peer = connect(module)
    before = (
        client.getstats()[:2],
        client.gettimeout(),
        client.getdeadline(),
        client.getfd(),
    )
    check(getattr(client, name), name, at, parameter, kind, good)
    after = (
        client.getstats()[:2],
        client.gettimeout(),
        client.getdeadline(),
        client.getfd(),
    )
    assert before == after, "misuse has changed the object"
    client.settimeout(5)
    peer.sendall(b"still here\n")
    assert b"still here" in client.receive() or client.receive("*l")[0] == b"still here"


OPTIONS: List[Tuple[str, List[Any]]] = [
    ("keepalive", [1, 0, "on", None, 1.0, {}, b"", object()]),
    ("tcp-keepidle", [True, 5.5, "5", None, {}, b"", float("inf")]),
    ("tcp-user-timeout", [True, "5", None, {}, b""]),
    ("bindtodevice", [True, 5, None, {}, b"lo"]),
    (
        "linger",
        [True, 5, "on", None, {}, {"on": 1, "timeout": 1}, {"on": True}, [True, 1]],
    ),
    (
        "linger",
        [{"timeout": 1}, {"on": True, "timeout": "1"}, {"on": True, "timeout": True}],
    ),
]


@pytest.mark.parametrize(("option", "values"), OPTIONS)
def test_option_types(pair: Any, option: str, values: List[Any]) -> None:
    for value in values:
        with pytest.raises(TypeError, match=r"^bad argument #2 to 'setoption' \(value: "):
            pair[0].setoption(option, value)


def test_a_linger_that_is_none_is_told_what_one_is(pair: Any) -> None:
    place = r"\(value: 'on' \(boolean\) and 'timeout' \(seconds\) expected\)$"
    for timeout in ("1", True, None, [1]):
        with pytest.raises(TypeError, match=place):
            pair[0].setoption("linger", {"on": True, "timeout": timeout})


def test_the_names_in_a_linger_are_given_back(pair: Any) -> None:
    names = [sys.intern("on"), sys.intern("timeout")]
    before = list(map(sys.getrefcount, names))
    for _ in range(200):
        assert pair[0].setoption("linger", {"on": False, "timeout": 0}) == (1, None)
    for name, was in zip(names, before):
        assert abs(sys.getrefcount(name) - was) < 100


def test_option_values(pair: Any) -> None:
    place = r"^bad argument #2 to 'setoption' \(value: "
    for option, value in [
        ("tcp-user-timeout", NAN),
        ("bindtodevice", "a\0b"),
        ("bindtodevice", "\ud800"),
        ("bindtodevice", "x" * 5000),
    ]:
        with pytest.raises(ValueError, match=place):
            pair[0].setoption(option, value)
    for value in HUGE, -HUGE:
        value_, error = pair[0].setoption("tcp-keepidle", value)
        assert value_ is None and error == "Invalid argument"


def test_linger_takes_numbers(pair: Any) -> None:
    for timeout, read in (0, 0), (2.5, 3), (HUGE, 2**31 - 1), (float("inf"), 2**31 - 1):
        given, error = pair[0].setoption("linger", {"on": True, "timeout": timeout})
        if error is None:
            assert pair[0].getoption("linger")[0]["timeout"] <= read


@pytest.mark.parametrize(
    "name", ["close", "accept", "getfd", "getstats", "pending", "dirty"]
)
def test_too_many_arguments(server: Any, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        getattr(server, name)(1)


class Sized:
    """An index that is code."""

    def __index__(self) -> int:
        return 5


def test_code_of_a_later_argument_meets_no_exception(pair: Any) -> None:
    """A pattern of no UTF-8 is misuse, but only once the other arguments are there."""
    client, _ = pair
    with pytest.raises(ValueError, match="pattern"):
        client.receive("\ud800", b"", Sized())


@pytest.mark.parametrize(("name", "signature"), [*FUNCTIONS.items()])
def test_wrong_number_of_arguments(name: str, signature: Signature) -> None:
    call = find(polysock, name)
    with pytest.raises(TypeError):
        call(*[value for _, _, value in signature], None)
    with pytest.raises(TypeError):
        call(nonsense=1)


def test_required_arguments_that_are_missing(pair: Any) -> None:
    for call, number, name in [
        (polysock.connect, 1, "connect"),
        (polysock.bind, 1, "bind"),
        (lambda: polysock.bind(ADDRESS), 2, "bind"),
        (lambda: polysock.connect(ADDRESS), 2, "connect"),
        (lambda: polysock.connect(address=ADDRESS), 2, "connect"),
        (lambda: polysock.bind(backlog=5, address=ADDRESS), 2, "bind"),
        (lambda: polysock.fromfd(5), 2, "fromfd"),
        (pair[0].send, 1, "send"),
    ]:
        with pytest.raises(TypeError, match=f"^bad argument #{number} to '{name}' "):
            call()  # type: ignore[operator]


def test_exceptions_of_arguments_come_through(pair: Any, server: Any) -> None:
    client = pair[0]
    calls: List[Callable[[], Any]] = [
        lambda: client.receive(Hostile()),
        lambda: client.receive("*l", None, Hostile()),
        lambda: client.send(b"x", Hostile()),
        lambda: client.settimeout(Hostile()),
        lambda: client.setoption("tcp-keepidle", Hostile()),
        lambda: client.setoption("linger", {"on": True, "timeout": Hostile()}),
        lambda: polysock.bind(ADDRESS, Hostile()),
        lambda: polysock.sleep(Hostile()),
        lambda: polysock.select(Hostile(), None, 0),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match="index|float|iter"):
            call()


class Whole:
    """An integer as numpy has them."""

    def __index__(self) -> int:
        return 3


def test_integers_of_other_types_are_taken(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"abcdef")
    assert client.receive(Whole()) == (b"abc", None, None)
    assert client.send(b"xyz", Whole()) == (3, None, None)
    assert client.settimeout(decimal.Decimal("0.5")) == 1
    assert client.gettimeout()[0] == 0.5


def test_backlogs_of_any_size() -> None:
    for backlog in (-1, 0, HUGE, -HUGE, 2**31):
        with raising.bind(ADDRESS, 0, backlog) as server:
            assert server.kind == "server"
        with raising.tcp4() as master:
            assert master.bind(ADDRESS, 0) == master.listen(backlog) == 1


def test_huge_numbers_are_no_misuse_where_they_mean_something(pair: Any) -> None:
    client, peer = pair
    assert client.settimeout(10**400) == 1 and client.gettimeout()[0] == float("inf")
    assert client.settimeout(-(10**400)) == 1 and client.gettimeout()[0] < 0
    assert client.send(b"abc", -HUGE, HUGE) == (3, None, None)
    assert client.send(b"abc", HUGE)[1] is None
    assert client.setdeadline(10**400) == 1 and client.getdeadline() is None
    assert client.setdeadline(-(10**400)) == 1 and client.getdeadline() == 0.0
    assert client.setdeadline(None) == 1
    peer.close()
    assert client.receive("*l", b"", HUGE) == (None, "closed", b"")


def test_numbers_that_no_float_holds(pair: Any) -> None:
    client, _ = pair
    huge = fractions.Fraction(10**400)
    assert client.setdeadline(huge) == 1 and client.getdeadline() is None
    assert client.setdeadline(-huge) == 1 and client.getdeadline() == 0.0

    class Beyond:
        def __float__(self) -> float:
            raise OverflowError

        def __lt__(self, other: int) -> bool:
            raise RuntimeError(f"compared with {other:d}")

    with pytest.raises(RuntimeError, match="^compared with 0$"):
        client.settimeout(Beyond())


def test_keywords_are_checked_alike(pair: Any) -> None:
    client, peer = pair
    peer.sendall(b"a line\n")
    assert client.receive(maxsize=100, pattern="*l", prefix=b"") == (
        b"a line",
        None,
        None,
    )
    place = r"^bad argument #3 to 'receive' \(maxsize: integer from 1 expected\)"
    for maxsize in (0, -1, -HUGE):
        with pytest.raises(ValueError, match=place):
            client.receive(maxsize=maxsize)
    with pytest.raises(TypeError, match=r"^bad argument #1 to 'connect' \(address: "):
        polysock.connect(port=80)
    with pytest.raises(TypeError, match=r"^receive\(\) got multiple .* 'pattern'"):
        client.receive("*l", pattern="*l")
    with pytest.raises(TypeError, match=r"^toip\(\) got an unexpected .* 'host'"):
        polysock.dns.toip(host="localhost")
    with pytest.raises(TypeError, match=r"^setfd\(\) got an unexpected .* 'x\udc80'"):
        client.setfd(**{"x\udc80": 1})
    with pytest.raises(TypeError):
        client.close(fd=1)


def test_a_mode_that_is_no_text_is_told_the_texts(pair: Any, server: Any) -> None:
    client, _ = pair
    with pytest.raises(TypeError, match=r"\(mode: 'both', 'send' or 'receive' expected"):
        client.shutdown(1)  # as socket.SHUT_WR is
    with pytest.raises(
        TypeError, match=r"^bad argument #2 .*\(mode: 'b' or 't' expected"
    ):
        client.settimeout(1, 2)
    for call in (polysock.connect, raising.connect):
        with pytest.raises(TypeError, match=r"\(family: 'inet', 'inet6' or 'unspec' exp"):
            call("127.0.0.1", 80, family=2)


def test_bytes_like_objects(pair: Any) -> None:
    client, peer = pair
    for data in (
        b"bytes",
        bytearray(b"array"),
        memoryview(b"views"),
        memoryview(b"_view_")[1:5],
        array("H", [1, 2, 3]),
        memoryview(array("d", [1.5])),
    ):
        raw = bytes(memoryview(data).cast("B"))
        assert client.send(data) == (len(raw), None, None)
        assert peer.recv(100) == raw
    client.settimeout(0)
    assert client.receive(5, bytearray(b"pre"))[2] == b"pre"
    assert client.receiveuntil(array("B", [10]), memoryview(b"pre"))[2] == b"pre"


def test_what_is_thrown_into_a_piece_is_an_exception() -> None:
    with raising.bind("127.0.0.1", 0) as server:
        client = raising.connect(*server.getsockname()[:2])
        with client, server.accept() as peer:
            pieces = polysock._core._pieces(client.lines(), lambda: iter(()))
            piece = pieces.__anext__()
            for wrong in [5, None, object(), int, "RuntimeError"]:
                with pytest.raises(TypeError, match="throw"):
                    piece.throw(wrong)
            peer.send(b"line\n")
            with pytest.raises(StopIteration) as done:
                piece.send(None)
            assert done.value.value == b"line"
            for right in [KeyError, KeyError("key")]:
                with pytest.raises(KeyError):
                    pieces.__anext__().throw(right)


def test_what_is_thrown_into_a_piece_that_waits(connect: Any) -> None:
    """It goes to the generator, which may go on, or end the piece."""
    client, peer = connect(raising)
    core: Any = polysock._core
    core._mark(client, 256)  # somebody else receives: it has to wait

    def wait() -> Any:
        try:
            yield "first"
        except KeyError:
            yield "second"
        return "end"

    def done(piece: Any) -> bool:
        with pytest.raises(RuntimeError, match="^cannot reuse already awaited piece$"):
            piece.send(None)
        return True

    pieces = core._pieces(client.lines(), wait)
    piece = pieces.__anext__()
    assert piece.send(None) == "first"
    assert piece.throw(KeyError("goes on")) == "second"
    with pytest.raises(StopIteration) as end:
        piece.send(None)
    assert end.value.value == "end" and done(piece)
    piece = pieces.__anext__()
    assert piece.send(None) == "first"
    with pytest.raises(IndexError, match="ends it"):
        piece.throw(IndexError("ends it"))
    assert done(piece)

    def fails() -> Any:
        raise KeyError("at once")

    piece = core._pieces(client.lines(), fails).__anext__()
    with pytest.raises(KeyError, match="at once"):
        piece.send(None)
    assert done(piece)


def test_a_piece_at_the_end_of_the_stream(connect: Any) -> None:
    """The end is known without waiting, and stays known."""
    client, peer = connect(raising)
    pieces = polysock._core._pieces(client.lines(), iter)  # type: ignore[attr-defined]
    peer.sendall(b"last\n")
    peer.close()
    with pytest.raises(StopIteration) as last:
        pieces.__anext__().send(None)
    assert last.value.value == b"last"
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            pieces.__anext__().send(None)


def test_a_piece_that_is_used_before_it_waits(connect: Any) -> None:
    """It does not wait twice, and whoever asked for that is told so."""
    client, _ = connect(raising)
    core: Any = polysock._core
    core._mark(client, 256)
    reuse = "^cannot reuse already awaited piece$"

    def piece_of(meanwhile: Any) -> Any:
        made: List[Any] = []

        def wait() -> Any:
            if len(made) == 1:
                made.append("begun")
                meanwhile(made[0])
            return (word for word in ["it waits"])

        made.append(core._pieces(client.lines(), wait).__anext__())
        return made[0]

    def closes_and_fails(piece: Any) -> None:
        piece.close()
        raise KeyError("its own")

    def awaits(piece: Any) -> None:
        assert piece.send(None) == "it waits"

    for meanwhile in (lambda piece: piece.close(), awaits):
        piece = piece_of(meanwhile)
        for _ in range(2):
            with pytest.raises(RuntimeError, match=reuse):
                piece.send(None)
    piece = piece_of(closes_and_fails)
    with pytest.raises(KeyError, match="its own"):
        piece.send(None)
    with pytest.raises(RuntimeError, match=reuse):
        piece.send(None)


def test_marks(connect: Any) -> None:
    """A time that is over is None under any of them; 256 alone says that it is in use."""
    client, peer = connect(raising)
    core: Any = polysock._core
    pieces = core._pieces(client.lines(), lambda: (word for word in ["it waits"]))
    client.settimeout(0)
    for bits in (1, 3):
        core._mark(client, bits)
        assert client.receive() is None and next(client) is None
        peer.sendall(b"line\n")
        polysock.select([client], None, 5)
        with pytest.raises(StopIteration) as piece:
            pieces.__anext__().send(None)
        assert piece.value.value == b"line"
    core._mark(client, 256)
    peer.sendall(b"line\n")
    polysock.select([client], None, 5)
    assert pieces.__anext__().send(None) == "it waits"
    core._mark(client, 0)
    assert client.receive() == b"line"
    with pytest.raises(polysock.Timeout):
        client.receive()
    with raising.bind("127.0.0.1", 0) as server:
        server.settimeout(0)
        with pytest.raises(polysock.Timeout):
            server.accept()
        core._mark(server, 1)
        assert server.accept() is None


def test_what_aio_asks_for_is_checked(pair: Any) -> None:
    client, _ = pair
    core = polysock._core
    for wrong in [(), (client.lines(),), (client, iter), (5, iter)]:
        with pytest.raises(TypeError, match=r"^_pieces\(\) takes an iterator and a fun"):
            core._pieces(*wrong)
    for wrong in [(), (client,), (client, 1), (5, 1)]:
        with pytest.raises(TypeError, match=r"^_mark\(\) takes a RaisingSocket and an"):
            core._mark(*wrong)
    piece = core._pieces(client.lines(), iter).__anext__()
    with pytest.raises(TypeError, match="throw expected at least 1 argument"):
        piece.throw()
    with pytest.raises(TypeError, match="throw expected at most 3 arguments"):
        piece.throw(KeyError, None, None, None)


def test_a_mark_is_an_integer(connect: Any) -> None:
    client, _ = connect(raising)
    core: Any = polysock._core
    with pytest.raises(TypeError):
        core._mark(client, "1")
    with pytest.raises(OverflowError):
        core._mark(client, 10**30)
    core._mark(client, -1)
    core._mark(client, 0)


@pytest.mark.parametrize("wrong", [b"", b"x", bytearray(), bytearray(b"x"), "", "x"])
def test_bytes_and_texts_are_no_sets(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"\(recvt: set of sockets expected\)"):
        polysock.select(wrong, None, 0)
