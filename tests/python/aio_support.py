# SPDX-License-Identifier: MIT
"""What the tests of polysock.aio share: both loops, and peers."""

from __future__ import annotations

import asyncio
import gc
import inspect
import socket
from typing import Any, Awaitable, Callable, Dict, Iterator, List

import pytest
from conftest import descriptors
from polysock import aio

LOOPS: Dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
}
try:
    import uvloop
except ImportError:
    pass  # it is not for every version of Python: see tools/interpreters.py
else:
    LOOPS["uvloop"] = uvloop.new_event_loop


LARGE = bytes(range(256)) * 65536
"""16 MiB: more than the system takes at once."""


class Runner:
    """Runs coroutines in a loop. What the loop has to report makes the test fail."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = LOOPS[name]()
        self.loop.set_debug(False)
        self.loop.set_exception_handler(lambda _, context: self.reports.append(context))
        self.reports: List[Dict[str, Any]] = []

    def __call__(self, main: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(main)

    def end(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self(asyncio.wait(tasks))
        self(self.loop.shutdown_asyncgens())
        self(self.loop.shutdown_default_executor())
        self.loop.close()
        assert not self.reports


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """Runs coroutines in a loop; no descriptor is left at the end."""
    runner = Runner(request.param)
    runner(turns(1))  # the loop has opened its own by then
    gc.collect()
    before = descriptors()
    yield runner
    gc.collect()
    after = descriptors()
    runner.end()
    assert after == before


async def turns(count: int) -> None:
    """Lets the loop have some turns."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(true: Callable[[], bool]) -> None:
    """Waits until something is true; the watchdog ends a test in which it never is."""
    while not true():
        await asyncio.sleep(0.001)


async def waiting(awaitable: Any) -> Any:
    """Returns a task that waits in the call."""
    task = asyncio.ensure_future(awaitable)
    await turns(3)
    assert not task.done()
    return task


async def pair(listener: socket.socket) -> Any:
    """Returns a stream and its peer, which is a socket of the standard library."""
    stream = await aio.connect(*listener.getsockname())
    peer = listener.accept()[0]
    peer.settimeout(10)
    return stream, peer


def with_pair(body: Any) -> Callable[..., None]:
    """Makes a test of a coroutine function that takes a stream, its peer and a runner."""

    def made(run: Runner, listener: socket.socket) -> None:
        async def main() -> None:
            stream, peer = await pair(listener)
            with peer:
                async with stream:
                    parameters = len(inspect.signature(body).parameters)
                    await body(*(stream, peer, run)[:parameters])

        run(main())

    made.__name__ = body.__name__
    return made
