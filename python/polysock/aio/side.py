# SPDX-License-Identifier: MIT
"""How a task waits until a file descriptor is readable or writable."""

from __future__ import annotations

import asyncio
import types
from collections import deque
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, Callable, Deque, Generator, Optional

from .._core import monotime

if TYPE_CHECKING:
    from contextvars import Context

__all__ = ["Side"]


class Side:
    """One direction of a stream, which tasks await.

    asyncio takes it for a future, because it has a future's attributes. It differs in
    two ways: it can be awaited repeatedly, and the task resumes in the loop's callback
    for the ready descriptor. A future schedules another iteration of the loop first,
    which costs as much as everything else.
    """

    __slots__ = (
        "_asyncio_future_blocking",
        "_cancelled",
        "_context",
        "_loop",
        "_wakeup",
        "armed",
        "busy",
        "end",
        "fd",
        "over",
        "queue",
        "registered",
        "timer",
        "writing",
    )

    _context: Context

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, writing: bool) -> None:
        self._asyncio_future_blocking: bool = False
        self._cancelled: Optional[asyncio.CancelledError] = None
        self._loop: asyncio.AbstractEventLoop = loop
        self._wakeup: Optional[Callable[[object], object]] = None
        self.armed: float = inf  # when the timer ends
        self.busy: bool = False  # is a call under way?
        self.end: float = inf  # of the wait under way
        self.fd: int = fd  # -1 once it is closed
        self.over: bool = False  # did the last wait end by its limit?
        self.queue: Optional[Deque[asyncio.Future[bool]]] = None  # those who wait in line
        self.registered: bool = False  # with the loop
        self.timer: Optional[asyncio.TimerHandle] = None
        self.writing: bool = writing

    # What a task calls.

    def add_done_callback(
        self, wakeup: Callable[[object], object], *, context: Context
    ) -> None:
        self._wakeup = wakeup
        self._context = context

    def result(self) -> None:
        if self._cancelled is not None:
            error, self._cancelled = self._cancelled, None
            raise error

    def cancel(self, msg: Optional[Any] = None) -> bool:
        if self._wakeup is None:
            return False
        self._cancelled = asyncio.CancelledError(*(() if msg is None else (msg,)))
        self.wake()
        return True

    # What the loop calls.

    def _ready(self) -> None:
        """The descriptor is ready, and remains so until something is read or written."""
        if self._wakeup is None:
            self.unregister()  # it would be reported in each turn of the loop
        else:
            self._step()

    def _tick(self) -> None:
        """The timer has expired. It may have been set by an earlier wait."""
        self.timer = None
        self.armed = inf
        if self._wakeup is not None and self.end < inf and self._arm(self.end):
            self.over = True
            self._step()

    def _step(self) -> None:
        """Resumes the task in this iteration of the loop. No task is running now."""
        wakeup, self._wakeup = self._wakeup, None
        if wakeup is not None:
            self._context.run(wakeup, self)

    # What a call does.

    def wake(self) -> None:
        """Resumes the task in the next iteration of the loop."""
        wakeup, self._wakeup = self._wakeup, None
        if wakeup is not None:
            self._loop.call_soon(wakeup, self, context=self._context)

    def _register(self) -> None:
        if self.writing:
            self._loop.add_writer(self.fd, self._ready)
        else:
            self._loop.add_reader(self.fd, self._ready)
        self.registered = True

    def unregister(self) -> None:
        """Unregisters the descriptor. Call it before the descriptor is closed."""
        if self.registered:
            self.registered = False
            if not self._loop.is_closed():
                if self.writing:
                    self._loop.remove_writer(self.fd)
                else:
                    self._loop.remove_reader(self.fd)

    def drop(self) -> None:
        """Unregisters the descriptor, stops the timer and resumes the waiting task."""
        self.unregister()
        self.fd = -1
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
            self.armed = inf
        self.wake()

    def _arm(self, end: float) -> bool:
        """Makes sure that the timer expires by end. Returns whether end has passed.

        A timer that expires earlier is kept: it is set again then.
        """
        left = end - monotime()
        if left <= 0:
            return True
        if self.armed > end:
            if self.timer is not None:
                self.timer.cancel()
            # Some loops count in milliseconds, and would call at once.
            self.timer = self._loop.call_later(max(left, 0.001), self._tick)
            self.armed = end
        return False

    @types.coroutine
    def wait(self, end: float) -> Generator[Side, None, bool]:
        """Waits until the descriptor is ready. Returns whether the time expired first."""
        if self.fd < 0:
            return False
        if end < inf and self._arm(end):
            return True
        self.end = end
        self.over = False
        if not self.registered:
            self._register()
        self._asyncio_future_blocking = True
        yield self
        return self.over

    async def enter(self, end: float) -> bool:
        """Takes the direction, or queues for it. Returns whether the time expired."""
        if not self.busy:
            self.busy = True
            return False
        if self.queue is None:
            self.queue = deque()
        turn: asyncio.Future[bool] = self._loop.create_future()
        self.queue.append(turn)
        timer = None
        if end < inf:
            left = max(end - monotime(), 0.0)
            timer = self._loop.call_later(left, _give_up, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.result():
                self.leave()  # it had its turn and cannot use it
            raise
        finally:
            if timer is not None:
                timer.cancel()
            with suppress(ValueError):
                self.queue.remove(turn)

    def leave(self) -> bool:
        """Passes the direction to the next call. Returns whether there is none."""
        while self.queue:
            turn = self.queue.popleft()
            if not turn.done():
                turn.set_result(False)
                return False
        self.busy = False
        return True


def _give_up(turn: asyncio.Future[bool]) -> None:
    if not turn.done():
        turn.set_result(True)
