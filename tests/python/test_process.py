# SPDX-License-Identifier: MIT
"""The process around the module: its state is left alone, descriptors and memory come
back, and exhaustion of either is a failure like any other. Names that the resolver holds
do not hold the program.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import tracemalloc
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Callable, Dict, List

import polysock
import pytest
from conftest import Child, descriptors
from polysock import raising

# ---- State


def test_import_changes_no_state() -> None:
    program = """
import locale, os, signal, sys, threading, warnings, faulthandler, gc
def state():
    handlers = [(n, signal.getsignal(n)) for n in signal.valid_signals()]
    fds = sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else []
    return (handlers, signal.pthread_sigmask(signal.SIG_BLOCK, []), fds,
            threading.active_count(), os.getcwd(), dict(os.environ),
            locale.setlocale(locale.LC_ALL), warnings.filters[:],
            sys.flags, sys.getswitchinterval(), sys.getrecursionlimit(), os.umask(0o22),
            sys.excepthook, sys.unraisablehook, gc.isenabled())
import typing, functools
before = state()
import polysock
from polysock import raising
polysock.tcp4()[0].close()
polysock.connect("127.0.0.1", 1)
polysock.select([], [], 0)
polysock.dns.toip("localhost")
after = state()
print([a == b for a, b in zip(before, after)])
"""
    for disposition in (signal.SIG_DFL, signal.SIG_IGN):
        result = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGPIPE, disposition),  # noqa: B023
        )
        assert result.stdout.strip() == str([True] * 15), result


LOOKING = """
import os, sys
for number in sys.argv[1:]:
    try:
        os.fstat(int(number))
        print("open")
    except OSError:
        print("none")
"""


def test_descriptors_are_not_for_programs_that_are_started(server: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as made:
        number = os.dup(made.fileno())
        os.set_inheritable(number, True)
    with ExitStack() as stack:
        address = server.getsockname()[:2]
        client = stack.enter_context(raising.connect(*address))
        accepted = stack.enter_context(server.accept()[0])
        adopted = stack.enter_context(raising.fromfd(number, "server"))
        objects = [server, client, accepted, adopted, stack.enter_context(raising.tcp4())]
        assert not any(os.get_inheritable(one.getfd()) for one in objects)
        out = subprocess.run(
            [sys.executable, "-c", LOOKING, *[str(one.getfd()) for one in objects]],
            close_fds=False,
            capture_output=True,
            text=True,
        ).stdout.split()
        assert out == ["none"] * len(objects)


def test_fork_shares_the_connection() -> None:
    """A close on one side does not end the connection of the other."""
    with Child(
        """
server = raising.bind("127.0.0.1", 0)
client = raising.connect("127.0.0.1", server.getsockname()[1])
other = server.accept()
out, into = os.pipe()
process = os.fork()
if process == 0:
    client.close()
    other.send(b"from the child\\n")
    other.close()
    os.write(into, b"x")
    os._exit(0)
