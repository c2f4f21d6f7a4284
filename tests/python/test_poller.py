# SPDX-License-Identifier: MIT
"""The poller in Python: its styles, what it keeps alive and lets go, foreign members, and
code that comes in between. What it waits for is told by tests/conformance.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
import warnings
import weakref
from typing import Any, Callable, Iterator, List

import polysock
import pytest
from conftest import LIMIT, Child, until_asleep
from polysock import raising


@pytest.fixture
def poller() -> Iterator[Any]:
    with raising.poller() as made:
        yield made


class Foreign:
    """An object with a descriptor, which buffers if it is told so."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def getfd(self) -> int:
        return self.fd

    def __eq__(self, other: object) -> bool:
        raise AssertionError("members are known by themselves")

    __hash__ = None  # type: ignore[assignment]


class Buffering(Foreign):
    answer: Any = True

    def dirty(self) -> Any:
        return self.answer() if callable(self.answer) else self.answer


# ---- Results


def test_the_styles(pair: Any) -> None:
    client, peer = pair
    plain, error = polysock.poller()
    assert error is None and type(plain) is polysock.Poller
    with plain, raising.poller() as loud:
        assert type(loud) is raising.Poller is polysock.RaisingPoller
        assert isinstance(loud, polysock.BasePoller) and not isinstance(loud, type(plain))
        assert plain.add(client, "r") == (1, None)
        assert plain.wait(0) == (None, "timeout")
        with pytest.raises(polysock.Timeout) as caught:
            loud.wait(0)
        assert isinstance(caught.value, TimeoutError) and caught.value.partial is None
        with pytest.raises(polysock.Error, match="added to another poller"):
            loud.add(client, "r")
        peer.sendall(b"x")
        assert plain.wait(LIMIT) == ([(client, "r")], None)
        assert plain.remove(client) == (1, None)
        assert loud.add(client, events="rw", token=None) == 1
        assert loud.wait(timeout=LIMIT, max=1) == [(client, "rw")]
        assert loud.modify(client, "r", 5) == loud.wake() == loud.remove(client) == 1
        assert loud.wait() == []
    assert plain.wait(0) == (None, "closed")
    with pytest.raises(polysock.Closed):
        loud.wait(0)


def test_its_text(poller: Any, pair: Any) -> None:
    assert repr(poller) == "<polysock.RaisingPoller count=0>"
    poller.add(pair[0], "r")
    assert repr(poller) == "<polysock.RaisingPoller count=1>"
    plain = polysock.poller()[0]
    assert plain is not None
    plain.close()
    assert str(plain) == "<polysock.Poller closed>"


def test_its_descriptor(poller: Any, pair: Any) -> None:
    client, peer = pair
    poller.add(client, "r")
    with selectors.DefaultSelector() as selector:
        selector.register(poller, selectors.EVENT_READ)
        assert selector.select(0) == []
        peer.sendall(b"x")
        assert selector.select(LIMIT)[0][0].fileobj is poller
    poller.close()
    with pytest.raises(ValueError, match="no descriptor"):
        poller.fileno()


def test_it_cannot_be_constructed_or_copied(poller: Any) -> None:
    for kind in (polysock.BasePoller, polysock.Poller, polysock.RaisingPoller):
        with pytest.raises(TypeError):
            kind()
    with pytest.raises(TypeError, match="cannot pickle or copy"):
        __import__("copy").copy(poller)
    poller.mark = "any attribute"
    assert weakref.ref(poller)().mark == "any attribute"


# ---- What is kept alive


class Token:
    """Anything."""


def test_it_keeps_members_and_tokens(poller: Any, connect: Any) -> None:
    client, peer = connect()
    kept, token = weakref.ref(client), Token()
    tokens = [weakref.ref(token)]
    poller.add(client, "w", token)
    fd = client.getfd()
    made = connect.__closure__  # the fixture has the client, too
    assert made is not None
    del token
    gc.collect()
    assert poller.wait(0) == [(tokens[0](), "w")]
    token = Token()
    tokens.append(weakref.ref(token))
    poller.modify(client, "w", token)
    assert tokens[0]() is None
    del token
    poller.modify(client, "rw")
    assert tokens[1]() is not None
    client.close()
    assert poller.count() == 0
    with pytest.raises(polysock.Timeout):
        poller.wait(0)
    assert tokens[1]() is None
    assert kept() is client and fd >= 0


