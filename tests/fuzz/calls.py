# SPDX-License-Identifier: MIT
"""What fuzz_python.c runs on each input: the bytes become calls of all that the module
has, on a few objects, with arguments of right and of wrong types. Signals, profilers,
finalizers, methods of foreign objects and memory that is gone do the same in the middle
of such calls. What play or finish raises is a fault, of the module or of this program."""

from __future__ import annotations

import contextlib
import gc
import importlib.machinery
import math
import mmap
import signal
import sys
import warnings
import weakref
from array import array
from typing import Any, Callable, Dict, List, Tuple

import fuzzing  # made by fuzz_python.c


class Compiled:
    """Finds and loads the module that is compiled into this program."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        if name != "polysock._core":
            return None
        return importlib.machinery.ModuleSpec(name, Compiled)  # type: ignore[arg-type]

    create_module = staticmethod(fuzzing.create)
    exec_module = staticmethod(fuzzing.execute)


sys.meta_path.insert(0, Compiled)  # type: ignore[arg-type]

import polysock  # noqa: E402
from polysock import _core, raising  # noqa: E402

Value = Any
DEEPEST = 3


class Tape:
    """The input, the objects that calls gave, and how much more may be done."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.fuel, self.depth = data, 0, 200, 0
        self.pool: List[Value] = [None] * 8

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def pick(self, choices: Any) -> Any:
        return choices[self.byte() % len(choices)]

    def bytes(self) -> bytes:
        size = self.byte() % 24
        taken = self.data[self.at : self.at + size]
        self.at += len(taken)
        return taken

    def object(self) -> Value:
        return self.pool[self.byte() % 8]

    def keep(self, value: Value) -> None:
        if not isinstance(value, (int, float, str, bytes, type(None))):
            self.pool[self.byte() % 8] = value


tape = Tape(b"")
byte: Callable[[], int] = lambda: tape.byte()  # noqa: E731
pick: Callable[[Any], Any] = lambda choices: tape.pick(choices)  # noqa: E731

# ---- Values

HOSTS = ["127.0.0.1", "::1", "*", "0.0.0.0", "::", "", "::ffff:127.0.0.1", "10.1.2.3"]
HOSTS += ["1.2.3.4.5", "a name", "127.0.0.1\0", "::1%lo", "127.1", "0x7f.1", "1" * 300]
HOSTS += ["\udc80", "\ud800", "\u20ac"]
NUMBERS = [0, 1, 2, 3, 5, 16, 100, 1000, 5000, 70000, -1, -2, 2.5, 0.1, 1e300, -1e300]
NUMBERS += [
    math.inf,
    -math.inf,
    math.nan,
    2**31,
    2**32,
    2**53,
    2**63,
    2**63 - 1,
    -(2**63),
]
NUMBERS += [10**30, -(10**30), 255, 256, 65535, 65536, True, 1j]
OPTIONS = (
    "keepalive reuseaddr reuseport tcp-nodelay ipv6-v6only tcp-fastopen-connect linger"
)
OPTIONS += " tcp-keepidle tcp-keepcnt tcp-keepintvl tcp-defer-accept tcp-fastopen error"
OPTIONS += " recv-buffer-size send-buffer-size tcp-user-timeout bindtodevice unknown"
OPTION_VALUES: List[Value] = [
    True,
    False,
    1,
    0,
    -1,
    2.5,
    1e300,
    10**30,
    "lo",
    "",
    "x" * 300,
]
OPTION_VALUES += [{"on": True, "timeout": 0}, {"on": False}, {"on": 1}, {}, "\udc80"]
PATTERNS = ["*l", "*L", "*a", "l", "L", "a", "*x", "", "\udc80", None]


class Foreign:
    """An object of another library. Its methods do something, and answer anything."""

    def __init__(self) -> None:
        self.fd = descriptor()
        self.keeps = byte() % 4 > 0

    def answer(self) -> Any:
        act()
        return self.fd if self.keeps else pick(NUMBERS)

    getfd = fileno = dirty = __index__ = __len__ = __hash__ = __int__ = answer

    def __float__(self) -> float:
        act()
        return 0.0

    def __iter__(self) -> Any:
        act()
        return iter([tape.object(), tape.object()])

    def __getitem__(self, key: Any) -> Any:
        act()
        return tape.object()

    def __eq__(self, other: object) -> bool:
        act()
        return byte() % 2 == 0

    def __bool__(self) -> bool:
        act()
        return byte() % 2 == 0

    def __buffer__(self, flags: int) -> memoryview:
        act()
        return memoryview(bytearray(byte()))


