# SPDX-License-Identifier: MIT
"""A proxy: `aio_proxy.py PORT HOST PORT` listens on the first port and passes on what
comes, in both directions. A side that is slow slows the other down, and nothing piles up
here."""

import asyncio
import sys
from contextlib import suppress

from polysock import aio


async def pump(source: aio.Stream, sink: aio.Stream) -> None:
    """Passes on what comes until it ends, and then the end."""
    try:
        while True:
            await sink.send(await source.receiveany())
    except aio.Closed:
        sink.shutdown("send")


async def main(port: str, host: str, target: str) -> None:
    async def handler(client: aio.Stream) -> None:
        async with await aio.connect(host, target, timeout=10) as server:
            await asyncio.gather(pump(client, server), pump(server, client))

    async with await aio.serve(handler, "127.0.0.1", port) as proxy:
        print(*proxy.getsockname(), flush=True)
        await proxy.serve_forever()


with suppress(KeyboardInterrupt):
    asyncio.run(main(*sys.argv[1:4]))
