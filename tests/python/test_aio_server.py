# SPDX-License-Identifier: MIT
"""polysock.aio: connecting, serving, many connections at once, and Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from typing import List

import pytest
from aio_support import LOOPS, Runner, run, turns, until, waiting
from conftest import Child
from polysock import aio, raising

__all__ = ["run"]

MANY = int(os.environ.get("POLYSOCK_CONNECTIONS", "500"))
"""Connections at once; each takes two descriptors."""


async def echo(stream: aio.Stream) -> None:
    async for line in stream.lines("*L"):
        await stream.send(line)


# ---- Connect


def test_connect_fails_as_raising_does(run: Runner, listener: socket.socket) -> None:
    host, port = listener.getsockname()
    listener.close()

    async def main() -> None:
        with pytest.raises(ConnectionRefusedError) as refused:
            await aio.connect(host, port)
        assert str(refused.value) == f"connection refused: {host}:{port}"
        with pytest.raises(aio.Unresolved) as unresolved:
            await aio.connect("no.such.host.invalid", 1)
        assert "no.such.host.invalid:1" in str(unresolved.value)
        with pytest.raises(aio.Unresolved):
            await aio.connect6(host, port)

    run(main())


def test_connect_by_name_and_from_an_address(
    run: Runner, listener: socket.socket
) -> None:
    port = listener.getsockname()[1]

    async def main() -> None:
        for call in (
            aio.connect("localhost", port, family="inet", timeout=10),
            aio.connect4("127.0.0.1", str(port), "127.0.0.1"),
            aio.connect("127.0.0.1", port, locaddr="localhost", locport="0"),
            aio.connect("::ffff:127.0.0.1", port),
        ):
            async with await call as stream:
                peer, address = listener.accept()
                with peer:
                    assert stream.getsockname()[1] == address[1]
                    assert stream.gettimeout() == (-1, -1)

    run(main())


def test_the_timeout_of_connect(run: Runner, listener: socket.socket) -> None:
    """A queue that is full lets nobody in."""

    async def main() -> None:
        address = listener.getsockname()
        with pytest.raises(aio.Timeout):
            await aio.connect(*address, timeout=0)  # it does not even look
        listener.accept()[0].close()
        listener.listen(0)
        full: List[aio.Stream] = []
        with pytest.raises(aio.Timeout) as late:
            while True:
                full.append(await aio.connect(*address, timeout=0.05))
                assert len(full) < 10
        assert str(late.value) == f"timeout: {address[0]}:{address[1]}"
        task = await waiting(aio.connect(*address))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        task = await waiting(aio.connect(*address))
        for stream in full:
            stream.close()
            listener.accept()[0].close()
        async with await task:
            pass

    run(main())


# ---- Serve


def test_serve(run: Runner) -> None:
    async def main() -> None:
        async with await aio.serve(echo, "localhost", 0) as server:
            address = server.getsockname()[:2]
            async with await aio.connect(*address) as client:
                await client.send(b"one\ntwo\n")
                assert [await client.receive(), await client.receive()] == [
                    b"one",
                    b"two",
                ]
                assert server.connections() == 1
                client.shutdown("send")
                with pytest.raises(aio.Closed):
                    await client.receive()
            await until(lambda: server.connections() == 0)
            with pytest.raises(aio.Error, match="address already in use"):
                await aio.serve(echo, *address)
        assert server.getfd() == -1 and "closed" in repr(server)
        with pytest.raises(aio.Refused):
            await aio.connect(*address)

    run(main())


def test_leaving_a_server_ends_its_handlers(run: Runner) -> None:
    ended = []

    async def handler(stream: aio.Stream) -> None:
        try:
            await stream.receive()
        except asyncio.CancelledError:
            await turns(3)
            ended.append(stream)
            raise

    async def main() -> None:
        server = await aio.serve(handler, "127.0.0.1", 0)
        async with await aio.connect(*server.getsockname()[:2]) as client:
            async with server:
                await until(lambda: server.connections() == 1)
            with pytest.raises(aio.Closed):
                await client.receive()
        assert [stream.getfd() for stream in ended] == [-1]

    run(main())


def test_a_closed_server_lets_its_handlers_finish(run: Runner) -> None:
    async def main() -> None:
        server = await aio.serve(echo, "127.0.0.1", 0)
        forever = await waiting(server.serve_forever())
        async with await aio.connect(*server.getsockname()[:2]) as client:
            await until(lambda: server.connections() == 1)
            server.close()
            await forever
            closed = await waiting(server.wait_closed())
            await client.send(b"line\n")
            assert await client.receive() == b"line"
        await closed
        assert server.close() == 1

    run(main())


def test_what_a_handler_raises(run: Runner) -> None:
    """A connection that has gone is no news; anything else is reported."""

    async def handler(stream: aio.Stream) -> None:
        if await stream.receive() == b"fail":
            raise LookupError("of the handler")

    async def main() -> None:
        async with await aio.serve(handler, "127.0.0.1", 0) as server:
            for line in (b"fail\n", b"half"):
                async with await aio.connect(*server.getsockname()[:2]) as client:
                    await client.send(line)
                    client.shutdown("send")
                    with pytest.raises(aio.Closed):
                        await client.receive()

    run(main())
    assert [repr(its["exception"]) for its in run.reports] == [
        "LookupError('of the handler')"
    ]
    run.reports.clear()


def test_a_server_pauses_without_descriptors(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polysock.aio.server._PAUSE", 0.01)

    async def main() -> None:
        async with await aio.serve(echo, "127.0.0.1", 0) as server:
            client = socket.socket()
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            highest = client.fileno() + 1
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest, limits[1]))
            try:
                client.connect(server.getsockname()[:2])
                await until(lambda: len(run.reports) > 1)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            client.settimeout(10)
            client.sendall(b"line\n")
            await until(lambda: server.connections() == 1)
            loop = asyncio.get_running_loop()
            assert await loop.run_in_executor(None, client.recv, 9) == b"line\n"
            client.close()

    run(main())
    assert "pause" in run.reports[0]["message"]
    run.reports.clear()


def test_many_connections(run: Runner) -> None:
    async def talk(server: aio.Server, number: int, all_there: asyncio.Event) -> bytes:
        async with await aio.connect(*server.getsockname()[:2]) as client:
            if server.connections() == MANY:
                all_there.set()
            await client.send(b"hello %d\n" % number)
            answer = await client.receive()
            await all_there.wait()
            await client.send(b"bye %d\n" % number)
            return answer + b" " + await client.receive()

    async def main() -> None:
        all_there = asyncio.Event()

        async def handler(stream: aio.Stream) -> None:
            if server.connections() == MANY:
                all_there.set()
            await echo(stream)

        async with await aio.serve(handler, "127.0.0.1", 0, MANY) as server:
            talks = [talk(server, number, all_there) for number in range(MANY)]
            for number, answer in enumerate(await asyncio.gather(*talks)):
                assert answer == b"hello %d bye %d" % (number, number)

    run(main())


# ---- Processes


@pytest.mark.parametrize("loop", LOOPS)
def test_ctrl_c(loop: str) -> None:
    runner = "asyncio" if loop == "asyncio" else "uvloop"
    with Child(
        f"""
