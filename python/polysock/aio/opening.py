# SPDX-License-Identifier: MIT
"""Connecting. The core keeps the state of an attempt; the loop tells when to retry."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import inf
from typing import Callable, Dict, List, Optional, Union

from .. import raising
from ..errors import Error, Timeout
from ..raising import Socket, monotime
from .side import Side
from .stream import Stream

__all__ = ["connect", "connect4", "connect6", "numbers"]

_MASTERS: Dict[Optional[str], Callable[[], Socket]] = {
    None: raising.tcp,
    "unspec": raising.tcp,
    "inet": raising.tcp4,
    "inet6": raising.tcp6,
}

_SHORT = 1e-6
"""The limit of one call of connect, in seconds. With 0 the core would try only the first
address, and would block the loop for the time that it gives the resolver."""


async def numbers(address: str, end: float) -> List[str]:
    """Returns the numeric addresses of a local address; the executor resolves a name."""
    if address == "*":
        return [address]
    try:
        found = raising.dns.getaddrinfo(address, _SHORT)
    except Timeout:
        left = None if end == inf else max(end - monotime(), _SHORT)
        loop = asyncio.get_running_loop()
        look_up = raising.dns.getaddrinfo
        found = await loop.run_in_executor(None, look_up, address, left)
    return [its["addr"] for its in found]


async def _bind(
    master: Socket, locaddr: str, locport: Union[int, str, None], end: float
) -> None:
    found = await numbers(locaddr, end)
    for local in found[:-1]:
        with suppress(Error):
            master.bind(local, locport or 0)
            return
    master.bind(found[-1], locport or 0)


async def _is_writable(master: Socket, end: float) -> bool:
    """Waits for the outcome of a connect under way. Returns whether it is known."""
    side = Side(asyncio.get_running_loop(), master.getfd(), True)
    try:
        return not await side.wait(end)
    finally:
        side.drop()


async def _finish(
    master: Socket, address: str, port: Union[int, str], end: float
) -> None:
    """Connects a master. It remains a master while its name is being resolved."""
    delay = 0.001
    while True:
        try:
            master.connect(address, port)
            return
        except Timeout:
            if master.kind == "client":
                if not await _is_writable(master, end):
                    raise
            else:
                left = end - monotime()
                if left <= 0:
                    raise
                await asyncio.sleep(min(delay, left))
                delay = min(delay * 2, 0.02)


async def _connect(
    make: Callable[[], Socket],
    address: str,
    port: Union[int, str],
    locaddr: Optional[str],
    locport: Union[int, str, None],
    timeout: Optional[float],
) -> Stream:
    master = make()
    try:
        master.settimeout(timeout)  # checks the value
        limit = master.gettimeout()[0]
        end = inf if limit < 0 else monotime() + limit
        master.settimeout(0)
        if locaddr is not None:
            await _bind(master, locaddr, locport, end)
        if limit != 0:
            master.settimeout()
            master.settimeout(_SHORT, "t")
        await _finish(master, address, port, end)
        return Stream(master)
    except BaseException:
        master.close()
        raise


async def connect(
    address: str,
    port: Union[int, str],
    locaddr: Optional[str] = None,
    locport: Union[int, str, None] = None,
    family: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Stream:
    """Creates a stream that is connected to address and port.

    port is 1 to 65535, digits, or a service name. locaddr and locport are the local
    address to bind first. family is "inet", "inet6", or "unspec" for both (the default).
    The addresses of a name are tried one after another in the resolver's order; if all
    fail, the last failure is raised. timeout limits the whole call, in seconds; None or
    negative: no limit. The new stream has no limits.

    A helper thread of the core resolves the name. The loop polls for the answer after
    1 ms, then at growing intervals of up to 20 ms. A cancellation does not wait for it.

    Raises:
        Refused: nobody listens on that port.
        Timeout: the limit has expired.
        Unresolved: the name has no address.
        Error: another failure.
    """
    if family not in _MASTERS:
        raising.connect(address, port, locaddr, locport, family)  # raises ValueError
    make = _MASTERS[family]
    return await _connect(make, address, port, locaddr, locport, timeout)


async def connect4(
    address: str,
    port: Union[int, str],
    locaddr: Optional[str] = None,
    locport: Union[int, str, None] = None,
    timeout: Optional[float] = None,
) -> Stream:
    """Creates a stream as connect does, with the family "inet"."""
    return await _connect(raising.tcp4, address, port, locaddr, locport, timeout)


async def connect6(
    address: str,
    port: Union[int, str],
    locaddr: Optional[str] = None,
    locport: Union[int, str, None] = None,
    timeout: Optional[float] = None,
) -> Stream:
    """Creates a stream as connect does, with the family "inet6"."""
    return await _connect(raising.tcp6, address, port, locaddr, locport, timeout)
