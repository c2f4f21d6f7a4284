# SPDX-License-Identifier: MIT
"""Runs snippets of the documents, whose names are the arguments.

Each has a server and both ends of a connection of its own, in exception style. Where a
snippet waits, its client is a stream of asyncio. Prints what is not as it should be;
documents.py says what calls the checks.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List

import polysock
from polysock import aio, raising

failures: List[str] = []


def compare(where: str, text: str, expected: str) -> None:
    pattern = ".*".join(map(re.escape, expected.split("...")))
    if not re.fullmatch(pattern, text, re.DOTALL):
        failures.append(f"{where}: expected {expected} got {text}")


def check(where: str, expected: str, value: object) -> None:
    compare(where, repr(value), expected)


def prints(where: str, expected: str, *values: object) -> None:
    compare(where, " ".join(map(str, values)), expected)


def raises(where: str, expected: str, call: Callable[[], object]) -> None:
    try:
        value = call()
    except Exception as error:
        compare(where, f"{type(error).__name__}: {error}", expected)
    else:
        failures.append(f"{where}: expected {expected} got {value!r}")


async def run(code: Any, values: Dict[str, Any], waits: bool) -> None:
    if waits:
        host, port, _ = values["server"].getsockname()
        values["client"].close()
        values["peer"].close()
        values["client"] = values["stream"] = await aio.connect(host, port)
        values["peer"] = values["server"].accept()
    made = eval(code, values)
    if inspect.isawaitable(made):
        await made


def play(path: Path) -> None:
    source = path.read_text()
    waits = "await " in source or "async " in source
    values: Dict[str, Any] = {name: getattr(polysock, name) for name in polysock.__all__}
    values.update(polysock=polysock, raising=raising, aio=aio, asyncio=asyncio)
    values.update(CHECK=check, PRINTS=prints, RAISES=raises)
    values["server"] = raising.bind("127.0.0.1", 0)
    values["host"], values["port"], _ = values["server"].getsockname()
    values["client"] = raising.connect(values["host"], values["port"])
    values["peer"] = values["server"].accept()
    values["poller"] = raising.poller()
    own = [values[name] for name in ("server", "client", "peer", "poller")]
    try:
        code = compile(source, str(path), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        asyncio.run(run(code, values, waits))
    except BaseException:
        failures.append(f"{path.name}: {traceback.format_exc()}")
    for name in ("client", "peer"):
        if hasattr(values[name], "close"):
            values[name].close()
    for its in own:
        its.close()


for name in sys.argv[1:]:
    play(Path(name))
print("\n".join(failures))
sys.exit(bool(failures))
