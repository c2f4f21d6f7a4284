# SPDX-License-Identifier: MIT
"""A connection: the calls of a socket in exception style, which wait in the loop."""

from __future__ import annotations

import asyncio
import errno
import types
from functools import partial
from math import inf
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Callable,
    Generator,
    Iterator,
    Optional,
    Tuple,
    Type,
    Union,
)

from .._core import RaisingSocket as Socket
from .._core import _mark, _pieces, monotime
from ..errors import Error, Timeout
from .side import Side

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self

    from .._core import Linger

__all__ = ["Stream", "stop_waiting"]

_READY = 4
"""The mark of a socket that may call the system: PS_MARK_KEEP. A call that would block
returns None, and what it read stays buffered."""

_WAITING = 12
"""The mark between two waits: PS_MARK_KEEP and PS_MARK_BUFFERED. A receive looks only at
the read buffer, because the loop tells when there is more."""

_IN_USE = 256 | _WAITING
"""The same while a task waits: iterators return nothing, since that task comes first."""

_TURN = 64
"""After this many sends that did not wait, other tasks run. Receiving needs no count:
other tasks run whenever the read buffer is empty."""

_END = object()


class Stream:
    """A connected client in an event loop. ``connect`` and ``serve`` create it.

    ``Stream(client)`` takes over a client of ``polysock.raising``; do not use that object
    afterwards. A new stream has no time limits.

    ``sent`` is the index of the last byte sent by the send that ended last, by success,
    failure or cancellation. It is 0 before the first.
    """

    __slots__ = (
        "__weakref__",
        "_credit",
        "_incoming",
        "_limits",
        "_loop",
        "_outgoing",
        "_receive",
        "_send",
        "_socket",
        "sent",
    )

    def __init__(self, client: Socket) -> None:
        if not isinstance(client, Socket):
            raise TypeError("Stream() takes a client of polysock.raising")
        if client.kind != "client":
            raise ValueError("Stream() takes a client, not a " + client.kind)
        loop = asyncio.get_running_loop()
        fd = client.getfd()
        stop_waiting(client)
        self._socket = client
        self._receive = client.receive
        self._send = client.send
        self._loop = loop
        self._incoming = Side(loop, fd, False)
        self._outgoing = Side(loop, fd, True)
        self._limits: Optional[Tuple[float, float, float]] = None
        self._credit = _TURN
        self.sent: int = 0

    # ---- Receive

    async def receive(
        self,
        pattern: Union[str, int, None] = "*l",
        prefix: Optional[Buffer] = None,
        maxsize: Optional[int] = None,
    ) -> bytes:
        """Reads according to pattern, and returns the bytes after prefix.

        pattern is "*l" (a line without its end), "*L" (with it), "*a" (everything until
        the peer closes) or the size of the result in bytes. maxsize is the greatest size
        of the result in bytes. Both sizes include prefix.

        Raises:
            Timeout: a limit has expired; pass ``partial`` as prefix to continue.
            Closed: the connection has ended, or was closed by this program.
            Oversized: the result exceeds maxsize; the rest stays buffered.
            Error: another failure.
        """
        if not self._incoming.busy:
            data = self._receive(pattern, prefix, maxsize)
            if data is not None:
                return data
        made: bytes = await self._wait(prefix, self._receive, pattern, prefix, maxsize)
        return made

    async def receiveany(self, max: Optional[int] = None) -> bytes:
        """Reads the available bytes: at least one, at most max.

        Raises:
            Timeout, Closed, Error: as receive; there is never a partial result.
        """
        made: bytes = await self._call(None, self._socket.receiveany, max)
        return made

    async def receiveuntil(
        self,
        delimiter: Buffer,
        prefix: Optional[Buffer] = None,
        maxsize: Optional[int] = None,
    ) -> bytes:
        """Reads up to a delimiter of one byte or more, which is consumed, not returned.

        Raises:
            Timeout, Closed, Oversized, Error: as receive.
        """
        read = self._socket.receiveuntil
        made: bytes = await self._call(prefix, read, delimiter, prefix, maxsize)
        return made

    async def receiveinto(self, buffer: Buffer, nbytes: Optional[int] = None) -> int:
        """Fills the first nbytes of a writable buffer, or all of it; returns the count.

        The buffer is written when all bytes have arrived, or when the call fails.

        Raises:
            Timeout, Closed, Error: as receive; ``last`` is the number of bytes in buffer.
        """
        made: int = await self._call(0, self._socket.receiveinto, buffer, nbytes)
        return made

    def lines(
        self, pattern: Union[str, int, None] = "*l", maxsize: Optional[int] = None
    ) -> AsyncIterator[bytes]:
        """Returns an asynchronous iterator over the results of receive(pattern).

        It ends when the peer has closed, after an unterminated last piece if there is
        one. Any other failure is raised, and leaves the bytes of the piece buffered.
        """
        lines = self._socket.lines(pattern, maxsize)
        return _pieces(lines, partial(self._next, lines))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.lines()

    @types.coroutine
    def _next(self, lines: Iterator[bytes]) -> Generator[Any, None, bytes]:
        made: Any = yield from self._wait(None, next, lines, _END)
        if made is _END:
            raise StopAsyncIteration
        piece: bytes = made
        return piece

    async def _call(
        self, start: Union[Buffer, int, None], call: Callable[..., Any], *args: Any
    ) -> Any:
        if not self._incoming.busy:
            made = call(*args)
            if made is not None:
                return made
        return await self._wait(start, call, *args)

    @types.coroutine
    def _wait(
        self, start: Union[Buffer, int, None], call: Callable[..., Any], *args: Any
    ) -> Generator[Any, None, Any]:
        """Repeats a call, whenever the descriptor is readable, until it has a result.

        start is the partial result before the call: its prefix, or a count of bytes.
        """
        side = self._incoming
        socket = self._socket
        block, end = self._begin()
        in_line = side.busy
        if not in_line:
            side.busy = True
        elif (yield from side.enter(_until(block, end)).__await__()):
            raise _late(start)
        try:
            # The loop does not report bytes that earlier calls left in the read buffer.
            made = call(*args) if in_line else None
            _mark(socket, _IN_USE)
            while made is None:
                over = yield from side.wait(end if block == inf else _until(block, end))
                _mark(socket, 0 if over else _READY)
                made = call(*args)
                if made is None:
                    _mark(socket, _IN_USE)
            return made
        finally:
            _mark(socket, _WAITING if side.leave() else _IN_USE)

    # ---- Send

    async def send(
        self, data: Buffer, i: Optional[int] = 1, j: Optional[int] = -1
    ) -> int:
        """Sends bytes i to j of data, and returns the index of the last byte sent.

        i and j count from 1, or from the end when negative. The call ends when the system
        has accepted all bytes; the library does not buffer them. After a cancellation
        ``sent`` tells how far it went: ``send(data, stream.sent + 1, j)`` continues.

        Raises:
            Timeout: a limit has expired; ``last`` is the index of the last byte sent.
            Closed: the connection has ended, or was closed by this program.
            Error: another failure.
        """
        self._credit -= 1
        if self._credit > 0 and not self._outgoing.busy:
            try:
                self.sent = last = self._send(data, i, j)
            except Timeout as error:
                self.sent = error.last or 0
            except Error as error:
                self.sent = error.last or 0
                raise
            else:
                return last
        else:
            self.sent = self._send(data, i, 0)  # the index before the first
        return await self._send_rest(data, self.sent, j)

    async def _send_rest(self, data: Buffer, last: int, j: Optional[int]) -> int:
        side = self._outgoing
        try:
            block, end = self._begin()
            if await side.enter(_until(block, end)):
                raise _late(last)
            try:
                if self._credit <= 0:
                    self._credit = _TURN
                    await asyncio.sleep(0)
                tried = False
                while True:
                    over = await side.wait(_until(block, end)) if tried else False
                    tried = True
                    try:
                        last = self._send(data, last + 1, j)
                        return last
                    except Error as error:
                        last = error.last or 0
                        if over or not isinstance(error, Timeout):
                            raise
            finally:
                side.unregister()  # a descriptor is nearly always writable
                side.leave()
        finally:
            self.sent = last

    # ---- Limits

    def settimeout(
        self, value: Optional[float] = None, mode: Optional[str] = None
    ) -> int:
        """Limits the time of later calls, in seconds; None or negative: no limit.

        Mode "b" (the default) limits each single wait, mode "t" the whole call. With 0
        calls never wait. The time in the queue for a direction in use counts.
        """
        block, total, deadline = self._limits or (-1.0, -1.0, inf)
        socket = self._socket
        try:
            socket.settimeout(value, mode)
            if mode == "t":
                total = socket.gettimeout()[1]
            else:
                block = socket.gettimeout()[0]
        finally:
            stop_waiting(socket)
        self._limit(block, total, deadline)
        return 1

    def gettimeout(self) -> Tuple[float, float]:
        """Returns the limits of one wait and of a whole call, in seconds; -1: none."""
        return (self._limits or (-1.0, -1.0, inf))[:2]

    def setdeadline(self, seconds: Optional[float] = None) -> int:
        """Sets the deadline, in seconds from now, by which all later calls end.

        None: no deadline.
        """
        block, total, _ = self._limits or (-1.0, -1.0, inf)
        socket = self._socket
        try:
            socket.setdeadline(seconds)
            left = socket.getdeadline()
        finally:
            stop_waiting(socket)
        self._limit(block, total, inf if left is None else monotime() + left)
        return 1

    def getdeadline(self) -> Optional[float]:
        """Returns the seconds that are left until the deadline, or None."""
        deadline = (self._limits or (-1.0, -1.0, inf))[2]
        return None if deadline == inf else max(deadline - monotime(), 0.0)

    def _limit(self, block: float, total: float, deadline: float) -> None:
        some = block >= 0 or total >= 0 or deadline < inf
        # gettimeout returns the values as they were set.
        given = block != -1.0 or total != -1.0
        self._limits = (block, total, deadline) if some or given else None

    def _begin(self) -> Tuple[float, float]:
        """Returns the limit of one wait, and the end of a call that begins now."""
        if self._limits is None:
            return inf, inf
        block, total, end = self._limits
        if total >= 0:
            end = min(end, monotime() + total)
        return (block if block >= 0 else inf), end

    # ---- Calls that never wait

    def shutdown(self, mode: Optional[str] = None) -> int:
        """Shuts down "send", "receive", or both directions if absent."""
        return self._socket.shutdown(mode)

    def getpeername(self) -> Tuple[str, int, str]:
        """Returns address, port and family ("inet" or "inet6") of the peer.

        Raises:
            Closed, Error: there is no connection.
        """
        return self._socket.getpeername()

    def getsockname(self) -> Tuple[str, int, str]:
        """Returns the local address, port and family ("inet" or "inet6").

        Raises:
            Closed: the stream was closed.
        """
        return self._socket.getsockname()

    def getfamily(self) -> str:
        """Returns "inet4" or "inet6"."""
        return self._socket.getfamily()

    def getstats(self) -> Tuple[int, int, float]:
        """Returns the numbers of bytes received and sent, and the age in seconds."""
        return self._socket.getstats()

    def setstats(
        self,
        received: Optional[int] = None,
        sent: Optional[int] = None,
        age: Optional[float] = None,
    ) -> int:
        """Sets what getstats returns; None leaves a value unchanged."""
        return self._socket.setstats(received, sent, age)

    def setoption(self, option: str, value: Union[bool, float, str, Linger]) -> int:
        """Sets an option, as raising.Socket.setoption does.

        Raises:
            Closed, Error: the system refuses.
        """
        socket: Any = self._socket
        made: int = socket.setoption(option, value)
        return made

    def getoption(self, option: str) -> Union[bool, float, str, Linger, None]:
        """Returns the value of an option, as raising.Socket.getoption does.

        Raises:
            Closed, Error: the system refuses.
        """
        return self._socket.getoption(option)

    def dirty(self) -> bool:
        """Returns whether bytes are in the read buffer."""
        return self._socket.dirty()

    def pending(self) -> int:
        """Returns the number of bytes in the read buffer."""
        return self._socket.pending()

    def getfd(self) -> int:
        """Returns the file descriptor, or -1 after close."""
        return self._socket.getfd()

    def fileno(self) -> int:
        """Returns the file descriptor.

        Raises:
            ValueError: there is none.
        """
        return self._socket.fileno()

    def detach(self) -> int:
        """Returns the descriptor, which the caller then owns, and closes the stream.

        Raises:
            Error: bytes are still in the read buffer.
            Closed: the stream was closed.
        """
        incoming, outgoing = self._incoming, self._outgoing
        incoming.unregister()
        outgoing.unregister()
        fd = self._socket.detach()
        incoming.drop()
        outgoing.drop()
        return fd

    def close(self) -> int:
        """Closes the stream. Waiting calls raise Closed. Closing again has no effect."""
        self._incoming.drop()
        self._outgoing.drop()
        return self._socket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        type: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[types.TracebackType],
    ) -> None:
        self.close()

    def __del__(self) -> None:
        """Unregisters the descriptor from the loop before the socket closes it."""
        side = getattr(self, "_incoming", None)
        if side is None or not side.registered or self._loop.is_closed():
            return
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            side.unregister()
        else:  # collected in another thread
            self._loop.call_soon_threadsafe(_forget, side, self._socket)

    def __repr__(self) -> str:
        return f"<polysock.aio.Stream {self._socket!r}>"


def _forget(side: Side, _: Socket) -> None:
    side.unregister()


def stop_waiting(socket: Socket) -> None:
    """Makes a socket never wait by itself, because the loop does."""
    socket.settimeout(None, "t")
    socket.settimeout(0)
    socket.setdeadline(None)
    _mark(socket, _WAITING)


def _until(block: float, end: float) -> float:
    """Returns the end of one wait that begins now."""
    return end if block == inf else min(end, monotime() + block)


def _late(start: Union[Buffer, int, None]) -> Timeout:
    """Returns the exception of a call whose time expired in the queue."""
    if isinstance(start, int):
        return Timeout("timeout", errno=errno.ETIMEDOUT, last=start)
    return Timeout("timeout", bytes(start or b""), errno.ETIMEDOUT)
