# SPDX-License-Identifier: MIT
"""The classes: what they offer, what they refuse, how their objects are collected."""

from __future__ import annotations

import ast
import contextlib
import copy
import gc
import operator
import os
import pickle
import socket
import sys
import warnings
import weakref
from pathlib import Path
from typing import Any, Callable, List, Set
from unittest.mock import MagicMock

import polysock
import pytest
from conftest import descriptors
from polysock import raising

FAMILIES = ("Socket", "Poller")

# ---- The classes


def test_the_classes_say_where_they_are_from() -> None:
    for name in (before + its for its in FAMILIES for before in ("Base", "", "Raising")):
        one = getattr(polysock, name)
        assert (one.__module__, one.__qualname__) == ("polysock", name)
        assert pickle.loads(pickle.dumps(one)) is one


def test_the_styles_are_classes(connect: Any) -> None:
    plain, loud = connect(polysock)[0], connect(raising)[0]
    assert type(plain) is polysock.Socket and type(loud) is raising.Socket
    assert raising.Socket is polysock.RaisingSocket is not polysock.Socket
    assert not isinstance(plain, raising.Socket)
    assert not isinstance(loud, polysock.Socket)
    assert isinstance(plain, polysock.BaseSocket)
    assert isinstance(loud, polysock.BaseSocket)
    with raising.bind("127.0.0.1", 0) as server, raising.tcp() as master:
        assert type(server) is type(master) is raising.Socket
        master.connect(*server.getsockname()[:2])
        with server.accept() as accepted:
            assert type(accepted) is raising.Socket
    fd = os.dup(plain.getfd())
    with raising.fromfd(fd, "client") as adopted:
        assert type(adopted) is raising.Socket


