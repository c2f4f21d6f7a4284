# SPDX-License-Identifier: MIT
"""Whose state is it: several loads of the module, several interpreters, the end of one,
and a signal between a failure and its exception.

Each test has a process of its own, since a module that is loaded twice stays so.
"""

from __future__ import annotations

import errno
import gc
import importlib.util
import sys
import types
from typing import Any

import polysock
import pytest
from conftest import Child

LOADED = """
server = raising.bind("127.0.0.1", 0)
address = server.getsockname()[:2]
old = raising.connect(*address)
accepted = server.accept()

def forget():
    for name in [its for its in sys.modules if its.split(".")[0] == "polysock"]:
        del sys.modules[name]

def raised(call):
    try:
        return repr(call())
    except Exception as error:
        return error
"""


def test_a_second_load_leaves_the_first_alone() -> None:
    with Child(
        LOADED
        + """
forget()
import polysock as second
say(second is not polysock, second.Socket is not polysock.Socket)
for module in (polysock, second):
    error = raised(lambda: module.raising.connect("127.0.0.1", 1))
    say(type(error) is module.Refused, isinstance(error, module.Error))
    with module.raising.connect(*address) as client:
        server.accept().close()
        say(type(client) is module.raising.Socket, type(module.tcp()[0]) is module.Socket)
old.settimeout(0)
say(type(raised(old.receive)) is polysock.Timeout, type(raised(accepted.accept)))
accepted.send(b"line\\n")
say(second.select([old], None, 5)[0] == [old], old.receive())
error = raised(lambda: second.try_((None, "timeout")))
say(type(error) is second.Timeout)
"""
    ) as child:
        assert child.hear() == "True True"
        for _ in range(2):
            assert child.hear() == "True True"
            assert child.hear() == "True True"
        assert child.hear() == "True <class 'TypeError'>"
        assert child.hear() == "True b'line'"
        assert child.hear() == "True"
        child.end()


def test_an_unloaded_module_is_garbage_collected() -> None:
    with Child(
        LOADED
        + """
import gc, weakref
forget()
import polysock as second
weak = [weakref.ref(its) for its in (second.Socket, second.raising.Socket, second.Error)]
weak.append(weakref.ref(second._core))
client = second.raising.connect(*address)
client.me = client
client.close()
lines = second.tcp()[0]
forget()
del second, client, lines
gc.collect()
say(*[its() is None for its in weak])
say(type(raised(lambda: raising.connect("127.0.0.1", 1))) is polysock.Refused)
"""
    ) as child:
        assert child.hear() == "True True True True"
        assert child.hear() == "True"
        child.end()


CLEARED = """
import gc, weakref
from functools import partial
forget()
gc.disable()  # the collector clears in the order of making: the new module first
import polysock as second
kept = []

class Loop:
    def __init__(self):
        self.me = self

class Last(Loop):
    \"\"\"Its finaliser, which comes before any clearing, has calls made amid it.\"\"\"
    def __init__(self, early, calls):
        super().__init__()
        self.early, self.calls = early, calls
    def __del__(self):
        calls = [weakref.ref(its) for its in self.calls]
        kept.append(weakref.ref(self.early, lambda _: [said(its()) for its in calls]))
        del self.early

def said(call):
    try:
        say(call())
    except Exception as error:
        say(type(error).__name__, error)

def leave(module):
    made = module.connect(*address)
    client = made[0] if isinstance(made, tuple) else made
    server.accept().close()
    lines = client.lines()
    client.close()
    early = Loop()
    calls = [
        partial(client.receive),
        partial(next, client),
        partial(next, lines),
        partial(client.lines),
        partial(module.tcp4),
        partial(module.poller),
        partial(module.connect, "127.0.0.1", 1),
        partial(module.fromfd, 2**31 - 1, "client"),
        partial(module.select, [client], [client], 0),
        partial(second._core._pieces, lines, iter),
        partial(second._core._mark, client, 1),
        partial(second._core.failure, "closed"),
        partial(second._core.failure, "Bad file descriptor"),
        partial(repr, client),
    ]
    Last(early, calls)

before = os.listdir("/dev/fd")
leave(MODULE)
forget()
del second
gc.collect()
say("end", os.listdir("/dev/fd") == before)
"""