import asyncio, warnings, {runner}
from polysock import aio
warnings.simplefilter("error")
async def main():
    server = await aio.serve(lambda stream: stream.receive(), "127.0.0.1", 0)
    async with server, await aio.connect(*server.getsockname()[:2]) as client:
        say("waiting")
        try:
            await client.receive()
        finally:
            say(server.connections())
try:
    {runner}.run(main())
except KeyboardInterrupt:
    say("interrupted")
"""
    ) as child:
        assert child.hear() == "waiting"
        child.signal(signal.SIGINT)
        assert child.hear() == "1"
        assert child.hear() == "interrupted"
        child.end()
        assert child.errors() == ""


def test_importing_polysock_does_not_import_asyncio() -> None:
    with Child('say("asyncio" in sys.modules, "polysock.aio" in sys.modules)') as child:
        assert child.hear() == "False False"


def test_a_stream_that_is_collected_in_another_thread(
    run: Runner, listener: socket.socket
) -> None:
    async def main() -> None:
        client = raising.connect(*listener.getsockname())
        peer = listener.accept()[0]
        box = [aio.Stream(client)]
        task = await waiting(box[0].receive())
        peer.sendall(b"line\n")
        assert await task == b"line"
        del task, client
        loop, fd = asyncio.get_running_loop(), box[0].getfd()
        with pytest.warns(ResourceWarning):
            await loop.run_in_executor(None, box.clear)
            await turns(3)
        assert not loop.remove_reader(fd)
        peer.close()

    run(main())
