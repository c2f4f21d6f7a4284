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
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

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
    def server(
        self, peer: str, *arguments: object, prefix: Sequence[str] = ()
    ) -> Iterator[Tuple[Any, int]]:
        """Runs a server; gives its process and its port."""
        with tempfile.TemporaryFile("w+") as complaints:
            process = subprocess.Popen(
                [*prefix, *self.command(peer, *arguments)],
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


def alone() -> List[str]:
    """What lets a program run before all others, so that they do not fall between a few
    milliseconds of connects. Only root may."""
    return ["chrt", "-f", "10"] if os.geteuid() == 0 and shutil.which("chrt") else []


def connecting(runner: Runner, peer: str, port: int, count: int) -> Any:
    """Measures connect and close; port 0 stands for a server in the same process."""
    language, library = peer.split(":")
    command = {
        "c": [str(runner.folder / "reference"), library, "connect"],
        "lua": [runner.lua, str(HERE / "cases.lua"), library, "connect"],
        "python": [runner.python, str(HERE / "connect.py"), library],
    }[language]
    done = subprocess.run(
        [*alone(), *command, str(port), str(count)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=runner.variables,
    )
    if done.returncode != 0:
        raise Dead(reason_of(done.stderr.splitlines()))
    result = json.loads(done.stdout)
    return {
        "rate": count / result["wall"],
        "cpu": result["cpu"] / count,
        "sleeps": result.get("sleeps", 0) / count,
    }


def row_name(row: Tuple[int, int]) -> str:
    """Names a row."""
    return f"{row[0]} active of {row[1]:,}"


def take_serving(runner: Runner, options: Any, turn: int) -> None:
    """Takes the samples of the main tables."""
    for case in ("echo", "line"):
        for row in ROWS:
            for peer in options.among(EVERYONE):
                sample = partial(serving, runner, peer, case, row, options.seconds)
                runner.take(case, row_name(row), peer, sample)


def take_plotted(runner: Runner, options: Any, turn: int) -> None:
    """Takes the samples that only the plot has."""
    for row in PLOTTED if turn < 3 else ():
        for peer in options.among(EVERYONE):
            sample = partial(serving, runner, peer, "echo", row, options.seconds)
            runner.take("echo", row_name(row), peer, sample)


def take_connect(runner: Runner, options: Any, turn: int) -> None:
    """Takes the samples of connects. Each turn has a server, and so a port, of its own:
    connections that were closed occupy a port for a while."""
    for _ in range(options.connects):
        with runner.server(BARE, "echo", 4096, prefix=alone()) as (_, port):
            for peer in CONNECTORS:
                sample = partial(connecting, runner, peer, port, 500)
                runner.take("connect", "process", peer, sample)
        for peer in (peer for peer in CONNECTORS if peer.startswith("python")):
            sample = partial(connecting, runner, peer, 0, 500)
            runner.take("connect", "thread", peer, sample)


def take_accept(runner: Runner, options: Any, turn: int) -> None:
    """Takes the samples of accept."""
    for peer in options.among(ACCEPTORS):
        runner.take("accept", "4,000", peer, partial(accepting, runner, peer, 4000))


def take_idle(runner: Runner, options: Any, turn: int) -> None:
    """Takes the samples of memory."""
    for peer in options.among(IDLE) if turn < 3 else ():
        sample = partial(idling, runner, peer, options.idle)
        runner.take("idle", f"{options.idle:,}", peer, sample)


def take_herd(runner: Runner, options: Any, turn: int) -> None:
    """Takes the samples of the thundering herd."""
    for peer in options.among(HERD) if turn < 3 else ():
        runner.take("herd", "5,000", peer, partial(stampede, runner, peer, 5000))


def take_sharing(runner: Runner, options: Any, turn: int) -> None:
    """Takes the samples of several processes on one port."""
    for processes in (1, 2):
        for peer in options.among(SHARING):
            sample = partial(sharing, runner, peer, processes, options.seconds)
            runner.take("sharing", str(processes), peer, sample)


PARTS: Dict[str, Callable[[Runner, Any, int], None]] = {
    "serving": take_serving,
    "plotted": take_plotted,
    "connect": take_connect,
    "accept": take_accept,
    "idle": take_idle,
    "herd": take_herd,
    "sharing": take_sharing,
}


def keep(runner: Runner, options: Any) -> None:
    """Writes down what was measured so far; of other parts, what was there before."""
    kept = {
        "command": " ".join(["tests/bench/scale.py", *shown_arguments()]),
        "load average": os.getloadavg()[1],
        "samples": runner.samples,
    }
    if options.only and options.samples.exists():
        kept = json.loads(options.samples.read_text(encoding="utf-8"))
        kept["samples"].update(runner.samples)
    options.samples.parent.mkdir(parents=True, exist_ok=True)
    options.samples.write_text(json.dumps(kept), encoding="utf-8")


def measure(runner: Runner, options: Any) -> None:
    """Takes all samples. All peers in turn, then the next round."""
    for turn in range(options.rounds):
        say(f"round {turn + 1} of {options.rounds}")
        for name, take in PARTS.items():
            if options.only in (None, name):
                take(runner, options, turn)
                keep(runner, options)


def arguments() -> Any:
    """Reads the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds")
    parser.add_argument("--seconds", type=float, default=1.0, help="of one sample")
    parser.add_argument("--short", action="store_true", help="one round, less of all")
    parser.add_argument("--peers", help="only these, as in c:epoll,lua:poller")
    parser.add_argument("--only", choices=list(PARTS), help="only this part")
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
    options.connects, options.idle = 5, 15000
    if options.short:
        options.rounds = options.connects = 1
        options.idle, options.seconds = 1000, 0.2
    chosen = options.peers.split(",") if options.peers else EVERYONE
    options.among = lambda peers: [peer for peer in peers if peer in chosen]
    return options


def main() -> None:
    """Measures and writes."""
    options = arguments()
    if not options.write:
        with tempfile.TemporaryDirectory() as folder:
            compile_programs(Path(folder), options.prefix, ("load", "serve", "reference"))
            measure(
                Runner(
                    options.lua, options.python, Path(folder), environment(options.prefix)
                ),
                options,
            )
    kept = json.loads(options.samples.read_text(encoding="utf-8"))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    draw(kept["samples"], options.output.parent)
    write(kept, options.output)


if __name__ == "__main__":
    main()