@pytest.mark.skipif("free-threading" in sys.version, reason="it clears in another order")
@pytest.mark.parametrize("style", ["second.raising", "second"])
def test_calls_while_the_collector_clears_the_module(style: str) -> None:
    """The exceptions are plain ones then."""
    raises = style == "second.raising"
    due = [
        "OSError [Errno None] closed" if raises else "(None, 'closed', b'')",
        "OSError [Errno None] closed",
        "StopIteration ",
        *["RuntimeError the module is gone"] * 3,
        f"ConnectionRefusedError [Errno {errno.ECONNREFUSED}] connection refused",
        f"OSError [Errno {errno.EBADF}] Bad file descriptor",
        f"TimeoutError [Errno {errno.ETIMEDOUT}] timeout",
        "TypeError _pieces() takes an iterator and a function",
        "TypeError _mark() takes a RaisingSocket and an integer",
        "[Errno None] closed",
        "[Errno None] Bad file descriptor",
        f"<polysock.{'RaisingSocket' if raises else 'Socket'} client closed>",
    ]
    if not raises:
        due[6] = "(None, 'connection refused')"
        due[7] = "(None, 'Bad file descriptor')"
        due[8] = "([], [], 'timeout')"
    with Child(LOADED + CLEARED.replace("MODULE", style)) as child:
        said = []
        while not said or not said[-1].startswith("end"):
            said.append(child.hear())
        assert said.pop() == "end True"
        child.end()
    if said == []:
        pytest.skip("this Python calls nothing then")
    assert said == due


FOUND = """
import gc, weakref
class Kept(tuple):
    pass

def look(_):
    for its in gc.get_objects():
        if type(its) is Kept:
            call_all(*its)

def call_all(knot, client, poller, lines, awaited, pieces, more, mark, words, take,
             *methods):
    say(client, poller)
    calls = [lambda its=its: next(its) for its in (client, lines, awaited)]
    calls += [lambda: next(pieces()), lambda: more(lines, look), lambda: mark(client, 1)]
    calls.append(lambda: take(2**31 - 1, "client"))
    for call in (*calls, *methods):
        say(repr(raised(call)))
    say(type(words("timeout")).__name__, type(words("strange")).__name__)

def leave():
    import polysock as second
    client, poller = second.raising.connect(*address), second.raising.poller()
    for one in (client, poller, server.accept()):
        one.close()
    core, lines = second._core, client.lines()
    pieces = core._pieces(lines, look)
    awaited = pieces.__anext__()
    knot = {}
    kept = Kept((knot, client, poller, lines, awaited, pieces.__anext__, core._pieces,
                 core._mark, core.failure, core.raising_fromfd, client.receive,
                 client.lines, core.raising_tcp, core.poller))
    code = compile("", "", "exec")
    bell, rope = weakref.ref(code, look), [code]
    rope.append(rope)
    knot["kept"] = kept  # an empty dict was not tracked
    return bell

gc.disable()
forget()
bell = leave()
forget()
gc.collect()
say(bell() is None)
"""


def test_what_is_cleared_already_may_be_called() -> None:
    """Code that runs in between may call what is cleared already, and is told so.

    It runs when an object ends that the collector does not know, and it finds the others
    in a tuple, which is never cleared. What is tracked first is cleared first.
    """
    gone = "RuntimeError('the module is gone')"
    said = [
        "<polysock.RaisingSocket client closed> <polysock.RaisingPoller closed>",
        "OSError(None, 'closed')",
        "StopIteration()",
        "RuntimeError('cannot reuse already awaited piece')",
        "RuntimeError('the iterator is gone')",
        "TypeError('_pieces() takes an iterator and a function')",
        "TypeError('_mark() takes a RaisingSocket and an integer')",
        "OSError(9, 'Bad file descriptor')",
        "OSError(None, 'closed')",
        gone,
        gone,
        gone,
        "TimeoutError OSError",
    ]
    with Child(LOADED + FOUND) as child:
        heard = [child.hear()]
        while heard[-1] != "True":
            heard.append(child.hear())
        if "free-threading" in sys.version:
            assert len(heard) in (1, 1 + len(said))
        else:
            assert heard == [*said, "True"]
        child.end()