class Lacking(Foreign):
    """The same without a descriptor of its own, or with one that cannot be asked for."""

    getfd = None  # type: ignore[assignment]

    @property
    def dirty(self) -> Any:  # type: ignore[override]
        act()
        raise pick([AttributeError, RuntimeError, KeyboardInterrupt])("dirty")


class Dying:
    """Does something when it is collected."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        act()


class Revived(polysock.Socket):
    """A socket that does not want to be collected."""

    def __del__(self) -> None:
        tape.keep(self)
        act()


class Raising(raising.RaisingSocket if hasattr(raising, "RaisingSocket") else object):  # type: ignore[misc]
    def __del__(self) -> None:
        act()


def descriptor() -> Any:
    try:
        return tape.object().getfd()
    except Exception:
        return pick(NUMBERS)


def port() -> Any:
    if byte() % 4 > 0:
        with contextlib.suppress(Exception):
            return tape.object().getsockname()[1]
    return pick([0, 1, 65535, 65536, -1, "0", "http", "70000", "", 1.5, "\udc80"])


def data() -> Any:
    made = tape.bytes()
    if byte() % 16 == 0:
        made = (made + b"ab\r\n") * 20000
    return pick([bytes, bytes, bytes, bytearray, memoryview, lambda b: array("B", b)])(
        made
    )


def released() -> memoryview:
    view = memoryview(bytearray(8))
    view.release()
    return view


def anonymous() -> Any:
    made = mmap.mmap(-1, 4096)
    if byte() % 2 == 0:
        made.close()
    return made


def room() -> Any:
    size = byte() * 8
    return pick([bytearray, bytearray, lambda n: memoryview(bytearray(n)), bytes])(size)


def sockets() -> Any:
    made = [Foreign() if byte() % 3 == 0 else tape.object() for _ in range(byte() % 5)]
    return pick([list, list, list, tuple, iter, lambda items: Foreign()])(made)


def text(choices: str) -> Callable[[], Any]:
    words = [*choices.split(), "", "x"]
    return lambda: pick(words)


GENERATORS: Dict[str, Callable[[], Value]] = {
    "a": lambda: value(),
    "b": text("b t"),
    "d": lambda: pick(NUMBERS) if byte() % 4 == 0 else descriptor(),
    "e": text("r w rw"),
    "f": text("inet inet6 unspec"),
    "h": lambda: pick(HOSTS),
    "k": text("master client server"),
    "m": lambda: pick(
        [1, 2, 3, 10, 100, 65536, 2**53, 2**63 - 1, 2**64, 0, -1, 1.5, None]
    ),
    "n": lambda: pick(NUMBERS) if byte() % 4 == 0 else byte() - 128,
    "o": text(OPTIONS),
    "p": port,
    "r": lambda: byte() * 16 if byte() % 3 == 0 else pick(PATTERNS),
    "s": data,
    "t": lambda: pick([0, 0.001, 1, -1, 1e300, math.inf, math.nan, None, 10**400]),
    "v": lambda: pick(OPTION_VALUES),
    "w": text("both send receive"),
    "x": lambda: value() if byte() % 4 == 0 else tape.object(),
    "R": room,
    "S": sockets,
}
SHAPES = {
    "_mark": "xn",
    "_pieces": "xa",
    "add": "xea",
    "bind": "hpn",
    "connect": "hphpft",
    "connect4": "hphpt",
    "connect6": "hphpt",
    "failure": "ha",
    "fromfd": "dk",
    "getaddrinfo": "ht",
    "getnameinfo": "hpt",
    "getoption": "o",
    "lines": "rm",
    "listen": "n",
    "modify": "xea",
    "receive": "rsm",
    "receiveany": "m",
    "receiveinto": "Rn",
    "receiveuntil": "ssm",
    "remove": "x",
    "select": "SSt",
    "send": "snn",
    "setdeadline": "t",
    "setfd": "d",
    "setoption": "ov",
    "setpeername": "hp",
    "setsockname": "hp",
    "setstats": "mmt",
    "settimeout": "tb",
    "shutdown": "w",
    "sleep": "t",
    "tohostname": "ht",
    "toip": "ht",
    "wait": "tm",
}
VALUES: List[Callable[[], Value]] = [
    lambda: None,
    lambda: True,
    lambda: pick(NUMBERS),
    lambda: pick(NUMBERS),
    lambda: pick(HOSTS),
    lambda: tape.bytes(),
    lambda: tape.object(),
    lambda: tape.object(),
    list,
    dict,
    lambda: Foreign(),
    lambda: Lacking(),
    lambda: act,
    lambda: type(tape.object()),
    lambda: "x" * (byte() * 256),
    released,
    anonymous,
    room,
    sockets,
    lambda: pick(OPTION_VALUES),
    lambda: object(),
]


def value() -> Value:
    return pick(VALUES)()


# ---- Calls

FUNCTIONS: List[Tuple[str, Callable[..., Any]]] = []
for module in (polysock, raising, polysock.dns, raising.dns, _core):
    for name, function in sorted(vars(module).items()):
        wanted = not name.startswith("_") or name in {"_mark", "_pieces"}
        if wanted and type(function) is type(_core.tcp):
            FUNCTIONS.append((name, function))
METHODS = sorted(name for name in dir(polysock.Socket) if name[0] != "_")
POLLER_METHODS = sorted(name for name in dir(polysock.Poller) if name[0] != "_")
SPECIAL = "__repr__ __str__ __hash__ __iter__ __next__ __enter__ __reduce_ex__ __sizeof__"
SPECIALS = [
    *SPECIAL.split(),
    "__del__",
    "__exit__",
    "__aiter__",
    "__anext__",
    "__await__",
]
SPECIALS += ["send", "throw", "close"]
RECEIVES = {"receive", "receiveany", "receiveuntil"}
PARAMETERS = [
    "pattern",
    "prefix",
    "maxsize",
    "timeout",
    "nbytes",
    "x",
    "token",
    "address",
]


def check(name: str, owner: Value, result: Value) -> None:
    if type(owner) is polysock.Socket and name in RECEIVES:
        first, second, third = result
        good = second is None and third is None and type(first) is bytes
        bad = first is None and type(second) is str and type(third) is bytes
        if not good and not bad:
            raise SystemError(f"{name} gave {result!r}")


def call(name: str, owner: Value, function: Any, args: Tuple[Value, ...]) -> None:
    how = byte()
    kwargs: Dict[str, Value] = {}
    if how >= 240 and args:
        kwargs[pick(PARAMETERS)] = args[-1]
        args = args[:-1]
    python = byte() % 24 + 2 if how % 8 == 1 else 0
    core = byte() % 6 + 2 if how % 8 == 2 else 0
    signals = byte() % 3 + 1 if how % 8 == 3 else 0
    if name in {"detach", "setfd"}:
        fuzzing.stray()
    raised, result = fuzzing.call(python, core, signals, function, args, kwargs)
    if not raised:
        check(name, owner, result)
        for item in result if type(result) is tuple else [result]:
            tape.keep(item)


def arguments(name: str) -> Tuple[Value, ...]:
    shape = SHAPES.get(name)
    if shape is None or byte() % 8 == 0:
        return tuple(value() for _ in range(byte() % 4))
    if byte() % 8 == 0:
        shape = shape[: byte() % 6]
    made = []
    for letter in shape:
        way = byte() % 16
        made.append(value() if way == 0 else None if way < 4 else GENERATORS[letter]())
    return tuple(made)


def method() -> None:
    owner = tape.object()
    name = pick(POLLER_METHODS if isinstance(owner, polysock.BasePoller) else METHODS)
    bound = getattr(owner, name, None)
    if bound is not None:
        call(name, owner, bound, arguments(name))


def special() -> None:
    owner = tape.object()
    name = pick(SPECIALS)
    bound = getattr(owner, name, None)
    if bound is not None:
        call(name, owner, bound, tuple(value() for _ in range(byte() % 4)))


def unbound() -> None:
    """A method of a class on whatever there is."""
    owner = pick([polysock.Socket, polysock.Poller, polysock.BaseSocket, raising.connect])
    name = pick([*METHODS, *POLLER_METHODS, "__new__", "__init__", "__class__"])
    function = getattr(owner, name, None)
    if callable(function):
        call(name, owner, function, (value(), *arguments(name)))


def module_function() -> None:
    name, function = pick(FUNCTIONS)
    call(name, None, function, arguments(name))


def pair() -> None:
    """A connected pair and its server."""
    style: Any = polysock if byte() % 4 > 0 else raising
    first = byte() % 8
    made = []
    with contextlib.suppress(Exception):
        made = [polysock.bind("127.0.0.1", 0)[0]]
        made += [style.connect(*made[0].getsockname()[:2]), made[0].accept()[0]]
        if type(made[1]) is tuple:
            made[1] = made[1][0]
        tape.pool[first], tape.pool[(first + 1) % 8] = made[1:]
        if byte() % 2 == 0:
            tape.pool[(first + 2) % 8] = made[0]


def feed() -> None:
    peer = tape.object()
    with contextlib.suppress(Exception):
        peer.settimeout(0)
        peer.send(bytes(data()) + pick([b"\n", b"", b"\r\n", b"--", b"x\n\n"]))


def iterate() -> None:
    iterator = tape.object()
    for _ in range(byte() % 4 + 1):
        call("next", None, next, (iterator,))


def loop() -> None:
    """Changes things while it goes through what is ready."""
    owner = tape.object()
    ready = owner.wait(0) if isinstance(owner, polysock.BasePoller) else owner
    for count, _ in enumerate(ready[0] if type(ready) is tuple else ready):
        act()
        if count > 8:
            break


def pieces() -> None:
    """The iterator of polysock.aio, driven by hand."""

    def wait() -> Any:
        act()
        yield None
        act()
        return b"piece"

    lines = tape.object().lines(*arguments("lines"))
    tape.keep(_core._pieces(lines, wait if byte() % 4 > 0 else value()))
    piece = _core._pieces(lines, wait).__anext__()
    tape.keep(piece)
    if byte() % 2 == 0:
        piece.send(None)


def profile() -> None:
    left = byte() % 8 + 1

    def profiler(frame: Any, event: str, arg: Any) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            sys.setprofile(None)
        if event.startswith("c_"):
            act()

    sys.setprofile(profiler)


def attributes() -> None:
    owner = tape.object()
    name = pick(["x", "__dict__", "__class__", "kind", "receive", "__weakref__"])
    with_class = [Revived, Raising, polysock.Socket, polysock.Poller, value()]
    if byte() % 2 == 0:
        setattr(owner, name, pick(with_class) if name == "__class__" else value())
    else:
        delattr(owner, name)


def collect() -> None:
    ways: List[Callable[[], Any]] = [
        gc.collect,
        lambda: gc.set_threshold(1 + byte() % 4),
        lambda: tape.pool.__setitem__(byte() % 8, Dying()),
        lambda: tape.pool.__setitem__(byte() % 8, None),
        lambda: tape.pool.__setitem__(slice(None), [None] * 8),
        lambda: tape.keep(weakref.ref(tape.object(), lambda ref: act())),
        lambda: tape.keep([tape.object(), tape.pool]),
        lambda: warnings.simplefilter(pick(["error", "ignore"]), ResourceWarning),
    ]
    pick(ways)()


def make_poller() -> None:
    made = polysock.poller()[0] if byte() % 2 == 0 else raising.poller()
    tape.pool[byte() % 8] = made


ACTS = [method] * 6 + [
    feed,
    feed,
    module_function,
    module_function,
    special,
    unbound,
    pair,
]
ACTS += [make_poller, iterate, loop, pieces, profile, attributes, collect, collect]


def act() -> None:
    if tape.depth > DEEPEST or tape.fuel <= 0 or tape.at >= len(tape.data):
        return
    depth = tape.depth
    tape.depth += 1
    tape.fuel -= 1
    try:
        pick(ACTS)()
    except SystemError:
        raise
    except BaseException:
        pass
    finally:
        tape.depth = depth


def on_signal(number: int, frame: Any) -> None:
    act()
    if byte() % 4 == 0:
        raise KeyboardInterrupt


signal.signal(signal.SIGURG, on_signal)
sys.unraisablehook = lambda unraisable: None


def play(data: bytes) -> None:
    global tape
    tape = Tape(data)
    pair()
    make_poller()
    while tape.at < len(data) and tape.fuel > 0:
        try:
            act()
        except SystemError:
            raise
        except BaseException:
            pass


def finish(data: bytes) -> None:
    global tape
    for _ in range(3):
        with contextlib.suppress(KeyboardInterrupt):
            sys.setprofile(None)
            warnings.simplefilter("ignore", ResourceWarning)
            gc.set_threshold(0)
            tape = Tape(b"")
            gc.collect()
    if len(data) % 16 > 0:
        return
    # Whatever was done, new objects work.
    server = raising.bind("127.0.0.1", 0)
    client = raising.connect(*server.getsockname()[:2])
    peer = server.accept()
    with server, client, peer:
        assert client.send(b"probe\n") == 6
        assert peer.receive() == b"probe"


warnings.simplefilter("ignore")
for sample in (b"", bytes(range(200))):
    play(sample)
    finish(sample)
gc.collect()
gc.freeze()
