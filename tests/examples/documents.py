# SPDX-License-Identifier: MIT
"""Reads the code blocks of the documents, and makes them check what they say.

A block without a mark is a snippet. In front of it stand a module, a server and the two
ends of a connection (see snippets.py and snippets.lua), and an arrow at the end of a line
(``--> value`` or ``# -> value``), or below it, says what it returns. Three dots stand for
anything. After ``error:`` (Lua) or ``raises`` (Python) it is what the line raises.
A mark is a comment of HTML before a block; it says how the block is run:

- ``test: MODE``: a whole program, see test_documents.py. A block of text below it is what
  it prints.
- ``test: peer "bytes" later "bytes"``: a snippet whose peer sends the first bytes before
  it, and the others at its comment "later".
- ``test: no``: a piece of something, which is not run.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional

ROOT = Path(__file__).resolve().parent.parent.parent

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

BLOCK = re.compile(
    r"^(?:<!-- test: (?P<mark>[^\n]*) -->\n)?"
    r"(?P<indent> *)```(?P<language>lua|python|c)\n(?P<code>.*?)^(?P=indent)```\n"
    r"(?:\n```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    mark: str  # "" for a snippet
    code: str
    output: Optional[str]

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def read_blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in BLOCK.finditer(text):
        yield Block(
            page.stem,
            text.count("\n", 0, found.start("code")) + 1,
            found["language"],
            found["mark"] or "",
            textwrap.dedent(found["code"]),
            found["output"],
        )


def all_blocks() -> List[Block]:
    return [block for page in PAGES for block in read_blocks(page)]


def with_peer(block: Block) -> str:
    """Returns the code of a snippet, with what its peer sends."""
    if not block.mark:
        return block.code
    mark = re.fullmatch(r"peer (\".*?\")(?: later (\".*?\"))?", block.mark)
    assert mark, block.mark
    code = block.code
    first, later = (json.loads(its) if its else "" for its in mark.groups())
    send = {"lua": "peer:send({}) ", "python": "peer.send(b{}); "}[block.language]
    code = send.format(quoted(first)) + code
    if later:
        comment = {"lua": "-- later\n", "python": "# later\n"}[block.language]
        assert code.count(comment) == 1
        code = code.replace(comment, send.format(quoted(later)).rstrip("; ") + "\n")
    return code


def quoted(text: str) -> str:
    return json.dumps(text)


def checked(block: Block) -> str:
    """Returns the code of a snippet, whose arrows are checks. The lines stay. An arrow
    in a line of its own is of the line before it."""
    check = {"lua": lua_check, "python": python_check}[block.language]
    lines = with_peer(block).split("\n")
    for number, line in enumerate(lines):
        alone = re.fullmatch(r" *(?:-->|# ->) (.*)", line)
        ended = re.fullmatch(r"(.*\S) +(?:-->|# ->) (.*)", line)
        if alone:
            at, code, expected = number - 1, lines[number - 1], alone[1]
            lines[number] = ""
        elif ended:
            at, (code, expected) = number, ended.groups()
        else:
            continue
        indent = code[: len(code) - len(code.lstrip())]
        where = f"{block.page}:{block.line + number}"
        lines[at] = indent + check(code.strip(), quoted(where), expected.strip())
    return "\n".join(lines)


GIVEN = """\
import asyncio
import polysock
from polysock import Closed, Error, Oversized, Timeout, aio, raising

async def snippet(
    server: raising.Socket, client: raising.Socket, peer: raising.Socket,
    poller: raising.Poller, stream: aio.Stream, host: str, port: int,
) -> None:
"""


def typed(block: Block) -> str:
    """Returns a snippet in Python with the types of what it is given, for a type checker,
    which is not told of the lines that show misuse."""
    misuse = r"(?m)^(.*?)(?:\n *|  )# -> raises (?:Type|Value)Error.*$"
    code = re.sub(misuse, r"\1  # type: ignore", block.code)
    return GIVEN + textwrap.indent(code, "    ")


def lua_check(code: str, where: str, expected: str) -> str:
    words = f"{where}, {quoted(expected)}"
    if expected.startswith("error: "):
        return f"RAISES({where}, {quoted(expected[7:])}, function() {code} end)"
    if code.startswith("print("):
        return f"PRINTS({words}, {code[6:-1]})"
    assigned = re.match(r"(?:local )?([\w, ]+) = ", code)
    if assigned:
        return f"{code} CHECK({words}, {assigned[1]})"
    return f"CHECK({words}, {code})"


def python_check(code: str, where: str, expected: str) -> str:
    words = f"{where}, {quoted(expected)}"
    if expected.startswith("raises "):
        return f"RAISES({where}, {quoted(expected[7:])}, lambda: {code})"
    node = ast.parse(code).body[0]
    if isinstance(node, ast.Assign):
        return f"{code}; CHECK({words}, {ast.unparse(node.targets[0])})"
    if code.startswith("print("):
        return f"PRINTS({words}, {code[6:-1]})"
    return f"CHECK({words}, {code})"


def compiled(program: Path) -> Path:
    """Compiles a program in C against the library that is installed in build/prefix."""
    made = program.with_suffix("")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "polysock"],
        env={**os.environ, "PKG_CONFIG_PATH": f"{ROOT}/build/prefix/lib/pkgconfig"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    options = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
    tls = ["-lssl", "-lcrypto"] if "openssl/" in program.read_text() else []
    command = ["cc", *options, str(program), *flags, *tls, "-o", str(made)]
    subprocess.run(command, check=True)
    return made