@pytest.mark.parametrize("name", ["polysock", "polysock._core", "polysock.raising"])
def test_a_reload_keeps_the_classes(name: str) -> None:
    with Child(
        LOADED
        + f"""
import importlib
kind, error = polysock.Socket, polysock.Error
importlib.reload(sys.modules["{name}"])
say(polysock.Socket is kind, polysock.Error is error)
say(type(raised(lambda: polysock.raising.connect("127.0.0.1", 1))) is polysock.Refused)
say(type(polysock.raising.connect(*address)) is raising.Socket)
"""
    ) as child:
        for answer in ("True True", "True", "True"):
            assert child.hear() == answer
        child.end()


def test_the_package_may_be_in_another() -> None:
    """As a copy that an application carries: the classes are its own."""
    with Child(
        LOADED
        + """
import tempfile, shutil, pathlib
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "carrier").mkdir()
(folder / "carrier" / "__init__.py").touch()
shutil.copytree(pathlib.Path(polysock.__file__).parent, folder / "carrier" / "polysock")
sys.path.insert(0, str(folder))
from carrier import polysock as carried
say(carried.__name__, carried.connect.__module__, carried.raising.dns.toip.__module__)
error = raised(lambda: carried.raising.connect("127.0.0.1", 1))
say(type(error) is carried.Refused, isinstance(error, polysock.Error))
shutil.rmtree(folder)
"""
    ) as child:
        name = "carrier.polysock"
        assert child.hear() == f"{name} {name} {name}.raising.dns"
        assert child.hear() == "True False"
        child.end()


def compiled(name: str) -> Any:
    """The compiled module under another name, not filled yet, and what fills it."""
    path = polysock._core.__file__
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    return importlib.util.module_from_spec(spec), spec.loader.exec_module


@pytest.mark.parametrize(
    ("name", "package"), [("x._core", "x"), ("_core", "polysock"), ("._core", "polysock")]
)
def test_functions_are_of_the_package_however_short_its_name(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, polysock)
    monkeypatch.setitem(sys.modules, package + ".errors", polysock.errors)
    module, fill = compiled(name)
    fill(module)
    assert module.tcp.__module__ == package
    assert module.raising_dns_toip.__module__ == package + ".raising.dns"


def test_a_package_without_all_exceptions_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Error(Exception):
        pass

    monkeypatch.setitem(sys.modules, "x", polysock)
    monkeypatch.setitem(sys.modules, "x.errors", types.SimpleNamespace(Error=Error))
    before = sys.getrefcount(Error)
    for _ in range(5):
        module, fill = compiled("x._core")
        with pytest.raises(AttributeError, match="Timeout"):
            fill(module)
        del module, fill
    gc.collect()
    assert sys.getrefcount(Error) < before + 5


INTERPRETERS = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
def run(made, code):
    answer = interpreters.run_string(made, code)
    assert answer is None, answer
def make():
    for arguments in [("isolated",), ()]:
        try:
            return interpreters.create(*arguments)
        except TypeError:
            pass
"""


def test_each_interpreter_has_its_own() -> None:
    """Those with a global lock of their own included, where Python has such."""
    with Child(
        INTERPRETERS
        + """
code = '''
import gc, sys
try:
    import polysock
except ImportError as error:
    assert sys.version_info < (3, 10), error  # what it imports is not for interpreters
else:
    from polysock import raising
    server = raising.bind("127.0.0.1", 0)
    client = raising.connect(*server.getsockname()[:2])
    peer = server.accept()
    peer.send(b"line\\\\n")
    assert client.receive() == b"line"
    client.settimeout(0)
    for call in (client.receive, lambda: next(client), lambda: next(client.lines(4))):
        try:
            call()
        except polysock.Timeout as error:
            assert error.error == "timeout"
    assert polysock.connect("127.0.0.1", 1)[1] == "connection refused"
    client.me = client
    client.close()
    peer.close()
    server.close()
    gc.collect()
'''
made = [make() for _ in range(3)]
for one in made:
    run(one, code)
