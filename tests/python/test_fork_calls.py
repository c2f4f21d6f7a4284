# SPDX-License-Identifier: MIT
"""fork while a thread is in any call that waits, by os.fork and by multiprocessing. The
child uses what it has, ends in the ordinary way, and the call in the parent succeeds.
tests/core/test_fork_steps.c forks before the instructions of calls; here are the waits
that only the interpreter has, and what multiprocessing does around them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict

import pytest
from conftest import Child
from test_fork import SETUP

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork") or not os.path.exists("/proc/self/task"),
    reason="needs fork, and looks into /proc",
)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, str]:
    """The environment of a process in which late.test takes 0.3 s to resolve."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    suite = Path(__file__).parents[1] / "conformance/polysock_conformance"
    source = suite / "data/slow_resolver.c"
    library = tmp_path_factory.mktemp("preload") / "slow.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True
    )
    names = "late.test 0.3 127.0.0.1"
    return {**os.environ, "LD_PRELOAD": str(library), "TEST_NAMES": names}


MORE = (
    SETUP
    + """
import multiprocessing
address = server.getsockname()[:2]
poller = raising.poller()
poller.add(client, "r", "client")
poller.add(server, "r", "server")
room = bytearray(4)
master = raising.tcp()

def ready(given):
    return [one is client for one in given[0]]

def use_all():
    \"\"\"In a child: what is there can be used, without the threads of the parent.\"\"\"
    client.settimeout(0)
    server.settimeout(0)
    for call in (client.receive, server.accept, lambda: poller.wait(0)):
        try:
            return call()
        except polysock.Timeout:
            pass
    if client.send(b"child\\n") != 6:
        return "not sent"
    if poller.count() != 2:
        return "not counted"
    if raising.select([client, server], [client], 0)[1] != [client]:
        return "not selected"
    own = raising.bind("127.0.0.1", 0)
    with raising.connect("localhost", own.getsockname()[1]) as one, own.accept() as two:
        two.send(b"own\\n")
        if one.receive() != b"own":
            return "not received"
    for one in (client, server, poller, own, master):
        one.close()
    return "good"

def by_fork():
    return in_child(use_all)

def by_multiprocessing():
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=lambda: queue.put(use_all()))
    process.start()
    answer = queue.get()
    process.join(20)
    return repr(answer) if process.exitcode == 0 else process.exitcode
"""
)

# The call, what ends it, and what it then gives.
CALLS = {
    "accept": (
        "server.accept().kind",
        "late = socket.create_connection(address)",
        "client",
    ),
    "receive": ("client.receive()", "other.send(b'line\\n')", "b'line'"),
    "receiveinto": ("client.receiveinto(room)", "other.send(b'line')", "4"),
    "until": ("client.receiveuntil(b'--')", "other.send(b'a--')", "b'a'"),
    "iterate": ("next(iter(client))", "other.send(b'line\\n')", "b'line'"),
    "select": ("ready(polysock.select([client]))", "other.send(b'x')", "[True]"),
    "poller": ("[token for token, _ in poller.wait()]", "other.send(b'x')", "['client']"),
    "name": ("master.connect('late.test', address[1])", "late = server.accept()", "1"),
    "toip": ("dns.toip('late.test')[0]", "pass", "127.0.0.1"),
    "connect": ("full()", "drain()", "1"),
}

FULL = """
from polysock import dns
busy = socket.socket()
busy.bind(("127.0.0.1", 0))
busy.listen(0)
callers = []
def full():
    return master.connect(*busy.getsockname())
def drain():
    while master.kind != "client" or not master.wants() is None:
        for _ in range(len(callers)):
            busy.accept()[0].close()
            callers.pop().close()
        time.sleep(0.01)
"""


@pytest.mark.parametrize("way", ["by_fork", "by_multiprocessing"])
@pytest.mark.parametrize("call", CALLS)
def test_fork_during_a_wait(slow: Dict[str, str], call: str, way: str) -> None:
    code, end, gives = CALLS[call]
    with Child(
        MORE
        + FULL
        + f"""
if {call == "connect"}:  # connects until the system takes no more
    while True:
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex(busy.getsockname())
        callers.append(caller)
        if not polysock.select([], [caller], 0.3)[1]:
            break
thread, results = waiting(lambda: {code})
say({way}())
{end}
thread.join()
say(*results)
say(other.receive())
client.send(b"parent\\n")
say(other.receive())
""",
        env=slow,
    ) as child:
        assert child.hear() == "'good'"
        assert child.hear() == gives
        assert child.hear() == "b'child'"
        assert child.hear() == "b'parent'"
        child.end()


def test_a_child_resolves_what_its_parent_was_resolving(slow: Dict[str, str]) -> None:
    """The same object and the same name: each connects, by itself."""
    with Child(
        MORE
        + """
thread, results = waiting(lambda: master.connect("late.test", address[1]))
say(in_child(lambda: (master.connect("late.test", address[1]), master.send(b"one\\n"))))
thread.join()
master.send(b"two\\n")
say(*results, sorted(server.accept().receive() for _ in range(2)))
""",
        env=slow,
    ) as child:
        assert child.hear() == "(1, 4)"
        assert child.hear() == "1 [b'one', b'two']"
        child.end()


def test_processes_and_threads_share_a_listener() -> None:
    """Each caller is served once, by one of three children or by a thread of each."""
    with Child(
        SETUP
        + """
import multiprocessing
context = multiprocessing.get_context("fork")
server.settimeout(20)
def serve(count):
    for _ in range(count):
        with server.accept() as one:
            one.send(b"%d %s" % (os.getpid(), one.receive()))
def work(count):
    threads = [threading.Thread(target=serve, args=(count,)) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
thread = threading.Thread(target=serve, args=(20,))
thread.start()
workers = [context.Process(target=work, args=(10,)) for _ in range(3)]
for one in workers:
    one.start()
answers = []
for number in range(80):
    with socket.create_connection(server.getsockname()[:2]) as one:
        one.sendall(b"%d\\n" % number)
        answers.append(int(one.makefile().read().split()[1]))
thread.join()
for one in workers:
    one.join()
say(answers == list(range(80)), [one.exitcode for one in workers])
"""
    ) as child:
        assert child.hear() == "True [0, 0, 0]"
        child.end()


def test_fork_at_any_moment() -> None:
    """Two threads talk without a pause, and children use, close and collect copies."""
    with Child(
        SETUP
        + """
over = False
def talk(one, two):
    while not over:
        one.send(b"ping\\n")
        if two.receive() != b"ping":
            results.append("wrong")
results = []
pairs = [(client, other)]
two = raising.connect(*server.getsockname()[:2])
pairs.append((two, server.accept()))
threads = [threading.Thread(target=talk, args=pair) for pair in pairs]
for one in threads:
    one.start()
bad = 0
for number in range(30):
    process = os.fork()
    if process == 0:
        signal.alarm(20)
        made = socket.socketpair()
        for one in (client, two):
            one.settimeout(0)
            one.pending(), one.dirty(), one.getstats(), repr(one)
        made[1].send(b"own\\n")
        client.setfd(made[0].detach())
        good = client.receive()[-3:] == b"own"
        if number % 3 == 0:
            del client, other, two, pairs
        elif number % 3 == 1:
            for one in (client, other, two, server):
                one.close()
        os._exit(0 if good else 1)
    bad += os.waitpid(process, 0)[1] != 0
over = True
for one in threads:
    one.join()
say(bad, results)
"""
    ) as child:
        assert child.hear() == "0 []"
        child.end()
