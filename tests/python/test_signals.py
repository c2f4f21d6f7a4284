# SPDX-License-Identifier: MIT
"""Signals during a wait: Ctrl-C is heard at once and nothing that was read is lost; other
handlers run and the wait goes on with the time that is left.

The signals are real ones, to a process of its own, once it has said over a pipe what it
is about to do and sleeps in the system.
"""

from __future__ import annotations

import os
import signal

import pytest
from conftest import Child

SETUP = """
server = raising.bind("127.0.0.1", 0)
client = raising.connect("127.0.0.1", server.getsockname()[1])
other = server.accept()
full = raising.connect("127.0.0.1", server.getsockname()[1])
full_peer = server.accept()
plain = polysock.fromfd(os.dup(full.getfd()), "client")[0]
plain.settimeout(0)
while plain.send(b"x" * 65536)[1] is None:
    pass
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
hole = listener.getsockname()
queue = [socket.socket() for _ in range(2)]
for one in queue:
    one.setblocking(False)
    one.connect_ex(hole)
master = raising.tcp4()
poller = raising.poller()
poller.add(client, "r")
buffer = bytearray(10)
"""

WAITS = {
    "receive": "client.receive()",
    "receive-limited": "client.settimeout(60); client.receive(10)",
    "receive-large": "client.receive(1 << 20)",
    "receive-all": "client.receive('*a')",
    "receiveany": "client.receiveany()",
    "receiveuntil": "client.receiveuntil(b'--')",
    "receiveinto": "client.receiveinto(buffer)",
    "next": "next(client)",
    "lines": "next(client.lines('*L'))",
    "send": "full.send(bytes(1 << 24))",
    "accept": "server.accept()",
    "connect": "master.connect(*hole)",
    "module-connect": "raising.connect(*hole)",
    "select": "raising.select([client], None)",
    "select-limited": "raising.select([client], None, 60)",
    "select-plain": "polysock.select([client], None)",
    "poller": "poller.wait()",
    "poller-limited": "poller.wait(60)",
    "sleep": "raising.sleep(60)",
}


@pytest.mark.parametrize("name", WAITS)
def test_ctrl_c_ends_a_wait_immediately(name: str) -> None:
    with Child(
        SETUP
        + f"""
while hear() != "end":
    say("waiting")
    try:
        {WAITS[name]}
        say("ended")
    except KeyboardInterrupt:
        say(time.monotonic())
    master = raising.tcp4()
"""
    ) as child:
        best = child.interrupted_after()
        child.end()
    assert best < 0.1


def test_a_receive_that_ctrl_c_ends_gives_its_memory_back() -> None:
    with Child(
        SETUP
        + """
import tracemalloc
tracemalloc.start()
kept = []
for _ in range(10):
    say("waiting")
    try:
        client.receive(1 << 20)
    except KeyboardInterrupt:
        kept.append(tracemalloc.get_traced_memory()[0])
say(len(kept), kept[-1] - kept[1] < 16 << 10)
"""
    ) as child:
        for _ in range(10):
            assert child.hear() == "waiting"
            child.signal(signal.SIGINT)
        assert child.hear() == "10 True"
        child.end()


def test_ctrl_c_is_heard_by_the_child_of_a_background_job() -> None:
    """A shell lets its background jobs ignore SIGINT, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        test_ctrl_c_ends_a_wait_immediately("receive")
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("wait", "rest"),
    [
        ("client.receive()", "client.receive() == b'part and more'"),
        ("client.receive('*L')", "client.receive('*L') == b'part and more\\n'"),
        ("client.receive(20)", "client.receive(13) == b'part and more'"),
        ("client.receive(1 << 20)", "client.receive(13) == b'part and more'"),
        ("client.receive(1 << 25)", "client.receive(13) == b'part and more'"),
        ("client.receive('*a')", "client.receive(13) == b'part and more'"),
        ("client.receive('*a', b'', 1 << 20)", "client.receive(13) == b'part and more'"),
        ("client.receiveuntil(b'--')", "client.receiveuntil(b'a') == b'p'"),
        ("client.receiveinto(buffer)", "client.receiveinto(buffer, 4) == 4"),
        ("client.receiveinto(bytearray(1 << 20))", "client.receive(4) == b'part'"),
        ("next(client)", "next(client) == b'part and more'"),
        ("next(client.lines('*a'))", "client.receive(13) == b'part and more'"),
        ("next(client.lines(1 << 20))", "client.receive(13) == b'part and more'"),
    ],
)
def test_nothing_that_was_read_is_lost(wait: str, rest: str) -> None:
    with Child(
        f"""
server = raising.bind("127.0.0.1", 0)
client = raising.connect("127.0.0.1", server.getsockname()[1])
other = server.accept()
buffer = bytearray(20)
other.send(b"part ")
say("waiting")
try:
    {wait}
except KeyboardInterrupt:
    say("interrupted", client.getstats()[0])
other.send(b"and more\\n")
client.settimeout(5)
say({rest})
"""
    ) as child:
        assert child.hear() == "waiting"
        child.signal(signal.SIGINT)
        assert child.hear() == "interrupted 0"
        assert child.hear() == "True"
        child.end()


def test_what_was_sent_is_counted_when_interrupted() -> None:
    with Child(
        SETUP
        + """
