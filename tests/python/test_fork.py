# SPDX-License-Identifier: MIT
"""fork while threads are in calls: what they do is not under way in the child, and what
the child does to its copy is not done to the parent's.
"""

from __future__ import annotations

import os

import pytest
from conftest import Child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SETUP = """
import warnings
warnings.filterwarnings("ignore", category=DeprecationWarning)  # fork with threads

def waiting(call):
    \"\"\"Starts a thread that is asleep in a call when this returns.\"\"\"
    def run():
        try:
            results.append(call())
        except polysock.Error as error:
            results.append(repr(error))
    results = []
    thread = threading.Thread(target=run)
    thread.start()
    seen = 0
    while seen < 3:
        with open(f"/proc/self/task/{thread.native_id}/stat") as file:
            seen = seen + 1 if file.read().rpartition(")")[2].split()[0] == "S" else 0
        os.sched_yield()
    return thread, results

def in_child(call):
    \"\"\"Gives what a call gives in a child, as text.\"\"\"
    out, into = os.pipe()
    process = os.fork()
    if process == 0:
        signal.alarm(20)
        try:
            answer = repr(call())
        except BaseException as error:
            answer = repr(error)
        os.write(into, answer.encode())
        os._exit(0)
    os.close(into)
    os.waitpid(process, 0)
    with open(out) as file:
        return file.read()

def entered(one):
    with one:
        pass

server = raising.bind("127.0.0.1", 0)
client = raising.connect(*server.getsockname()[:2])
other = server.accept()
"""

ENDS = {
    "close": "lambda one: one.close()",
    "with": "entered",
    "setfd": "lambda one: os.close(one.getfd()) or one.setfd(-1)",
}


@pytest.mark.parametrize("end", ENDS)
def test_closing_the_copy_of_a_child_keeps_the_listener(end: str) -> None:
    with Child(
        SETUP
        + f"""
thread, results = waiting(server.accept)
say(in_child(lambda: ({ENDS[end]})(server)) in ("1", "None"))
late = raising.connect(*server.getsockname()[:2])
thread.join()
late.send(b"line\\n")
say(results[0].receive(), server.kind, server.getfd() >= 0)
"""
    ) as child:
        assert child.hear() == "True"
        assert child.hear() == "b'line' server True"
        child.end()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("call", ["receive", "receiveany", "lines().__next__"])
def test_closing_the_copy_of_a_child_keeps_the_connection(end: str, call: str) -> None:
    with Child(
        SETUP
        + f"""
thread, results = waiting(client.{call})
say(in_child(lambda: ({ENDS[end]})(client)) in ("1", "None"))
other.send(b"line\\n")
thread.join()
client.send(b"back\\n")
say(results[0], other.receive())
"""
    ) as child:
        assert child.hear() == "True"
        assert child.hear() in ("b'line' b'back'", "b'line\\n' b'back'")
        child.end()


def test_a_child_may_use_and_close_its_copy_during_a_receive() -> None:
    with Child(
        SETUP
        + """
thread, results = waiting(client.receive)
def count():
    return len(os.listdir("/proc/self/fd"))
def use():
    before = count()
    client.settimeout(0)
    try:
        client.receive()
    except polysock.Timeout as error:
        first = error.error
    sent = client.send(b"from the child\\n")
    client.close()
    return first, sent, before - count(), client.getfd()
say(in_child(use))
say(in_child(lambda: client.detach() == client.getfd()))
say(other.receive())
other.send(b"line\\n")
thread.join()
say(results)
"""
    ) as child:
        assert child.hear() == "('timeout', 15, 1, -1)"
        assert child.hear() == "False"
        assert child.hear() == "b'from the child'"
        assert child.hear() == "[b'line']"
        child.end()


def test_fork_during_a_send() -> None:
    with Child(
        SETUP
        + """
block = bytes(1 << 26)
thread, results = waiting(lambda: client.send(block))
def use():
    client.settimeout(0)
    try:
        return client.send(b"x")
    except polysock.Timeout as error:
        return error.last
sent = int(in_child(use))  # the system may have room again
say(sent in (0, 1), in_child(client.close))
total = 0
while total < len(block) + sent:
    total += len(other.receiveany())
thread.join()
say(total - sent, results)
"""
    ) as child:
        assert child.hear() == "True 1"
        assert child.hear() == f"{1 << 26} [{1 << 26}]"
        child.end()


def test_children_that_end_by_themselves_close_nothing() -> None:
    """The interpreter of a child collects copies on which the parent's threads wait."""
    with Child(
        SETUP
        + """
threads = [waiting(server.accept), waiting(client.receive)]
process = os.fork()
if process == 0:
    del server, client, other, threads
    sys.exit()
os.waitpid(process, 0)
other.send(b"line\\n")
late = raising.connect(*server.getsockname()[:2])
for thread, results in threads:
    thread.join()
say(threads[0][1][0].kind, threads[1][1])
"""
    ) as child:
        assert child.hear() == "client [b'line']"
        child.end()


def test_setfd_in_a_child() -> None:
    with Child(
        SETUP
        + """
thread, results = waiting(client.receive)
def renew():
    fresh = socket.create_connection(server.getsockname()[:2])
    client.setfd(fresh.detach())
    with server.accept() as peer:
        peer.send(b"for the child\\n")
        return client.receive()
say(in_child(renew))
other.send(b"line\\n")
thread.join()
say(results)
"""
    ) as child:
        assert child.hear() == "b'for the child'"
        assert child.hear() == "[b'line']"
        child.end()
