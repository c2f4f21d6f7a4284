# SPDX-License-Identifier: MIT
"""The testee for Python: reads a call per line, makes it, prints what came back.

It must never improve, hide or judge an answer: that is the driver's work. A result tuple
is printed as the tuple that it is, and text and bytes as what they are.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from typing import Any, Callable
from urllib.parse import unquote_to_bytes

import polysock

# What the driver has to know; Python's names for the constants are its own.
GREETING = (
    *("suite=1.0", "threads", "tuples"),
    "names=_VERSION:VERSION,_SETSIZE:SETSIZE,_SOCKETINVALID:SOCKETINVALID",
    "misuse=TypeError,ValueError",
)
LIBRARIES: dict[str, Any] = {"mod": polysock, "dns": polysock.dns}
slots: dict[str, Any] = {}
printing = threading.Lock()


def say(*words: str) -> None:
    with printing:
        print(*words, flush=True)


# Values: a letter for the type, then the value; text has its odd bytes as %XX.


WRITTEN = [chr(n) if 33 <= n < 127 and n != 37 else f"%{n:02X}" for n in range(256)]


def escape(data: bytes) -> str:
    return "".join([WRITTEN[byte] for byte in data])


def encode(value: Any, into: str) -> str:
    if value is None:
        return "n"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, float):
        return f"d{value!r}"
    if isinstance(value, str):
        return "s" + escape(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, bytes):
        return "b" + escape(value)
    if isinstance(value, (tuple, list)):
        ends = "()" if isinstance(value, tuple) else "[]"
        return " ".join([ends[0], *(encode(item, into) for item in value), ends[1]])
    if isinstance(value, dict):
        pairs = (f"s{key} {encode(item, into)}" for key, item in value.items())
        return " ".join(["{", *pairs, "}"])
    for name, known in slots.items():
        if known is value:
            return "o" + name
    if into != "-":
        slots[into] = value
    return "o" + into


def decode(word: str, rest: Iterator[str]) -> Any:
    mark, body = word[0], word[1:]
    if mark in "ntf":
        return {"n": None, "t": True, "f": False}[mark]
    if mark in "id":
        return int(body) if mark == "i" else float(body)
    if mark == "o":
        return slots[body]
    if mark == "[":
        return [decode(item, rest) for item in iter(lambda: next(rest), "]")]
    if mark == "{":
        names = iter(lambda: next(rest), "}")
        return {decode(name, rest): decode(next(rest), rest) for name in names}
    data = unquote_to_bytes(body)
    return data if mark == "b" else data.decode("utf-8", "surrogateescape")


# Calls.


def drop(slot: str) -> None:
    slots.pop(slot, None)
    gc.collect()


def reset(slot: str) -> None:
    for value in slots.values():
        if hasattr(value, "close"):
            value.close()
    slots.clear()
    gc.collect()


def keep(slot: str, value: Any) -> None:
    slots[slot] = value


class Foreign:
    """What select and pollers take besides the library's own objects."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def getfd(self) -> int:
        return self.fd


class Buffering(Foreign):
    def __init__(self, fd: int, buffered: bool) -> None:
        super().__init__(fd)
        self.buffered = buffered

    def dirty(self) -> bool:
        return self.buffered


def foreign(slot: str, fd: int, *dirty: bool) -> None:
    slots[slot] = Buffering(fd, *dirty) if dirty else Foreign(fd)


OWN: dict[str, Callable[..., Any]] = {  # what the scenarios ask of the testee itself
    # The text of an object tells more in Python, in words of its own: its test is there.
    "tostring": lambda slot: f"tcp{{{slots[slot].kind}}}: {id(slots[slot]):#x}",
    "next": lambda slot: next(slots[slot], None),
    "field": lambda slot, name: getattr(slots[slot], name),
    "drop": drop,
    "foreign": foreign,
    "keep": keep,
    "reset": reset,
}


def call(tag: str, into: str, slot: str, method: str, args: list[Any]) -> None:
    if tag != "0":
        say(tag, "tid", str(threading.get_native_id()))
    try:
        if method in OWN:
            value = OWN[method](slot, *args)
        else:
            value = getattr(LIBRARIES[slot] if slot in LIBRARIES else slots[slot], method)
            if callable(value):
                value = value(*args)
        say(tag, "ok", encode(value, into))
    except Exception as error:  # noqa: BLE001 - whatever was raised is the answer
        say(tag, "error", type(error).__name__, encode(str(error), into))


def main() -> None:
    version = polysock.VERSION.replace(" ", "-")
    say("polysock-testee", "1", version, *GREETING)
    for line in sys.stdin:
        tag, into, slot, method, *words = line.split()
        rest = iter(words)
        request = (tag, into, slot, method, [decode(word, rest) for word in rest])
        if tag == "0":
            call(*request)
        else:
            threading.Thread(target=call, args=request, daemon=True).start()


if __name__ == "__main__":
    main()
