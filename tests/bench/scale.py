# SPDX-License-Identifier: MIT
"""Measures servers with many connections, and writes a section of docs/benchmarks.md.

Every peer runs in a process of its own and serves the same clients (load.c) in turn, for
several rounds. What counts is the processor time that the server takes for a request, and
its ratio to the bare loop of C in the same round. The samples are kept in a file, from
which the section can be written again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
from run import HERE, ROOT, compile_programs, environment, parser_of, say, shown_arguments
from scale_report import Samples, draw, write

PATIENCE = 90
BARE = "c:epoll"
C = (BARE, "c:poller")
LUA = (
    "lua:poller",
    "lua:select",
    "lua:luasocket",
    "lua:copas",
    "lua:copas-polysock",
    "lua:cqueues",
    "lua:luv",
)
PYTHON = (
    "python:poller",
    "python:select",
    "python:selectors",
    "python:asyncio-protocols",
    "python:asyncio-streams",
    "python:uvloop-protocols",
    "python:uvloop-streams",
)
# Ours come right behind the bare loop that they are compared with.
EVERYONE = (*C, LUA[0], PYTHON[0], *LUA[1:], *PYTHON[1:])

# Active connections, and all of them.
ROWS = ((50, 50), (500, 500), (50, 900), (50, 8000))
PLOTTED = ((50, 300), (50, 3000))
ACCEPTORS = (*C, "lua:poller", "lua:luasocket", "python:poller", "python:selectors")
IDLE = (
    *C,
    "lua:poller",
    "lua:cqueues",
    "lua:luv",
    "python:poller",
    "python:selectors",
    "python:asyncio-protocols",
    "python:asyncio-streams",
    "python:uvloop-protocols",
)
HERD = (
    *C,
    "lua:poller",
    "lua:cqueues",
    "lua:luv",
    "python:poller",
    "python:selectors",
    "python:asyncio-protocols",
    "python:uvloop-protocols",
)
CONNECTORS = (
    "c:c",
    "c:core",
    "lua:polysock",
    "lua:luasocket",
    "python:polysock",
    "python:blocking",
    "python:limited",
    "python:nonblocking",
)
SHARING = (BARE, "c:poller", "lua:poller", "python:poller")


class Dead(Exception):
    """A server or its clients gave up."""


@dataclass
class Runner:
    """Knows how to start servers and clients."""

    lua: str
    python: str
    folder: Path
    variables: Dict[str, str]
    samples: Samples = field(default_factory=dict)

    def command(self, peer: str, *arguments: object) -> List[str]:
        """Returns the command of a server."""
        language, library = peer.split(":")
        program = {
            "c": [str(self.folder / "serve")],
            "lua": [self.lua, str(HERE / "serve.lua")],
            "python": [self.python, str(HERE / "serve.py")],
        }[language]
        return [*program, library, *map(str, arguments)]

    @contextlib.contextmanager
    def server(self, peer: str, *arguments: object) -> Iterator[Tuple[Any, int]]:
        """Runs a server; gives its process and its port."""
        with tempfile.TemporaryFile("w+") as complaints:
            process = subprocess.Popen(
                self.command(peer, *arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                env=self.variables,
            )
            try:
                line = process.stdout.readline() if process.stdout else ""
                if not line:
                    raise Dead("does not start")
                yield process, int(line)
            except Dead as dead:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
                complaints.seek(0)
                said = [
                    line for line in complaints if not line.startswith(("\t", "[", " "))
                ]
                raise Dead(reason_of(said) or str(dead)) from None
            finally:
                process.kill()
                process.communicate()

    def load(self, *arguments: object) -> Dict[str, float]:
        """Runs the clients to their end."""
        command = [str(self.folder / "load"), *map(str, arguments)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            raise Dead("did not end") from None
        if done.returncode != 0:
            raise Dead(done.stderr.strip())
        result: Dict[str, float] = json.loads(done.stdout)
        return result

    @contextlib.contextmanager
    def held(self, port: int, count: int) -> Iterator[None]:
        """Holds connections open."""
        command = [str(self.folder / "load"), "hold", str(port), str(count)]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            if process.stdout.readline() != "held\n":
                raise Dead(process.communicate()[1].strip())
            yield
            process.communicate()

    def take(self, part: str, row: str, peer: str, sample: Any) -> None:
        """Takes one sample, unless the peer has died in this row before."""
        taken = self.samples.setdefault(part, {}).setdefault(row, {}).setdefault(peer, [])
        if any("dead" in one for one in taken):
            return
        try:
            taken.append(sample())
        except Dead as dead:
            say(f"{part}, {row}, {peer}: {dead}")
            taken.append({"dead": str(dead)})


def reason_of(lines: Sequence[str]) -> str:
    """Returns the line of an error message that says what happened."""
    said = [line.strip() for line in lines if not line.startswith("stack traceback")]
    return re.sub(r"^(\S+: )?\S+:\d+: ", "", said[-1]) if said else ""


# ---- What is measured


def serving(
    runner: Runner, peer: str, case: str, row: Tuple[int, int], time: float
) -> Any:
    """Measures the time for a request."""
    active, count = row
    with runner.server(peer, case, 4096) as (process, port):
        return runner.load("serve", port, case, count, active, time, process.pid)


def accepting(runner: Runner, peer: str, count: int) -> Any:
    """Measures accept, with all connections there already."""
    with (
        runner.server(peer, "accept", count) as (process, port),
        runner.held(port, count),
    ):
        out, _ = process.communicate("go\n", timeout=PATIENCE)
        result = json.loads(out)
        return {"cpu": result["cpu"] / count, "wall": result["wall"] / count}


def memory_of(process: Any) -> int:
    """Returns the resident memory of a process, in bytes."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise Dead("ended")