os.read(out, 1)
os.waitpid(process, 0)
say(client.receive())
other.send(b"from the parent\\n")
say(client.receive())
"""
    ) as child:
        assert child.hear() == "b'from the child'"
        assert child.hear() == "b'from the parent'"
        child.end()


# ---- Leaks


def rounds(client: Any, peer: Any, server: Any) -> List[Callable[[], Any]]:
    """Operations of every kind of result, successes, failures and misuse."""
    room = bytearray(64)
    client.setoption("tcp-nodelay", True)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    address = server.getsockname()[:2]

    def misuse() -> None:
        for call in (
            lambda: client.receive("*x", bytearray(b"x")),
            lambda: client.send(5),
            lambda: client.send(b"x", "x"),
            lambda: polysock.bind("a\0", 1),
            lambda: polysock.select([client], 5),
            lambda: client.accept(),
            lambda: client.setoption("linger", {}),
        ):
            with suppress(TypeError, ValueError):
                call()

    def accept() -> None:
        with polysock.connect(*address)[0], server.accept()[0]:
            pass

    def fail() -> None:
        client.settimeout(0)
        with suppress(polysock.Timeout):
            polysock.try_(client.receive("*l", b"partial"))
        client.settimeout(5)

    def iterate() -> None:
        peer.sendall(b"a\nb\n")
        lines = client.lines()
        next(lines), next(client)

    def raise_() -> None:
        with suppress(polysock.Error):
            raising.connect("127.0.0.1", 1)

    return [
        lambda: peer.sendall(b"line\n") or client.receive("*l", b"prefix"),
        lambda: peer.sendall(b"x" * 40_000) or client.receive(40_000),
        lambda: peer.sendall(b"x" * 64) or client.receiveinto(room),
        lambda: peer.sendall(b"x--") or client.receiveuntil(b"--", memoryview(room)),
        lambda: (client.send(b"y" * 100, 5, -5), peer.recv(200)),
        lambda: (peer.sendall(b"z"), client.receiveany()),
        fail,
        iterate,
        misuse,
        accept,
        raise_,
        lambda: polysock.select([client, None, object(), peer], (client,), 0),
        lambda: polysock.select((one for one in (client, server)), None, 0),
        lambda: (str(client), repr(client), client.kind, hash(client), client == server),
        lambda: (client.getsockname(), client.getpeername(), client.getstats()),
        lambda: (client.getoption("linger"), client.getoption("error")),
        lambda: client.setoption("linger", {"on": False, "timeout": 0}),
        lambda: (polysock.dns.toip("127.0.0.1"), polysock.dns.getaddrinfo("127.0.0.1")),
        lambda: (polysock.tcp()[0].close(), polysock.fromfd(2**31 - 1, "client")),
        lambda: polysock.protect(polysock.try_)((None, "words")),
    ]


def growth(call: Callable[[], Any]) -> int:
    """Returns by how many bytes of Python's memory a hundred calls grow."""
    tracemalloc.start()
    call()
    gc.collect()
    base = tracemalloc.get_traced_memory()[0]
    for _ in range(100):
        call()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - base
    tracemalloc.stop()
    return grown


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_nothing_leaks(pair: Any, server: Any) -> None:
    client, peer = pair
    client.settimeout(5)
    calls = rounds(client, peer, server)
    shared = [None, True, False, 1, 0, "timeout", "closed", b"", client]
    heap_type = 1 << 9  # newer SWIGs make one, and each object keeps a count of it
    if not polysock.Socket.__flags__ & heap_type:
        shared.append(polysock.Socket)
    for call in calls * 10:
        call()
    gc.collect()
    gc.freeze()  # or each collection would go through all of pytest
    before = descriptors()
    for call in calls:
        references = [sys.getrefcount(one) for one in shared]
        grown = growth(call)
        if grown >= 4000:  # once may be a cache of Python's
            grown = growth(call)
        changes = [sys.getrefcount(one) - was for one, was in zip(shared, references)]
        assert max(map(abs, changes)) < 100, (calls.index(call), changes)
        assert grown < 4000, (calls.index(call), grown)
    gc.unfreeze()
    assert descriptors() == before


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_memory_of_the_core_comes_back(pair: Any, server: Any) -> None:
    client, peer = pair
    client.settimeout(5)
    calls = rounds(client, peer, server)
    for _ in range(50):
        for call in calls:
            call()
    before = resident()
    for _ in range(150):
        for call in calls:
            call()
    assert resident() - before < 3 << 20


def test_idle_objects_are_small() -> None:
    before = resident()
    objects = [polysock.tcp()[0] for _ in range(20_000)]
    assert (resident() - before) / len(objects) < 700
    for one in objects:
        one.close()


# ---- Exhaustion


def test_no_descriptors_is_a_failure_and_leaks_nothing() -> None:
    with Child(
        """
import resource
server = raising.bind("127.0.0.1", 0)
address = server.getsockname()[:2]
queued = [socket.create_connection(address) for _ in range(3)]
ends = list(socket.socketpair())
open_before = len(os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
while True:
    made, error = polysock.tcp4()
    if made is None:
        break
    held.append(made)
say(error)
plain = polysock.fromfd(server.detach(), "server")[0]
plain.settimeout(1)
say(plain.accept())
say(polysock.connect(*address))
say(polysock.bind("127.0.0.1", 0))
say(polysock.tcp6()[1])
master = polysock.tcp()[0]
say(master.connect(*address), master.kind, master.getfd())
ready = polysock.select([plain], None, 0)[0]
say(polysock.dns.toip("no.such.invalid")[0], ready == [plain])
try:
    raising.tcp4()
except polysock.Error as error:
    say(error, error.errno)
held.pop().close()
accepted, error = plain.accept()
say(error)
accepted.close()
while held:
    held.pop().close()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
say(plain.accept()[1], len(os.listdir("/proc/self/fd")) - open_before)
"""
    ) as child:
        words = "Too many open files"
        assert child.hear() == words
        for _ in range(3):
            assert child.hear() == f"(None, '{words}')"
        assert child.hear() == words
        assert child.hear() == f"(None, '{words}') master -1"
        assert child.hear() == "None True"
        assert child.hear() == f"{words} 24"
        assert child.hear() == "None"
        assert child.hear() == "None 0"
        child.end()


HUGE = """
import resource, threading
server = raising.bind("127.0.0.1", 0)
client = polysock.connect("127.0.0.1", server.getsockname()[1])[0]
other = server.accept()
size = 64 << 20
block = bytes(range(256)) * 4096
def feed():
    try:
        for _ in range(size // len(block)):
            other.send(block)
        other.close()
    except polysock.Closed:
        pass
thread = threading.Thread(target=feed)
thread.start()
while client.receiveany(0 + 1)[0] != block[:1]:
    pass
with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + (24 << 20), -1))
data, error, partial = {call}
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
say(data is None, error)
got = 1 + len(partial)
good = (block * (got // len(block) + 1))[1:got] == partial
del partial
while True:
    piece, error, _ = client.receiveany()
    if piece is None:
        break
    at = got % len(block)
    due = block[at:] + block * (len(piece) // len(block) + 1)
    good = good and due[: len(piece)] == piece
    got += len(piece)
say(error, got == size, good, client.getstats()[0] == size)
thread.join()
"""