say(polysock.connect("127.0.0.1", 1))
for one in made[:2]:
    interpreters.destroy(one)
run(made[2], code)
interpreters.destroy(made[2])
with raising.bind("127.0.0.1", 0) as server:
    server.settimeout(0)
    try:
        server.accept()
    except polysock.Timeout as error:
        say(type(error) is polysock.Timeout, server)
"""
    ) as child:
        assert child.hear() == "(None, 'connection refused')", child.errors()
        assert child.hear().startswith("True <polysock.RaisingSocket server")
        child.end()


def test_interpreters_at_once() -> None:
    with Child(
        INTERPRETERS
        + """
code = '''
import polysock
from polysock import raising
for _ in range(200):
    try:
        raising.connect("127.0.0.1", 1)
    except polysock.Refused as error:
        assert error.address == "127.0.0.1:1"
    assert polysock.fromfd(2**31 - 1, "client")[1]
'''
made = [make() for _ in range(4)]
threads = [threading.Thread(target=run, args=(one, code)) for one in made]
for one in threads:
    one.start()
for one in threads:
    one.join()
for one in made:
    interpreters.destroy(one)
say("done")
"""
    ) as child:
        assert child.hear() == "done", child.errors()
        child.end()


def test_failures_while_the_interpreter_ends() -> None:
    """Objects that live longest raise the right exceptions: nothing is imported then."""
    with Child(
        """
import builtins
class Last:
    def __init__(self):
        self.client = raising.tcp4()
        self.client.me = self
        self.connect, self.tell = self.client.connect, os.write
    def __del__(self):
        try:
            self.connect("127.0.0.1", 1)
        except OSError as error:
            self.tell(1, (type(error).__name__ + " " + str(error) + "\\n").encode())
        self.client.close()
builtins.last = Last()  # it is collected when modules are gone
sys.modules["kept"] = Last()
kept = Last()
say("ending")
"""
    ) as child:
        assert child.hear() == "ending"
        for _ in range(3):
            assert child.hear() == "Refused connection refused: 127.0.0.1:1"
        child.end()
        assert child.errors() == ""


@pytest.mark.parametrize("style", ["raising", "polysock"])
def test_no_signal_comes_between_bytes_and_their_exception(style: str) -> None:
    """Every byte is in a result or in an exception, whenever a handler raises."""
    with Child(
        f"""
import contextlib, functools, itertools
class Boom(Exception):
    pass
armed = False
def handler(*_):
    global armed
    if armed:
        armed = False
        raise Boom
signal.signal(signal.SIGALRM, handler)
listener = socket.create_server(("127.0.0.1", 0))
result = {style}.connect(*listener.getsockname())
client = result[0] if isinstance(result, tuple) else result
peer = listener.accept()[0]
client.settimeout(0)
def carried(error):
    while error is not None:
        if isinstance(error, polysock.Timeout):
            return len(error.partial)
        error = error.__context__
    return 0
got = sent = booms = 0
out = []
signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
while booms < 300:
    sent += peer.send(b"x")
    out.clear()
    try:
        try:
            armed = True
            out.extend(itertools.islice(iter(functools.partial(client.receive), None), 1))
            armed = False
        except polysock.Timeout as error:
            armed = False
            got += len(error.partial)
    except Boom as error:
        booms += 1
        got += carried(error)
    armed = False
    got += sum(len(its[2]) for its in out)
signal.setitimer(signal.ITIMER_REAL, 0)
peer.close()
client.settimeout(None)
with contextlib.suppress(polysock.Closed):
    rest = client.receive("*a")
    got += len(rest if isinstance(rest, bytes) else rest[0] or b"")
say(sent - got)
"""
    ) as child:
        assert child.hear() == "0"
        child.end()


@pytest.mark.skipif(not hasattr(sys, "_is_gil_enabled"), reason="there is but the lock")
def test_the_module_does_not_need_the_global_lock() -> None:
    with Child("say(sys._is_gil_enabled())") as child:
        free = "free-threading" in sys.version
        assert child.hear() == str(not free)
        child.end()