before = full.getstats()[1]
data = bytes(1 << 24)
say("waiting")
def drain():
    hear()
    count = 0
    while count <= plain.getstats()[1]:  # until a byte of this send has come
        count += len(full_peer.receiveany())
    say("drained")
thread = threading.Thread(target=drain)
thread.start()
try:
    full.send(data)
except KeyboardInterrupt:
    pass
thread.join()
say(full.getstats()[1] > before)
"""
    ) as child:
        assert child.hear() == "waiting"
        child.tell("drain")
        assert child.hear() == "drained"
        child.signal(signal.SIGINT)
        assert child.hear() == "True"
        child.end()


def test_other_handlers_run_and_the_wait_goes_on() -> None:
    with Child(
        SETUP
        + """
count = 0
def handler(number, frame):
    global count
    count += 1
    say("handled", count)
signal.signal(signal.SIGUSR1, handler)
say("waiting")
say(client.receive())
"""
        + """
say(count)
server.settimeout(0.3)
began = time.monotonic()
say("accepting")
try:
    server.accept()
except polysock.Timeout:
    say(0.3 <= time.monotonic() - began < 3)
""",
    ) as child:
        assert child.hear() == "waiting"
        for number in range(1, 4):
            child.signal(signal.SIGUSR1)
            assert child.hear() == f"handled {number}"
        os.kill(child.process.pid, signal.SIGINT)
        assert child.process.wait(30) != 0
        assert "KeyboardInterrupt" in child.errors()


@pytest.mark.parametrize(
    ("limit", "wait"),
    [
        ("settimeout(0.25)", "client.receive()"),
        ("settimeout(0.25, 't')", "client.receive(1 << 20)"),
        ("setdeadline(0.25)", "full.send(bytes(1 << 24))"),
        ("settimeout(0.25)", "server.accept()"),
        ("settimeout(0.25)", "master.connect(*hole)"),
        ("settimeout()", "polysock.select([client], None, 0.25)"),
        ("settimeout()", "polysock.sleep(0.25)"),
    ],
)
def test_a_storm_of_signals_does_not_move_the_end(limit: str, wait: str) -> None:
    """Neither early, nor again from the start at each signal."""
    with Child(
        SETUP
        + f"""
count = 0
def handler(number, frame):
    global count
    count += 1
for one in client, full, server, master:
    one.{limit}
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
began = time.monotonic()
try:
    {wait}
except polysock.Timeout:
    pass
took = time.monotonic() - began
signal.setitimer(signal.ITIMER_REAL, 0)
say(count > 10, took >= 0.245, took < 3, took)
"""
    ) as child:
        assert child.hear().startswith("True True True"), child.errors()
        child.end()


def test_a_storm_of_signals_loses_no_byte() -> None:
    with Child(
        """
import hashlib, zlib
server = raising.bind("127.0.0.1", 0)
client = raising.connect("127.0.0.1", server.getsockname()[1])
other = server.accept()
data = os.urandom(1 << 20) * 8
thread = threading.Thread(target=lambda: (other.send(data), other.close()))
count = 0
def handler(number, frame):
    global count
    count += 1
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
thread.start()
got = bytearray()
got += client.receive(3 << 20)
while len(got) < 5 << 20:
    got += client.receiveany(10000)
got += client.receive("*a")
signal.setitimer(signal.ITIMER_REAL, 0)
thread.join()
say(got == data)
"""
    ) as child:
        assert child.hear() == "True", child.errors()
        child.end()


def test_the_exception_of_a_handler_comes_through() -> None:
    with Child(
        SETUP
        + """
class Own(Exception):
    pass
def handler(number, frame):
    raise Own("mine")
signal.signal(signal.SIGUSR1, handler)
other.send(b"par")
for wait in client.receive, lambda: client.receive(1 << 20), lambda: next(client):
    say("waiting")
    try:
        wait()
    except Own as error:
        say(error, client.getfd() >= 0, error.__context__)
other.send(b"tial\\n")
say(client.receive())
"""
    ) as child:
        for _ in range(3):
            assert child.hear() == "waiting"
            child.signal(signal.SIGUSR1)
            assert child.hear() == "mine True None"
        assert child.hear() == "b'partial'"
        child.end()


@pytest.mark.parametrize("style", ["raising", "polysock"])
def test_the_exception_of_a_handler_gets_no_address(style: str) -> None:
    """It is not about the connection, though it may be one of the library's."""
    with Child(
        SETUP
        + f"""
def handler(number, frame):
    raise polysock.Timeout("mine")
signal.signal(signal.SIGUSR1, handler)
say("waiting")
try:
    {style}.connect(*hole)
except polysock.Timeout as error:
    say(error.error, error.address)
"""
    ) as child:
        assert child.hear() == "waiting"
        child.signal(signal.SIGUSR1)
        assert child.hear() == "mine None"
        child.end()