def test_a_member_without_other_references(listener: socket.socket) -> None:
    with raising.poller() as poller:
        poller.add(raising.connect(*listener.getsockname()), "r", "kept")
        peer = listener.accept()[0]
        gc.collect()
        peer.sendall(b"x")
        assert poller.wait(LIMIT) == [("kept", "r")]
        with pytest.warns(ResourceWarning, match="unclosed"):
            poller.close()
        peer.settimeout(LIMIT)
        with pytest.raises(ConnectionError):
            assert peer.recv(1) != b""
        peer.close()


def test_cycles_are_collected(pair: Any) -> None:
    client, _ = pair

    def one(holder: Any) -> Any:
        return holder

    def list_of(holder: Any) -> Any:
        return [holder]

    def foreign(holder: Any) -> Any:
        made = Foreign(client.getfd())
        made.poller = holder  # type: ignore[attr-defined]
        holder.remove(client)
        holder.add(made, "r")
        return None

    for cycle in (one, list_of, foreign):
        poller = raising.poller()
        poller.add(client, "r")
        poller.modify(client, "r", cycle(poller)) if cycle is not foreign else cycle(
            poller
        )
        gone = weakref.ref(poller)
        with pytest.warns(ResourceWarning, match="unclosed <polysock.RaisingPoller"):
            del poller
            gc.collect()
        assert gone() is None
        with raising.poller() as other:
            assert other.add(client, "r") == 1


def test_closed_ones_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        poller = raising.poller()
        poller.close()
        del poller
        gc.collect()


def test_reference_counts_stay_equal(poller: Any, connect: Any) -> None:
    client, peer = connect(raising)
    token, foreign = Token(), Buffering(peer.fileno())

    def use() -> None:
        poller.add(client, "w", token)
        poller.add(foreign, "w")
        assert len(poller.wait(0)) == 2
        poller.modify(client, "rw", token)
        poller.modify(foreign, "rw", token)
        for bad in (lambda: poller.add(client, "r"), lambda: poller.add(foreign, "r")):
            with pytest.raises(polysock.Error):
                bad()
        with pytest.raises(ValueError):
            poller.add(client, "x", token)
        poller.remove(client)
        poller.remove(foreign)

    use()
    before = [sys.getrefcount(its) for its in (client, token, foreign, poller)]
    for _ in range(20):
        use()
    assert [sys.getrefcount(its) for its in (client, token, foreign, poller)] == before


# ---- Foreign objects


def test_what_has_fileno(poller: Any) -> None:
    one, other = socket.socketpair()
    reader, writer = os.pipe()
    with one, other, os.fdopen(reader, "rb") as file, os.fdopen(writer, "wb") as out:
        poller.add(one, "rw")
        poller.add(file, "r", "file")
        assert poller.wait(0) == [(one, "w")]
        out.write(b"x")
        out.flush()
        other.send(b"y")
        ready = poller.wait(LIMIT)
        assert len(ready) == 2 and (one, "rw") in ready and ("file", "r") in ready
        file.close()
        with pytest.raises(ValueError):  # its own words
            poller.add(file, "r")
        poller.remove(file)
        one.close()
        poller.remove(one)
        with pytest.raises(polysock.Closed):
            poller.add(one, "r")
    assert poller.count() == 0


def test_objects_with_one_descriptor_are_one_member(poller: Any, pair: Any) -> None:
    """A foreign object is identified by its descriptor, by whomever that is told."""
    _, peer = pair
    first, second = Foreign(peer.fileno()), Foreign(peer.fileno())
    references = sys.getrefcount(first), sys.getrefcount(second)
    poller.add(first, "w", "first")
    with pytest.raises(polysock.Error, match="^already added$"):
        poller.add(second, "w")
    assert poller.modify(second, "rw") == 1
    assert poller.wait(0) == [("first", "w")]
    assert poller.modify(second, "rw", "second") == 1
    assert poller.wait(0) == [("second", "w")]
    assert poller.remove(second) == 1
    with pytest.raises(polysock.Error, match="^not added$"):
        poller.remove(first)
    assert poller.count() == 0
    assert (sys.getrefcount(first), sys.getrefcount(second)) == references