def idling(runner: Runner, peer: str, count: int) -> Any:
    """Measures what idle connections cost, after a few that came and went."""
    with runner.server(peer, "echo", 4096) as (process, port):
        runner.load("serve", port, "echo", 50, 50, 0.1, process.pid)
        before = memory_of(process)
        descriptors = Path(f"/proc/{process.pid}/fd")
        with runner.held(port, count):
            end = time.monotonic() + PATIENCE
            while len(os.listdir(descriptors)) < count:
                if process.poll() is not None or time.monotonic() > end:
                    raise Dead("does not accept them all")
                time.sleep(0.05)
            return {"bytes": (memory_of(process) - before) / count}


def stampede(runner: Runner, peer: str, count: int) -> Any:
    """Measures how long a herd of connects takes against a short backlog."""
    with runner.server(peer, "echo", 128) as (_, port):
        return runner.load("herd", port, count)


def sharing(runner: Runner, peer: str, processes: int, seconds: float) -> Any:
    """Measures one or two processes on one port."""
    with contextlib.ExitStack() as stack:
        first, port = stack.enter_context(runner.server(peer, "echo", 4096, 0))
        pids = [first.pid]
        for _ in range(processes - 1):
            more, _ = stack.enter_context(runner.server(peer, "echo", 4096, port))
            pids.append(more.pid)
        return runner.load("serve", port, "echo", 100, 100, seconds, *pids)