@pytest.mark.skipif(
    not os.path.exists("/proc/self/statm") or "free-threading" in sys.version,
    reason="needs /proc, and an allocator that has no gigabyte in reserve",
)
@pytest.mark.parametrize(
    "call",
    [
        "client.receive(size)",
        "client.receive('*a')",
        "client.receive('*l')",
        "client.receive(size, block)",
        "client.receiveuntil(b'nowhere')",
        "client.receive('*a', b'', size * 2)",
    ],
)
def test_no_memory_is_a_failure_and_loses_nothing(call: str) -> None:
    text = HUGE.replace("{call}", call)
    if "*l" in call:  # a line must not end, nor lose CRs
        text = text.replace("bytes(range(256)) * 4096", "bytes(range(14, 142)) * 8192")
    if "block)" in call:
        text = text.replace(
            "got = 1 + len(partial)",
            "partial = partial[len(block):]\ngot = 1 + len(partial)",
        )
    with Child(text) as child:
        assert child.hear() == "True memory allocation failure"
        assert child.hear() == "closed True True True"
        child.end()


# ---- A resolver that hangs


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, str]:
    """The environment of a process in which the resolver never answers for hang.test."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    suite = Path(__file__).parents[1] / "conformance/polysock_conformance"
    source = suite / "data/slow_resolver.c"
    library = tmp_path_factory.mktemp("preload") / "hanging.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True
    )
    return {**os.environ, "LD_PRELOAD": str(library)}


@pytest.mark.parametrize("mode", ["b", "t"])
@pytest.mark.parametrize("method", ["connect", "bind"])
def test_a_name_that_hangs_is_abandoned(
    hanging: Dict[str, str], method: str, mode: str
) -> None:
    with Child(
        f"""
one = polysock.tcp()[0]
one.settimeout(0.1, "{mode}")
say(one.{method}("hang.test", 1))
""",
        env=hanging,
    ) as child:
        assert child.hear() == "(None, 'timeout')"
        child.end()  # the thread that still asks does not hold the end


def test_a_deadline_covers_the_name(hanging: Dict[str, str]) -> None:
    with Child(
        """
one = polysock.tcp()[0]
one.setdeadline(0.1)
say(one.connect("hang.test", 1), one.kind, one.getfd())
one.setdeadline()
one.settimeout(0)
say(one.connect("hang.test", 1))
with raising.bind("127.0.0.1", 0) as server:
    one.settimeout(5)
    say(one.connect(*server.getsockname()[:2]))
one.close()
""",
        env=hanging,
    ) as child:
        assert child.hear() == "(None, 'timeout') master -1"
        assert child.hear() == "(None, 'timeout')"
        assert child.hear() == "(1, None)"
        child.end()


@pytest.mark.parametrize(
    "call",
    [
        "polysock.connect('hang.test', 1)",
        "polysock.bind('hang.test', 1)",
        "polysock.dns.toip('hang.test')",
        "polysock.dns.getaddrinfo('hang.test')",
        "polysock.dns.tohostname('hang.test')",
        "polysock.dns.getnameinfo('hang.test')",
    ],
)
def test_ctrl_c_during_a_name(hanging: Dict[str, str], call: str) -> None:
    with Child(
        f"""
while hear() != "end":
    say("waiting")
    try:
        {call}
    except KeyboardInterrupt:
        say(time.monotonic())
""",
        env=hanging,
    ) as child:
        best = child.interrupted_after()
        began = time.monotonic()
        child.end()
        assert time.monotonic() - began < 10
    assert best < 0.1


def test_close_from_another_thread_abandons_a_name(hanging: Dict[str, str]) -> None:
    with Child(
        """
one = polysock.tcp()[0]
thread = threading.Thread(target=lambda: say(one.connect("hang.test", 1)))
thread.start()
one.close()
thread.join()
""",
        env=hanging,
    ) as child:
        assert child.hear() == "(None, 'closed')"
        child.end()


def test_other_threads_run_while_a_name_hangs(hanging: Dict[str, str]) -> None:
    with Child(
        """
one = polysock.tcp()[0]
thread = threading.Thread(target=lambda: one.connect("hang.test", 1), daemon=True)
thread.start()
say("still", sum(range(1000)))
say(polysock.dns.toip("127.0.0.1")[0])
""",
        env=hanging,
    ) as child:
        assert child.hear() == "still 499500"
        assert child.hear() == "127.0.0.1"
        child.end()
