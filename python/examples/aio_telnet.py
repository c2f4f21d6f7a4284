# SPDX-License-Identifier: MIT
"""A session with prompts, as routers and old servers have them: `aio_telnet.py HOST PORT
USER PASSWORD COMMAND...` logs in and prints what each command says."""

import asyncio
import sys
from typing import List

from polysock import aio


async def expect(stream: aio.Stream, prompt: bytes) -> str:
    """Returns what comes before a prompt, which need not end a line."""
    return (await stream.receiveuntil(prompt, maxsize=65536)).decode(errors="replace")


async def session(stream: aio.Stream, user: str, password: str) -> None:
    await expect(stream, b"login: ")
    await stream.send(f"{user}\r\n".encode())
    await expect(stream, b"password: ")
    await stream.send(f"{password}\r\n".encode())
    await expect(stream, b"> ")


async def main(host: str, port: str, user: str, password: str, *commands: str) -> int:
    try:
        async with await aio.connect(host, port, timeout=10) as stream:
            stream.settimeout(2, "t")  # for each answer
            stream.setdeadline(60)  # for all of them
            await session(stream, user, password)
            for command in commands:
                await stream.send(f"{command}\r\n".encode())
                print((await expect(stream, b"> ")).strip())
            await stream.send(b"quit\r\n")
    except aio.Timeout as late:
        print(f"no answer; so far: {late.partial!r}", file=sys.stderr)
        return 1
    except aio.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


arguments: List[str] = sys.argv[1:]
sys.exit(asyncio.run(main(*arguments)))