def connecting(runner: Runner, peer: str, port: int, count: int) -> Any:
    """Measures connect and close; port 0 stands for a server in the same process."""
    language, library = peer.split(":")
    command = {
        "c": [str(runner.folder / "reference"), library, "connect"],
        "lua": [runner.lua, str(HERE / "cases.lua"), library, "connect"],
        "python": [runner.python, str(HERE / "connect.py"), library],
    }[language]
    done = subprocess.run(
        [*command, str(port), str(count)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=runner.variables,
    )
    if done.returncode != 0:
        raise Dead(reason_of(done.stderr.splitlines()))
    result = json.loads(done.stdout)
    return {"rate": count / result["wall"], "cpu": result["cpu"] / count}


def connect_all(runner: Runner, times: int) -> None:
    """Takes the samples of connects. Each turn has a server, and so a port, of its own:
    connections that were closed occupy a port for a while."""
    for _ in range(times):
        with runner.server(BARE, "echo", 4096) as (_, port):
            for peer in CONNECTORS:
                runner.take(
                    "connect",
                    "process",
                    peer,
                    lambda p=peer: connecting(runner, p, port, 500),
                )
        for peer in (peer for peer in CONNECTORS if peer.startswith("python")):
            runner.take(
                "connect", "thread", peer, lambda p=peer: connecting(runner, p, 0, 500)
            )


def row_name(row: Tuple[int, int]) -> str:
    """Names a row."""
    return f"{row[0]} active of {row[1]:,}"


def measure(runner: Runner, options: Any) -> None:
    """Takes all samples. All peers in turn, then the next round."""
    seconds = 0.2 if options.short else 1.0
    large = 1000 if options.short else 15000
    chosen = options.peers.split(",") if options.peers else None

    def among(peers: Sequence[str]) -> List[str]:
        return [peer for peer in peers if chosen is None or peer in chosen]

    for turn in range(options.rounds):
        say(f"round {turn + 1} of {options.rounds}")
        for case in ("echo", "line"):
            for row in ROWS:
                for peer in among(EVERYONE):
                    runner.take(
                        case,
                        row_name(row),
                        peer,
                        lambda p=peer, c=case, r=row: serving(runner, p, c, r, seconds),
                    )
        if options.serving_only:
            continue
        connect_all(runner, 1 if options.short else 5)
        for row in PLOTTED:
            for peer in among(EVERYONE) if turn < 3 else ():
                runner.take(
                    "echo",
                    row_name(row),
                    peer,
                    lambda p=peer, r=row: serving(runner, p, "echo", r, seconds),
                )
        for peer in among(ACCEPTORS):
            runner.take(
                "accept", "4,000", peer, lambda p=peer: accepting(runner, p, 4000)
            )
        for peer in among(IDLE) if turn < 3 else ():
            runner.take(
                "idle", f"{large:,}", peer, lambda p=peer: idling(runner, p, large)
            )
        for peer in among(HERD) if turn < 3 else ():
            runner.take("herd", "5,000", peer, lambda p=peer: stampede(runner, p, 5000))
        for processes in (1, 2):
            for peer in among(SHARING):
                runner.take(
                    "sharing",
                    str(processes),
                    peer,
                    lambda p=peer, n=processes: sharing(runner, p, n, seconds),
                )


def arguments() -> Any:
    """Reads the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds")
    parser.add_argument("--short", action="store_true", help="one round, less of all")
    parser.add_argument("--peers", help="only these, as in c:epoll,lua:poller")
    parser.add_argument("--serving-only", action="store_true", help="only the main rows")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "docs/benchmarks.md", help="the report"
    )
    parser.add_argument(
        "--samples",
        type=Path,
        default=ROOT / "build/scale.json",
        help="what was measured",
    )
    parser.add_argument(
        "--write", action="store_true", help="measure nothing, write the samples again"
    )
    options = parser.parse_args()
    if options.short:
        options.rounds = 1
    return options


def main() -> None:
    """Measures and writes."""
    options = arguments()
    if not options.write:
        with tempfile.TemporaryDirectory() as folder:
            compile_programs(Path(folder), options.prefix, ("load", "serve", "reference"))
            runner = Runner(
                options.lua, options.python, Path(folder), environment(options.prefix)
            )
            began = time.strftime("%Y-%m-%d")
            measure(runner, options)
            kept = {
                "command": " ".join(["tests/bench/scale.py", *shown_arguments()]),
                "date": began,
                "load average": os.getloadavg()[1],
                "samples": runner.samples,
            }
        options.samples.parent.mkdir(parents=True, exist_ok=True)
        options.samples.write_text(json.dumps(kept), encoding="utf-8")
    kept = json.loads(options.samples.read_text(encoding="utf-8"))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    draw(kept["samples"], options.output.parent)
    write(kept, options.output)


if __name__ == "__main__":
    main()
