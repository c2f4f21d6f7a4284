# SPDX-License-Identifier: MIT
"""Each code block of the README and of the guides runs, and returns what it says.

``talk``: a client of a service that answers a line with "heard " and the line.
``tls``: the same behind TLS. ``serve``: a server that answers each line with itself.
``copas``: the same, with what copas needs. ``main``: any other program.
A program uses port 7007; here it gets another one.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

import pytest
from documents import Block, all_blocks, checked, typed
from test_echo import COMMANDS, LIMIT, Address, dial, is_served, run_by
from test_servers import BAD

HERE = Path(__file__).resolve().parent
SUFFIXES = {"lua": "lua", "python": "py", "c": "c"}
OLDER = ";".join(f"/usr/share/lua/{version}/?.lua" for version in ("5.3", "5.2"))
"""Where Debian has copas."""

BLOCKS = [block for block in all_blocks() if block.mark != "no"]
PROGRAMS = {"talk", "tls", "serve", "copas", "main"}
"""What the marks of programs say."""


def marked(*marks: str) -> List[Block]:
    return [block for block in BLOCKS if block.mark in marks]


def named(block: Block) -> str:
    return block.name


def snippets(language: str) -> Dict[str, List[Block]]:
    pages: Dict[str, List[Block]] = {}
    for block in BLOCKS:
        if block.language == language and block.mark not in PROGRAMS:
            pages.setdefault(block.page, []).append(block)
    return pages


def write(block: Block, folder: Path, code: str) -> Path:
    program = folder / f"{block.page}_{block.line}.{SUFFIXES[block.language]}"
    program.write_text(code)
    return program


# The servers of README are those of the examples, which other tests run.
def is_in_examples(block: Block) -> bool:
    return block.page == "README" and "bind(" in block.code


@pytest.mark.parametrize("language", ["lua", "python"])
def test_snippets(language: str, tmp_path: Path) -> None:
    files = [
        str(write(block, tmp_path, checked(block)))
        for blocks in snippets(language).values()
        for block in blocks
        if not is_in_examples(block)
    ]
    assert files
    command = [*COMMANDS[language], str(HERE / f"snippets.{SUFFIXES[language]}"), *files]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=4 * LIMIT, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ---- Programs


def command(block: Block, folder: Path, port: int) -> List[str]:
    """Writes a program with another port, and returns the command that runs it."""
    assert block.code.count("7007") == 1, "the port"
    code = block.code.replace("7007", str(port))
    code = re.sub(r"LIMIT = 60\b", "LIMIT = 1", code)
    program = write(block, folder, code)
    return run_by(program)


def environment() -> Dict[str, str]:
    return {**os.environ, "LUA_PATH": f"{os.environ.get('LUA_PATH', ';;')};{OLDER}"}


def answer(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    """Serves one client, which may refuse the certificate."""
    listener.settimeout(LIMIT)
    peer, _ = listener.accept()
    peer.settimeout(LIMIT)
    with contextlib.suppress(OSError), peer:
        its = context.wrap_socket(peer, server_side=True) if context else peer
        with its, its.makefile("rb") as lines:
            for line in lines:
                its.sendall(b"heard " + line)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", "key.pem", "-out", "ca.pem"]
    subprocess.run(
        [*command, *key, *names, *files], cwd=folder, check=True, capture_output=True
    )
    return folder / "ca.pem", folder / "key.pem"


Done = subprocess.CompletedProcess[str]


def play(block: Block, folder: Path, certificate: Tuple[Path, Path]) -> Done:
    """Runs a client against the service."""
    context = None
    if block.mark == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        (folder / "ca.pem").write_text(certificate[0].read_text())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=answer, args=(listener, context))
        serving.start()
        done = subprocess.run(
            command(block, folder, listener.getsockname()[1]),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            cwd=folder,
            env=environment(),
        )
        serving.join()
    return done


@pytest.mark.parametrize("block", marked("tls"), ids=named)
def test_clients_refuse_another_name(
    block: Block, tmp_path: Path, certificate: Tuple[Path, Path]
) -> None:
    """The certificate is not for the address."""
    assert '"localhost"' in block.code
    changed = replace(block, code=block.code.replace('"localhost"', '"127.0.0.1"'))
    done = play(changed, tmp_path, certificate)
    assert (done.stdout, done.returncode) == ("", 1), done.stderr


@pytest.mark.parametrize("block", marked("talk", "tls"), ids=named)
def test_clients(block: Block, tmp_path: Path, certificate: Tuple[Path, Path]) -> None:
    done = play(block, tmp_path, certificate)
    assert (done.stdout, done.stderr, done.returncode) == (block.output, "", 0)


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    arguments = command(request.param, tmp_path, 0)
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        host, port, *_ = process.stdout.readline().split()
        try:
            yield host, int(port)
            assert process.poll() is None, "the server has ended"
        finally:
            process.kill()


SERVERS = marked("serve", "copas")


@pytest.mark.parametrize("server", SERVERS, ids=named, indirect=True)
def test_servers(server: Address) -> None:
    """One client is silent, one has gone, and another one is served meanwhile."""
    with dial(server) as silent:
        silent.sendall(b"half a l")
        dial(server).close()
        is_served(server)


BOUNDED = [block for block in SERVERS if "LIMIT = 60" in block.code]


@pytest.mark.parametrize("behave", BAD)
@pytest.mark.parametrize("server", BOUNDED, ids=named, indirect=True)
def test_clients_that_behave_badly(
    server: Address, behave: Callable[[socket.socket], None]
) -> None:
    with dial(server) as client:
        behave(client)
        is_served(server)


@pytest.mark.parametrize("block", marked("main"), ids=named)
def test_programs(block: Block, tmp_path: Path) -> None:
    program = write(block, tmp_path, block.code)
    done = subprocess.run(run_by(program), capture_output=True, text=True, timeout=LIMIT)
    assert (done.stdout, done.stderr, done.returncode) == (block.output or "", "", 0)


def test_the_code_in_python_is_typed(tmp_path: Path) -> None:
    files = []
    for block in BLOCKS:
        if block.language == "python" and not is_in_examples(block):
            code = block.code if block.mark in PROGRAMS else typed(block)
            page = replace(block, page=block.page.replace("-", "_"))
            files.append(str(write(page, tmp_path, code)))
    assert files
    options = ["--strict", "--no-warn-unused-ignores"]
    options += ["--allow-redefinition-new", "--local-partial-types"]
    command = [sys.executable, "-m", "mypy", *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=4 * LIMIT)
    assert done.returncode == 0, done.stdout
