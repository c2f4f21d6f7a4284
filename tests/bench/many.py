# SPDX-License-Identifier: MIT
"""Measures what a request costs a server that has many idle connections.

Both servers of many.c take turns, for several rounds; the figures are medians of the
processor time of the server process for each request.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

ROWS: Sequence[Tuple[int, int]] = ((50, 50), (500, 500), (900, 50), (8000, 50))
"""Connections, and how many of them are active."""
SERVERS = ("epoll", "poller")


def processor_time(pid: int) -> float:
    """Returns the seconds that a process of one thread has run."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def start(*command: str) -> subprocess.Popen[str]:
    """Starts a program whose standard streams are pipes."""
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def told(process: subprocess.Popen[str]) -> str:
    """Returns the next line that a program prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args!r} has ended")
    return line.strip()


def measure(
    many: str, server: str, connections: int, active: int, requests: int
) -> float:
    """Returns the microseconds that a request costs the server."""
    serving = start(many, "serve", server)
    loading = start(
        many, "load", told(serving), str(connections), str(active), str(requests)
    )
    assert serving.stdin is not None and loading.stdin is not None
    assert told(loading) == "connected"
    before = processor_time(serving.pid)
    loading.stdin.write("\n")
    loading.stdin.flush()
    assert told(loading) == "done"
    spent = processor_time(serving.pid) - before
    loading.communicate()
    serving.communicate()
    return spent / requests * 1e6


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("many", help="the program made of many.c")
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(
        "connections  active  " + "  ".join(f"{name:>8}" for name in SERVERS) + "  ratio"
    )
    for connections, active in ROWS:
        found: Dict[str, List[float]] = {name: [] for name in SERVERS}
        for _ in range(options.rounds):
            for name in SERVERS:
                found[name].append(
                    measure(options.many, name, connections, active, options.requests)
                )
        middles = [statistics.median(found[name]) for name in SERVERS]
        ratio = statistics.median(
            ours / plain for plain, ours in zip(found["epoll"], found["poller"])
        )
        times = "  ".join(f"{value:5.2f} µs" for value in middles)
        print(f"{connections:11}  {active:6}  {times}  {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
