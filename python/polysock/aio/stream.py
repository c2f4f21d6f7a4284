# SPDX-License-Identifier: MIT
"""A connection: the calls of a raising object, which wait in the loop."""

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
"""The mark of a socket that may ask the system: PS_MARK_KEEP. What would wait gives None,
and keeps what it read."""

_WAITING = 12
"""The mark between two waits: PS_MARK_KEEP and PS_MARK_BUFFERED. A receive looks at the
buffer alone, since the loop says when there is more."""

_IN_USE = 256 | _WAITING
"""The same while a task waits: iterators give nothing, for it is that task's turn."""

_TURN = 64
"""So many sends that need not wait follow each other; then other tasks have a turn. What
receives needs no count: the loop has a turn whenever the buffer is empty."""

_END = object()


class Stream:
    """A connected client in a loop. ``connect`` and ``serve`` make it.

    ``Stream(client)`` takes over an object of ``polysock.raising``, which is not to be
    used otherwise from then on. It has no limits of time at first.

    ``sent`` is the index that the last send reached which ended: by success, failure or
    cancellation. It is 0 before.
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
        """Reads what pattern says, and gives it behind prefix.

        pattern is "*l" (a line without its end), "*L" (with it), "*a" (all until the peer
        closes) or a count of bytes. maxsize bounds the result in bytes, prefix included.

        Raises:
            Timeout: a limit is over; ``partial`` goes on as prefix.
            Closed: the connection has ended, or was closed here.
            Oversized: the bytes are more than maxsize; the rest stays buffered.
            Error: another failure.
        """
        if not self._incoming.busy:
            data = self._receive(pattern, prefix, maxsize)
            if data is not None:
                return data
        made: bytes = await self._wait(prefix, self._receive, pattern, prefix, maxsize)
        return made

    async def receiveany(self, max: Optional[int] = None) -> bytes:
        """Reads what is there: at least one byte, at most max.

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
        """Reads up to a delimiter of one byte or more, which is used up and not given.

        Raises:
            Timeout, Closed, Oversized, Error: as receive.
        """
        read = self._socket.receiveuntil
        made: bytes = await self._call(prefix, read, delimiter, prefix, maxsize)
        return made

    async def receiveinto(self, buffer: Buffer, nbytes: Optional[int] = None) -> int:
        """Fills the first nbytes of a writable buffer, or all of it; gives how many.

        The buffer changes when all bytes are there, or with a failure.

        Raises:
            Timeout, Closed, Error: as receive; ``last`` is how many bytes are in buffer.
        """
        made: int = await self._call(0, self._socket.receiveinto, buffer, nbytes)
        return made

    def lines(
        self, pattern: Union[str, int, None] = "*l", maxsize: Optional[int] = None
    ) -> AsyncIterator[bytes]:
        """Gives an asynchronous iterator over what receive(pattern) gives.

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
        """Makes a call again and again, when there is news, until it gives something.

        start is what it has before: its prefix, or a count of bytes.
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
            # What those before have left in the buffer is no news for the loop.
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
        """Sends bytes i to j of data, and gives the index of the last one sent.

        i and j count from 1, or from the end when negative. It ends when the system has
        the bytes: nothing is buffered here. After a cancellation ``sent`` tells how far
        it went, so that ``send(data, stream.sent + 1, j)`` goes on.

        Raises:
            Timeout: a limit is over; ``last`` is the index that was reached.
            Closed: the connection has ended, or was closed here.
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
                side.unregister()  # it is ready nearly always
                side.leave()
        finally:
            self.sent = last

    # ---- Limits

    def settimeout(
        self, value: Optional[float] = None, mode: Optional[str] = None
    ) -> int:
        """Limits the time of later calls, in seconds; None or negative: no limit.

        Mode "b", as when absent, limits each single wait, mode "t" the whole call. 0
        never waits. In line for a direction that is in use, time counts, too.
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
        """Gives the limits of one wait and of a whole call, in seconds; -1: none."""
        return (self._limits or (-1.0, -1.0, inf))[:2]

    def setdeadline(self, seconds: Optional[float] = None) -> int:
        """Sets the point in time, in seconds from now, by which all later calls end.

        None: there is none.
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
        """Gives the seconds that are left until the deadline, or None."""
        deadline = (self._limits or (-1.0, -1.0, inf))[2]
        return None if deadline == inf else max(deadline - monotime(), 0.0)

    def _limit(self, block: float, total: float, deadline: float) -> None:
        some = block >= 0 or total >= 0 or deadline < inf
        # What gettimeout gives is kept as it was given.
        given = block != -1.0 or total != -1.0
        self._limits = (block, total, deadline) if some or given else None

    def _begin(self) -> Tuple[float, float]:
        """Gives the limit of one wait, and the end of a call that begins now."""
        if self._limits is None:
            return inf, inf
        block, total, end = self._limits
        if total >= 0:
            end = min(end, monotime() + total)
        return (block if block >= 0 else inf), end

    # ---- What needs no wait

    def shutdown(self, mode: Optional[str] = None) -> int:
        """Shuts one way of the connection down: "send", "receive", or both if absent."""
        return self._socket.shutdown(mode)

    def getpeername(self) -> Tuple[str, int, str]:
        """Gives address, port and family ("inet" or "inet6") of the peer.

        Raises:
            Closed, Error: there is no connection.
        """
        return self._socket.getpeername()

    def getsockname(self) -> Tuple[str, int, str]:
        """Gives address, port and family ("inet" or "inet6") of this end.

        Raises:
            Closed: the stream was closed.
        """
        return self._socket.getsockname()

    def getfamily(self) -> str:
        """Gives "inet4" or "inet6"."""
        return self._socket.getfamily()

    def getstats(self) -> Tuple[int, int, float]:
        """Gives bytes received and taken, bytes sent, and the age in seconds."""
        return self._socket.getstats()

    def setstats(
        self,
        received: Optional[int] = None,
        sent: Optional[int] = None,
        age: Optional[float] = None,
    ) -> int:
        """Sets what getstats counts from; None leaves a number as it is."""
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
        """Gives the value of an option, as raising.Socket.getoption does.

        Raises:
            Closed, Error: the system refuses.
        """
        return self._socket.getoption(option)

    def dirty(self) -> bool:
        """Tells whether bytes are in the read buffer."""
        return self._socket.dirty()

    def pending(self) -> int:
        """Gives how many bytes are in the read buffer."""
        return self._socket.pending()

    def getfd(self) -> int:
        """Gives the descriptor, -1 once it is closed."""
        return self._socket.getfd()

    def fileno(self) -> int:
        """Gives the descriptor.

        Raises:
            ValueError: there is none.
        """
        return self._socket.fileno()

    def detach(self) -> int:
        """Gives the descriptor away, to be closed by the caller; the stream is closed.

        Raises:
            Error: bytes are buffered; or Closed.
        """
        incoming, outgoing = self._incoming, self._outgoing
        incoming.unregister()
        outgoing.unregister()
        fd = self._socket.detach()
        incoming.drop()
        outgoing.drop()
        return fd

    def close(self) -> int:
        """Closes the connection. Calls that wait raise Closed. Closing again is fine."""
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
        """Lets the loop forget the descriptor, before the object behind it closes it."""
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
    """Leaves all waiting to the loop."""
    socket.settimeout(None, "t")
    socket.settimeout(0)
    socket.setdeadline(None)
    _mark(socket, _WAITING)


def _until(block: float, end: float) -> float:
    """Gives the end of one wait that begins now."""
    return end if block == inf else min(end, monotime() + block)


def _late(start: Union[Buffer, int, None]) -> Timeout:
    """Makes what a call raises that had no turn in time."""
    if isinstance(start, int):
        return Timeout("timeout", errno=errno.ETIMEDOUT, last=start)
    return Timeout("timeout", bytes(start or b""), errno.ETIMEDOUT)