def test_foreign_objects_that_buffer(poller: Any, pair: Any) -> None:
    client, peer = pair
    one, other = Buffering(client.getfd()), Buffering(peer.fileno())
    other.answer = False
    poller.add(one, "r")
    poller.add(other, "r")
    for _ in range(2):
        ((token, events),) = poller.wait(LIMIT)
        assert token is one and events == "r"

    def fails() -> bool:
        raise KeyError("no answer")

    one.answer = fails
    with pytest.raises(KeyError, match="no answer"):
        poller.wait(0)
    one.answer = False
    with pytest.raises(polysock.Timeout):
        poller.wait(0)
    for wrong in (Foreign("1"), Foreign(None), object(), 5, "x", None):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="socket or object with a descriptor"):
            poller.add(wrong, "r")


@pytest.mark.parametrize("kind", ["Foreign", "Buffering"])
def test_many_foreign_members_have_room(kind: str) -> None:
    """Python tells if anything is written beyond it."""
    environment = {**os.environ, "PYTHONMALLOC": "debug"}
    with Child(
        f"""
class Foreign:
    def __init__(self, fd):
        self.fd = fd
    def fileno(self):
        return self.fd
class Buffering(Foreign):
    def dirty(self):
        return True
writer = os.pipe()[1]
with raising.poller() as poller:
    members = [{kind}(os.dup(writer)) for _ in range(70)]
    for count, one in enumerate(members, 1):
        poller.add(one, "w", count)
        assert sorted(its[0] for its in poller.wait(0)) == [*range(1, 1 + count)]
    here = list(range(1, 71))
    for count in here[::2] + here[:0:-2]:
        poller.remove(members[count - 1])
        os.close(members[count - 1].fd)
        here.remove(count)
        assert not here or sorted(its[0] for its in poller.wait(0)) == here
    say(poller.count())
""",
        env=environment,
    ) as child:
        assert child.hear() == "0", child.errors()
        child.end()


def test_one_that_buffers_removes_the_others() -> None:
    """Nobody is asked who has gone, and Python tells if freed memory is used."""
    with Child(
        """
class Buffering:
    def __init__(self, fd):
        self.fd = fd
    def fileno(self):
        return self.fd
    def dirty(self):
        asked.add(self)
        while len(members) > 1:
            poller.remove(members.pop(0 if members[0] is not self else 1))
        return True
asked = set()
reader = os.pipe()[0]
with raising.poller() as poller:
    members = [Buffering(os.dup(reader)) for _ in range(8)]
    for one in members:
        poller.add(one, "r")
    ready = poller.wait(0)
    say(poller.count(), {its[0] for its in ready} == asked == {*members})
""",
        env={**os.environ, "PYTHONMALLOC": "debug"},
    ) as child:
        assert child.hear() == "1 True", child.errors()
        child.end()


def test_who_does_not_buffer_is_not_asked(poller: Any, pair: Any) -> None:
    """It is found out once, and costs nothing in a wait."""

    class Plain(Foreign):
        asked = 0

        def __getattr__(self, name: str) -> Any:
            if name == "dirty":
                self.asked += 1
            raise AttributeError(name)

    one = Plain(pair[1].fileno())
    poller.add(one, "w")
    assert one.asked == 1
    for _ in range(3):
        assert poller.wait(LIMIT) == [(one, "w")]
    assert one.asked == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others need none")
def test_without_descriptors_there_is_no_poller() -> None:
    with Child(
        """
import errno, resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
made, error = polysock.poller()
try:
    raising.poller()
except polysock.Error as failure:
    say(made, failure.error == error, failure.errno == errno.EMFILE)
"""
    ) as child:
        assert child.hear() == "None True True", child.errors()
        child.end()


