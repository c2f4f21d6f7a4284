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
"""So many connections are accepted in one turn of the loop."""

_PAUSE = 1.0
"""Seconds: so long nothing is accepted when there are no descriptors or no memory."""

_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Handler = Callable[[Stream], Awaitable[object]]


class Server:
    """A listening object in a loop. ``serve`` makes it.

    ``async with`` closes it at the end, cancels the tasks of its connections and waits
    for them.
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
                    continue  # that connection has gone already
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
            pass  # the connection is at its end, and so is its handler
        except Exception as error:
            self._report(f"the handler of {stream!r} has failed", error)
        finally:
            stream.close()

    def _report(self, message: str, error: BaseException) -> None:
        context = {"message": f"polysock.aio: {message}", "exception": error}
        self._loop.call_exception_handler(context)

    def getsockname(self) -> Tuple[str, int, str]:
        """Gives address, port and family ("inet" or "inet6") on which it listens.

        Raises:
            Closed: the server was closed.
        """
        return self._socket.getsockname()

    def getfd(self) -> int:
        """Gives the descriptor, -1 once it is closed."""
        return self._socket.getfd()

    def connections(self) -> int:
        """Gives how many handlers are at work."""
        return len(self._tasks)

    def close(self) -> int:
        """Ends listening. The handlers go on. Closing again is fine."""
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
        """Waits until the server is closed; closes it when it is cancelled."""
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
    may wait for their turn. The stream is closed when the handler ends. A Closed that the
    handler lets through ends it quietly; other exceptions go to the loop's exception
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