def test_a_handler_that_needs_the_same_turn_fails_with_busy() -> None:
    with Child(
        SETUP
        + """
def handler(number, frame):
    try:
        client.receive()
    except polysock.Error as error:
        say(error)
    other.send(b"line\\n")
signal.signal(signal.SIGUSR1, handler)
say("waiting")
say(client.receive())
"""
    ) as child:
        assert child.hear() == "waiting"
        child.signal(signal.SIGUSR1)
        assert child.hear() == "object is in use"
        assert child.hear() == "b'line'"
        child.end()


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs /proc")
@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("client.receive(4)", "other.send(b'one\\ntwo\\n')"),
        ("client.receive()", "other.send(b'one\\ntwo\\n')"),
        ("full.send(bytes(1 << 24))", "drain.start()"),
    ],
)
def test_another_thread_waits_for_its_turn_during_a_handler(
    call: str, after: str
) -> None:
    """The handler interrupts one call; a call of another thread waits as ever."""
    with Child(
        SETUP
        + f"""
def receive_all():
    try:
        while True:
            full_peer.receiveany()
    except polysock.Closed:
        pass
def run():
    try:
        results.append({call})
    except polysock.Error as error:
        results.append(repr(error))
results = []
thread = threading.Thread(target=run)
drain = threading.Thread(target=receive_all)
def handler(number, frame):
    thread.start()
    seen = 0
    while seen < 3 and thread.is_alive():  # until it sleeps, or has failed
        with open(f"/proc/self/task/{{thread.native_id}}/stat") as file:
            seen = seen + 1 if file.read().rpartition(")")[2].split()[0] == "S" else 0
        os.sched_yield()
    {after}
signal.signal(signal.SIGUSR1, handler)
client.settimeout(10)
full.settimeout(10)
say("waiting")
run()
thread.join()
full.close()
plain.close()
say(sorted(results, key=repr))
"""
    ) as child:
        assert child.hear() == "waiting"
        child.signal(signal.SIGUSR1)
        assert child.hear() in (
            "[b'one', b'two']",
            "[b'one\\n', b'two\\n']",
            "[16777216, 16777216]",
        )
        child.end()


def test_a_handler_may_close_what_waits() -> None:
    with Child(
        SETUP
        + """
signal.signal(signal.SIGUSR1, lambda *_: client.close())
say("waiting")
try:
    client.receive()
except polysock.Closed:
    say("closed", client.getfd())
"""
    ) as child:
        assert child.hear() == "waiting"
        child.signal(signal.SIGUSR1)
        assert child.hear() == "closed -1"
        child.end()


def test_ctrl_c_reaches_the_main_thread_while_others_wait() -> None:
    with Child(
        SETUP
        + """
threads = [threading.Thread(target=call) for call in (client.receive, server.accept)]
for thread in threads:
    thread.start()
say("waiting")
try:
    threads[0].join()
except KeyboardInterrupt:
    say("interrupted")
other.send(b"x\\n")
one = socket.create_connection(server.getsockname()[:2])
for thread in threads:
    thread.join()
say("joined")
"""
    ) as child:
        assert child.hear() == "waiting"
        child.signal(signal.SIGINT)
        assert child.hear() == "interrupted"
        assert child.hear() == "joined"
        child.end()


def test_ctrl_c_while_waiting_for_a_turn() -> None:
    with Child(
        SETUP
        + """
thread = threading.Thread(target=lambda: say(client.receive()))
thread.start()
while client.detach.__self__ is None:
    pass
say("waiting")
try:
    client.receive()
except KeyboardInterrupt:
    say("interrupted")
other.send(b"for the thread\\n")
thread.join()
""",
    ) as child:
        assert child.hear() == "waiting"
        child.signal(signal.SIGINT)
        assert child.hear() == "interrupted"
        assert child.hear() == "b'for the thread'"
        child.end()


def test_a_send_to_nobody_is_no_signal() -> None:
    with Child(
        SETUP
        + """
signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # it would end the process
other.close()
try:
    while True:
        client.send(b"x" * 100000)
except polysock.Closed as error:
    say("closed", error.last)
"""
    ) as child:
        assert child.hear().startswith("closed")
        child.end()


def test_an_exception_unwinds_a_with_block() -> None:
    with Child(
        SETUP
        + """
say("waiting")
try:
    with client:
        for line in client:
            pass
except KeyboardInterrupt:
    say(client.getfd())
"""
    ) as child:
        assert child.hear() == "waiting"
        child.signal(signal.SIGINT)
        assert child.hear() == "-1"
        child.end()


def test_a_handler_closes_the_piece_that_is_awaited() -> None:
    """The iterator behind it, and the socket, live until the call that uses them ends."""
    with Child(
        SETUP
        + """
import weakref
from polysock._core import _pieces
piece = _pieces(client.lines(), lambda: iter(())).__anext__()
poller.close()
client = weakref.ref(client)
lives = []
def handler(number, frame):
    piece.close()
    lives.append(client() is not None)
    other.send(b"line\\n")
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.5)
try:
    piece.send(None)
except StopIteration as done:
    say(lives, done.value, client() is None)
"""
    ) as child:
        assert child.hear() == "[True] b'line' True", child.errors()
        child.end()