def test_one_of_those_that_buffer_goes(poller: Any, connect: Any) -> None:
    members = [Buffering(connect()[0].getfd()) for _ in range(4)]
    for each in members:
        poller.add(each, "r", id(each))
    while members:
        ready = sorted(token for token, _ in poller.wait(LIMIT))
        assert ready == sorted(map(id, members))
        poller.remove(members.pop(0))


def test_a_member_with_another_descriptor_is_another(poller: Any, connect: Any) -> None:
    """The old descriptor is no longer its own, and may be anybody's."""
    (client, _), (other, _) = connect(), connect()
    foreign = Foreign(client.getfd())
    poller.add(foreign, "w", "before")
    foreign.fd = other.getfd()
    poller.add(foreign, "w", "after")
    assert poller.count() == 1 and poller.wait(LIMIT) == [("after", "w")]
    poller.remove(foreign)
    assert poller.count() == 0


def test_descriptor_0_is_one() -> None:
    """Standard input is a source as any other."""
    with Child(
        """
reader, writer = os.pipe()
class Foreign:
    fd = reader
    def fileno(self):
        return self.fd
foreign = Foreign()
with raising.poller() as poller:
    poller.add(foreign, "r")
    foreign.fd = 0
    poller.add(foreign, "r")
    say(poller.count())
    foreign.dirty = lambda: True
    say(polysock.select([foreign], None, 0) == ([foreign], [], None))
    del foreign.dirty
    say(poller.wait()[0][0] is foreign)
say(polysock.select([foreign], None) == ([foreign], [], None))
"""
    ) as child:
        assert child.hear() == "1"
        assert child.hear() == "True"
        child.tell("what makes it ready")
        assert child.hear() == "True"
        assert child.hear() == "True"
        child.end()


def test_a_socket_may_have_descriptor_0() -> None:
    with Child(
        """
import warnings
os.close(0)
with raising.bind("127.0.0.1", 0) as server:
    say(server.getfd(), server.fileno(), " fd=0 " in repr(server))
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    raising.bind("127.0.0.1", 0)
    say(*[its.category.__name__ for its in seen])
"""
    ) as child:
        assert child.hear() == "0 0 True"
        assert child.hear() == "ResourceWarning"
        child.end()


def test_how_many_events_is_a_number_from_1(poller: Any, pair: Any) -> None:
    poller.add(pair[0], "w")
    place = r"^bad argument #2 to 'wait' \("
    for value in (0, -1):
        with pytest.raises(ValueError, match=place):
            poller.wait(0, value)
    for wrong in ("1", 1.5, True):
        with pytest.raises(TypeError, match=place):
            poller.wait(0, wrong)
    assert poller.wait(0, 1) == poller.wait(0, None) == [(pair[0], "w")]


def test_the_exception_of_an_attribute_comes_through(poller: Any, pair: Any) -> None:
    class Broken(Foreign):
        @property
        def dirty(self) -> Any:
            raise KeyError("dirty")

    with pytest.raises(KeyError, match="dirty"):
        poller.add(Broken(pair[1].fileno()), "r")
    assert poller.count() == 0


@pytest.mark.parametrize("change", ["add", "replace", "remove", "wait", "close"])
def test_methods_that_change_the_poller(change: str, poller: Any, connect: Any) -> None:
    objects = [Buffering(connect()[0].getfd()) for _ in range(3)]
    others = [Buffering(connect()[0].getfd()) for _ in range(20)]
    for each in objects:
        poller.add(each, "r")

    def once() -> bool:
        for each in objects:
            each.answer = True
        if change in ("replace", "remove"):
            for each in objects:
                poller.remove(each)
        for each in {"replace": objects, "add": others}.get(change, []):
            poller.add(each, "r")
        if change in ("wait", "close"):
            getattr(poller, change)()
        return True

    for each in objects:
        each.answer = once
    try:
        ready = poller.wait(0)
        assert ready and change not in ("close", "remove")
        for token, events in ready:
            assert isinstance(token, Buffering) and events == "r"
    except polysock.Error as failure:
        assert failure.error in ("timeout", "closed") and change in ("close", "remove")


