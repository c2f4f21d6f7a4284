# SPDX-License-Identifier: MIT
"""polysock under asyncio, and under loops that are like it, as uvloop.

The calls are those of ``polysock.raising``, with ``await`` before what may wait: the same
names, patterns, limits, partial results and exceptions::

    async with await aio.connect(host, port, timeout=10) as stream:
        await stream.send(b"hello\\r\\n")
        async for line in stream:
            ...

There is no thread per connection and no buffer but the read buffer of the core. What is
buffered is given at once, without a turn of the loop; else the loop says when there is
news, and the task goes on in that same turn. ``send`` ends when the system has the bytes.

Cancelling a call loses nothing. What was received stays buffered for the next call, and
``Stream.sent`` tells how far a send went. A limit of time that is over raises ``Timeout``
with the partial result, as everywhere: its bytes are taken, and go on as ``prefix``.

One task may receive while another sends. Two in the same direction take turns. A stream
and a server belong to the loop in which they were made, and to its thread.
"""

from ..errors import Closed, Error, Oversized, Refused, Timeout, Unresolved
from .opening import connect, connect4, connect6
from .server import Server, serve
from .stream import Stream

__all__ = [
    "Closed",
    "Error",
    "Oversized",
    "Refused",
    "Server",
    "Stream",
    "Timeout",
    "Unresolved",
    "connect",
    "connect4",
    "connect6",
    "serve",
]
