# SPDX-License-Identifier: MIT
"""polysock for asyncio and for compatible loops such as uvloop.

The calls are those of ``polysock.raising``, with ``await`` before what may wait: the same
names, patterns, limits, partial results and exceptions::

    async with await aio.connect(host, port, timeout=10) as stream:
        await stream.send(b"hello\\r\\n")
        async for line in stream:
            ...

There is no thread per connection, and the read buffer of the core is the only buffer. A
receive that finds its result in the buffer returns without an iteration of the loop;
otherwise the task resumes in the iteration in which its descriptor is ready. ``send``
ends when the system has accepted the bytes.

Cancelling a call loses nothing: received bytes stay buffered for the next call, and
``Stream.sent`` tells how far a send went. An expired limit raises ``Timeout`` with the
partial result, as in the other modules; pass it as ``prefix`` to continue.

One task may receive while another sends; two in the same direction take turns. A stream
or a server may be used only in the loop, and so the thread, that created it.
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