def interface_of(*names: str) -> Set[str]:
    """Returns what the stub, which is the interface, says that classes have."""
    stub = Path(__file__).resolve().parents[2] / "python" / "polysock" / "_core.pyi"
    found: Set[str] = set()
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name in names:
            found |= {its.name for its in node.body if isinstance(its, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("style", ["", "Raising"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_surface_is_the_interface(family: str, style: str, connect: Any) -> None:
    surface = set(dir(getattr(polysock, style + family))) - set(dir(object))
    expected = interface_of("Base" + family, style + family) - set(dir(object))
    assert surface == expected | {"__dict__", "__module__", "__del__"}
    assert set(dir(connect()[0])) == set(dir(polysock.Socket))
    lines = set(dir(type(connect()[0].lines()))) - set(dir(object))
    assert lines == {"__iter__", "__next__", "__module__"}


def test_objects_are_no_numbers(pair: Any) -> None:
    client, _ = pair
    for call in (int, float, hex, operator.index, len):
        with pytest.raises(TypeError):
            call(client)
    with pytest.raises(TypeError, match="port: integer, digits"):
        polysock.connect("127.0.0.1", client)


# ---- Things that only the module may make


class Sub(polysock.Socket):
    """A subclass of a program."""

    def first(self) -> Any:
        return self.receive("*L")


@pytest.mark.parametrize(
    "kind", [polysock.BaseSocket, polysock.Socket, polysock.RaisingSocket, Sub]
)
def test_classes_cannot_be_called(kind: Any, pair: Any) -> None:
    for make in (kind, lambda: kind.__new__(kind), lambda: object.__new__(kind)):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        type(pair[0].lines())()


def test_the_class_of_an_object_may_become_a_subclass(pair: Any) -> None:
    client, peer = pair
    client.__class__ = Sub
    peer.sendall(b"line\n")
    assert client.first() == (b"line\n", None, None)
    assert polysock.select([client], None, 0)[2] == "timeout"


@pytest.mark.parametrize("module", [polysock, raising])
def test_objects_cannot_be_pickled_or_copied(connect: Any, module: Any) -> None:
    client, _ = connect(module)
    calls = [lambda n=n: pickle.dumps(client, n) for n in range(6)]
    calls += [lambda: copy.copy(client), lambda: copy.deepcopy(client)]
    calls += [client.__reduce__, lambda: client.__reduce_ex__(0)]
    for call in calls:
        with pytest.raises(TypeError, match="cannot pickle or copy .*Socket.* object"):
            call()
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(client.lines())


def test_methods_of_other_objects() -> None:
    with pytest.raises(TypeError):
        polysock.Socket.receive(5)
    with pytest.raises(TypeError):
        polysock.Socket.receive(MagicMock())
    with pytest.raises(TypeError):
        polysock.Socket.close()


def test_weak_references(connect: Any) -> None:
    client, _ = connect()
    fd = os.dup(client.getfd())
    one = raising.fromfd(fd, "client")
    died: List[Any] = []
    weak = weakref.ref(one, died.append)
    keys = weakref.WeakKeyDictionary({one: "here"})
    assert weak() is one and keys[one] == "here"
    one.close()
    del one
    assert weak() is None and died == [weak] and len(keys) == 0


def test_objects_take_new_attributes(pair: Any) -> None:
    client, _ = pair
    client.name = "one"
    assert client.name == "one"
    assert vars(client) == {"name": "one"}
    del client.name
    place = "'polysock.Socket' object has no attribute 'name'"
    with pytest.raises(AttributeError, match=place):
        client.name  # noqa: B018
    with pytest.raises(AttributeError, match="name"):
        del client.name
    client.__dict__ = {"other": 1}
    assert client.other == 1
    with pytest.raises(TypeError):
        client.__dict__ = 5


# ---- Collection


def test_an_open_object_is_warned_about_and_closed(connect: Any) -> None:
    client, peer = connect()
    number = client.getfd()
    spare, error = polysock.fromfd(os.dup(number), "client")
    assert error is None
    client.close()
    with pytest.warns(ResourceWarning, match=r"^unclosed <.* client fd="):
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


def test_garbage_collection_while_an_exception_is_created(
    listener: socket.socket,
) -> None:
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


@pytest.mark.parametrize("make", [lambda: raising.bind("127.0.0.1", 0), raising.poller])
def test_one_that_its_warning_keeps_is_closed(make: Callable[[], Any]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make()
    kept = [its.source for its in caught]
    assert [its.category for its in caught] == [ResourceWarning]
    assert "closed" in repr(kept[0]) and kept[0].getfd() == -1


@pytest.mark.parametrize("cycle", [False, True])
def test_a_subclass_may_have_another_finaliser(pair: Any, cycle: bool) -> None:
    """Its objects are closed all the same, and what a poller has is let go."""
    ended: List[str] = []

    class Socket(raising.Socket):  # type: ignore[misc]
        def __del__(self) -> None:
            ended.append("socket")

    class Poller(raising.Poller):  # type: ignore[misc]
        def __del__(self) -> None:
            ended.append("poller")

    client, before = pair[0], descriptors()
    references = sys.getrefcount(client)
    server, poller = raising.bind("127.0.0.1", 0), raising.poller()
    server.__class__, poller.__class__ = Socket, Poller
    poller.add(client, "r", (poller,) if cycle else None)  # a tuple is never cleared
    gone = weakref.ref(poller)
    del server, poller
    gc.collect()
    assert sorted(ended) == ["poller", "socket"]
    assert gone() is None and descriptors() == before
    assert sys.getrefcount(client) == references
    with raising.poller() as other:
        assert other.add(client, "r") == 1


def collected(make: Callable[[], None]) -> None:
    """Checks that collection closes what make leaves in a cycle."""
    gc.collect()
    before = descriptors()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(10):
            make()
        assert descriptors() != before
        gc.collect()
    assert descriptors() == before


class Handler:
    def __init__(self, client: Any) -> None:
        self.client = client
        client.handler = self


@pytest.mark.parametrize("module", [polysock, raising])
def test_cycles_are_collected(listener: socket.socket, module: Any) -> None:
    def connected() -> Any:
        made = module.connect(*listener.getsockname())
        listener.accept()[0].close()
        return made if module is raising else made[0]

    def itself() -> None:
        client = connected()
        client.me = client

    def bound() -> None:
        client = connected()
        client.reader = client.receive

    def iterator() -> None:
        client = connected()
        client.pieces = client.lines("*L")

    def exception() -> None:
        client = connected()
        client.settimeout(0)
        try:
            polysock.try_((None, "timeout"))
        except polysock.Timeout as error:
            client.error = error
            error.client = client  # type: ignore[attr-defined]

    for make in (lambda: Handler(connected()), itself, bound, iterator, exception):
        collected(make)


def test_a_finalizer_may_keep_the_object(listener: socket.socket) -> None:
    """It is closed by then, and is freed once, later."""
    kept: List[Any] = []

    class Keeper:
        def __init__(self, client: Any) -> None:
            self.client = client
            client.keeper = self

        def __del__(self) -> None:
            kept.append(self.client)

    one = raising.connect(*listener.getsockname())
    one.close()
    Keeper(one)
    del one
    gc.collect()
    assert len(kept) == 1 and kept[0].getfd() == -1
    assert repr(kept.pop()) == "<polysock.RaisingSocket client closed>"
    gc.collect()


def test_objects_leave_no_references_behind(listener: socket.socket) -> None:
    """Neither to their class, nor to the module, nor to what they are called with."""
    first = raising.connect(*listener.getsockname())
    listener.accept()[0].close()
    watched = [type(first), polysock._core, polysock.Socket, type(first.lines()), None]
    watched += [polysock.Timeout, polysock.Refused, polysock.Closed]

    def once() -> None:
        with raising.connect(*listener.getsockname()) as client:
            with listener.accept()[0] as peer:
                peer.sendall(b"a line\nrest")
                client.settimeout(0.001)
                for call in (client.receive, client.lines().__next__, client.receive):
                    with contextlib.suppress(polysock.Timeout):
                        call()
                client.setoption(option="keepalive", value=True)
                client.name = "x"
            with contextlib.suppress(polysock.Closed):
                client.receive("*l", b"p")
            raising.select([client], [client], 0)
        with contextlib.suppress(polysock.Refused):
            raising.connect("127.0.0.1", 1)

    for _ in range(3):
        once()
    before = [sys.getrefcount(its) for its in watched]
    for _ in range(20):
        once()
    after = [sys.getrefcount(its) for its in watched]
    drift = [b - a for a, b in zip(before, after)]
    assert all(abs(its) < 10 for its in drift), drift
    first.close()
