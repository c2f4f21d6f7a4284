# SPDX-License-Identifier: MIT
"""``python -m polysock``: prints what is installed, and checks that it works.

The exit status is 0 if all checks pass. It only uses the loopback interface.
"""

from __future__ import annotations

import platform
import sys
from contextlib import contextmanager
from typing import Callable, Iterator, Tuple

from . import SETSIZE, VERSION, Error, Oversized, Refused, Timeout, _core, raising

LOOPBACK = ("127.0.0.1", "::1")


def versions() -> Iterator[Tuple[str, str]]:
    """Yields names and values of what is installed and what the system supports."""
    yield "version", VERSION.split()[-1]
    yield "python", f"{platform.python_version()} {platform.python_implementation()}"
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}"
    yield "module", str(_core.__file__)
    lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    yield "global lock", "on" if lock else "off"
    yield "descriptors", str(SETSIZE)
    for address, name in zip(LOOPBACK, ("IPv4", "IPv6")):
        try:
            raising.bind(address, 0).close()
        except Error as error:
            yield name, error.error
        else:
            yield name, "yes"


@contextmanager
def connected() -> Iterator[Tuple[raising.Socket, raising.Socket]]:
    """Yields both ends of a connection, with a time limit."""
    with raising.bind(LOOPBACK[0], 0) as server:
        address, port, _ = server.getsockname()
        with (
            raising.connect(address, port, timeout=10) as client,
            server.accept() as peer,
        ):
            client.settimeout(10)
            peer.settimeout(10)
            yield client, peer


def check_lines() -> bool:
    """Receives a line that comes in two parts, with a timeout between them."""
    with connected() as (client, peer):
        client.settimeout(0.01)
        peer.send(b"a li")
        partial = b""
        while partial != b"a li":
            try:
                client.receive("*l", partial)
            except Timeout as error:
                partial = error.partial or b""
        client.settimeout(10)
        peer.send(b"ne\r\nthe rest")
        peer.shutdown("send")
        return [client.receive("*l", partial), *client] == [b"a line", b"the rest"]


def check_bounds() -> bool:
    """Receives a line that is too long, then the rest of it."""
    with connected() as (client, peer):
        peer.send(b"12345678\n")
        try:
            client.receive("*l", maxsize=5)
        except Oversized as error:
            return error.partial == b"12345" and client.receive() == b"678"
    return False


def check_refusal() -> bool:
    """Connects to a port on which nobody listens."""
    with raising.bind(LOOPBACK[0], 0) as server:
        address, port, _ = server.getsockname()
    try:
        raising.connect(address, port, timeout=10).close()
    except Refused as error:
        return str(error).endswith(f"{address}:{port}")
    return False


def check_select() -> bool:
    """Selects from two objects of which one is ready."""
    with connected() as (client, peer):
        return raising.select([peer], [client], 10) == ([], [client])


CHECKS = (check_lines, check_bounds, check_refusal, check_select)


def passes(check: Callable[[], bool]) -> bool:
    """Returns whether a check passes; an exception is printed."""
    try:
        return check()
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return False


def main() -> int:
    """Prints the versions and the results of the checks. Returns the exit status."""
    for name, value in versions():
        print(f"{name + ':':<13}{value}")
    failed = 0
    for check in CHECKS:
        good = passes(check)
        failed += not good
        name = check.__name__.replace("check_", "")
        print(f"{'check ' + name + ':':<16}{'ok' if good else 'FAILED'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
