# SPDX-License-Identifier: MIT
"""Serving: a task for each connection."""

from __future__ import annotations

import asyncio
import errno
import types
from contextlib import suppress
from math import inf
from typing import (
    TYPE_CHECKING,
    Awaitable,
    Callable,
    Optional,
    Set,
    Tuple,
    Type,
    Union,
)

from .. import raising
from ..errors import Closed, Error
from ..raising import Socket
from .opening import numbers
from .stream import Stream, stop_waiting

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Server", "serve"]

_AT_ONCE = 64
"""At most this many connections are accepted in one iteration of the loop."""

_PAUSE = 1.0
"""Seconds without accepting after the process has run out of descriptors or memory."""

_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Handler = Callable[[Stream], Awaitable[object]]


class Server:
    """A listening socket in an event loop. ``serve`` creates it.

    At the end of its block, ``async with`` closes it, cancels the tasks of its
    connections and waits for them.
    """

    def __init__(self, socket: Socket, handler: Handler) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket
        self._handler = handler
        self._tasks: Set[asyncio.Task[None]] = set()
        self._pause: Optional[asyncio.TimerHandle] = None
        self._closed = asyncio.Event()
        self._fd = socket.getfd()
        stop_waiting(socket)
        self._listen()

    def _listen(self) -> None:
        self._pause = None
        self._loop.add_reader(self._fd, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                client: Optional[Socket] = self._socket.accept()
            except Error as error:
                if error.errno not in _SHORTAGES:
                    continue  # the peer has closed that connection already
                self._report("accepting has to pause", error)
                self._loop.remove_reader(self._fd)
                self._pause = self._loop.call_later(_PAUSE, self._listen)
                return
            if client is None:
                return
            task = self._loop.create_task(self._serve(Stream(client)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, stream: Stream) -> None:
        try:
            await self._handler(stream)
        except Closed:
            pass  # the connection has ended, and so does its handler
        except Exception as error:
            self._report(f"the handler of {stream!r} has failed", error)
        finally:
            stream.close()

    def _report(self, message: str, error: BaseException) -> None:
        context = {"message": f"polysock.aio: {message}", "exception": error}
        self._loop.call_exception_handler(context)

    def getsockname(self) -> Tuple[str, int, str]:
        """Returns the local address, port and family ("inet" or "inet6").

        Raises:
            Closed: the server was closed.
        """
        return self._socket.getsockname()

    def getfd(self) -> int:
        """Returns the file descriptor, or -1 after close."""
        return self._socket.getfd()

    def connections(self) -> int:
        """Returns the number of running handlers."""
        return len(self._tasks)

    def close(self) -> int:
        """Stops listening. Running handlers continue. Closing again has no effect."""
        if not self._closed.is_set():
            self._closed.set()
            if self._pause is not None:
                self._pause.cancel()
            elif not self._loop.is_closed():
                self._loop.remove_reader(self._fd)
        return self._socket.close()

    async def wait_closed(self) -> None:
        """Waits until the server is closed and all handlers have ended."""
        await self._closed.wait()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def serve_forever(self) -> None:
        """Waits until the server is closed. Cancelling this call closes it."""
        try:
            await self._closed.wait()
        finally:
            self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        type: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[types.TracebackType],
    ) -> None:
        self.close()
        for task in list(self._tasks):
            task.cancel()
        await self.wait_closed()

    def __repr__(self) -> str:
        return f"<polysock.aio.Server {self._socket!r}>"


async def serve(
    handler: Handler, address: str, port: Union[int, str], backlog: int = 32
) -> Server:
    """Listens on address and port, and calls handler(stream) in a task per connection.

    address is an address, a name, or "*" for all IPv4 interfaces; port is 0 to 65535 (0
    lets the system choose), digits, or a service name; backlog is how many connections
    may wait to be accepted. The stream is closed when the handler ends. If the handler
    raises Closed, its task ends silently; other exceptions go to the loop's exception
    handler.

    Raises:
        Unresolved: the name has no address.
        Error: the address is in use, or another failure.
    """
    found = await numbers(address, inf)
    for local in found[:-1]:
        with suppress(Error):
            return Server(raising.bind(local, port, backlog), handler)
    return Server(raising.bind(found[-1], port, backlog), handler)