def test_finalisers_in_between(poller: Any, connect: Any) -> None:
    client, peer = connect(raising)
    fd = peer.fileno()
    calls = 0

    class Evil:
        def __init__(self) -> None:
            self.me = self  # only a collection ends it

        def __del__(self) -> None:
            nonlocal calls
            calls += 1
            with contextlib.suppress(polysock.Error):
                poller.wait(0)
                poller.modify(client, "w", Token())
                poller.remove(client)

    old = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        for i in range(200):
            poller.add(client, "w", Token())
            foreign = [Foreign(os.dup(fd)) for _ in range(5)]
            for each in foreign:
                poller.add(each, "w", Token())
            Evil()
            for token, events in poller.wait(0):
                assert isinstance(token, Token) and events == "w"
            for each in foreign:
                poller.remove(each)
                os.close(each.fd)
            try:
                poller.remove(client)
            except polysock.Error as failure:
                assert failure.error == "not added"
            if i % 10 == 0:
                gc.collect()  # without the global lock the thresholds mean little
    finally:
        gc.set_threshold(*old)
    assert calls > 10


def test_many_members(poller: Any) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(1500, hard - 200 if hard != resource.RLIM_INFINITY else 1500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))
    members = [raising.tcp4() for _ in range(count)]
    try:
        for number, member in enumerate(members):
            poller.add(member, "r", number)
        assert poller.count() == count
        ready = poller.wait(LIMIT)  # one that is not connected is hung up
        assert sorted(number for number, _ in ready) == list(range(count))
        assert len(poller.wait(0, 7)) == 7
    finally:
        for member in members:
            member.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert poller.count() == 0


# ---- Threads, signals, processes


def test_wake_from_another_thread(poller: Any) -> None:
    numbers: List[int] = []
    results: List[Any] = []

    def run() -> None:
        numbers.append(threading.get_native_id())
        results.append(poller.wait(LIMIT))

    thread = threading.Thread(target=run)
    thread.start()
    while not numbers:
        os.sched_yield()
    until_asleep(os.getpid(), numbers[0])
    poller.wake()
    thread.join(LIMIT)
    assert results == [[]]


def test_other_threads_run_while_it_waits(poller: Any, pair: Any) -> None:
    client, peer = pair
    poller.add(client, "r")
    thread = threading.Thread(target=lambda: peer.sendall(b"x"))
    thread.start()
    assert poller.wait(LIMIT) == [(client, "r")]
    thread.join(LIMIT)


def test_misuse_by_threads_does_no_harm(poller: Any, connect: Any) -> None:
    """Only wake is for other threads. Whatever they do else, nothing crashes."""
    members = [connect(raising)[0] for _ in range(4)]
    end = time.monotonic() + 0.3
    calls: List[Callable[[Any], Any]] = [
        lambda member: poller.add(member, "w", Token()),
        lambda member: poller.modify(member, "rw", Token()),
        lambda member: poller.remove(member),
        lambda member: [token for token, _ in poller.wait(0.001)],
        lambda member: poller.wake(),
        lambda member: poller.count(),
    ]

    def run(seed: int) -> None:
        number = seed
        while time.monotonic() < end:
            number = (number * 1103515245 + 12345) % (1 << 31)
            member = members[number // 64 % 4]
            with contextlib.suppress(polysock.Error):
                calls[number // 1024 % len(calls)](member)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)


def test_a_forked_child_has_its_own(pair: Any) -> None:
    with Child(
        """
    server = raising.bind("127.0.0.1", 0)
    client = raising.connect(*server.getsockname()[:2])
    peer = server.accept()
    poller = raising.poller()
    poller.add(client, "r", "client")
    child = os.fork()
    if child == 0:
        poller.remove(client)
        poller.add(peer, "w", "peer")
        good = poller.wait(5) == [("peer", "w")]
        poller.close()
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    peer.send(b"x")
    say(poller.wait(5))
    for each in (poller, client, peer, server):
        each.close()
    """
    ) as child:
        assert child.hear() == "[('client', 'r')]"
        child.end()


def test_it_ends_with_the_interpreter() -> None:
    program = """
import sys, threading
from polysock import raising
poller = raising.poller()
poller.add(raising.tcp4(), "r", poller)
threading.Thread(target=poller.wait, args=(60,), daemon=True)
sys.modules["kept"] = poller
"""
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
