# SPDX-License-Identifier: MIT
"""Makes tables and a plot of what scale.py has measured."""

from __future__ import annotations

import math
import re
import statistics
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from run import Ratio, table

Sample = Dict[str, Any]
Rows = Dict[str, Dict[str, List[Sample]]]
"""Samples by row, then by peer."""
Samples = Dict[str, Rows]
"""Rows by part."""

BARE = "c:epoll"
HEADING = "## Servers with many connections"
BY_HAND = "### What costs what"
TARGETS = (("lua:poller", 1.3), ("python:poller", 1.5))
TITLES = {
    "c:epoll": "C, bare epoll",
    "c:poller": "C, polysock's poller",
    "lua:poller": "**Lua, polysock's poller**",
    "lua:select": "Lua, polysock's select",
    "lua:luasocket": "Lua, LuaSocket's select",
    "lua:copas": "Lua, copas",
    "lua:copas-polysock": "Lua, copas on polysock",
    "lua:cqueues": "Lua, cqueues",
    "lua:luv": "Lua, luv",
    "python:poller": "**Python, polysock's poller**",
    "python:select": "Python, polysock's select",
    "python:selectors": "Python, selectors and socket",
    "python:asyncio-protocols": "Python, asyncio, protocols",
    "python:asyncio-streams": "Python, asyncio, streams",
    "python:uvloop-protocols": "Python, uvloop, protocols",
    "python:uvloop-streams": "Python, uvloop, streams",
}
CONNECTORS = {
    "c:c": "C, socket that blocks",
    "c:core": "C, polysock",
    "lua:polysock": "Lua, polysock",
    "lua:luasocket": "Lua, LuaSocket",
    "python:polysock": "Python, polysock",
    "python:blocking": "Python, socket that blocks",
    "python:limited": "Python, socket with a timeout",
    "python:nonblocking": "Python, socket that does not block, and poll",
}
PLACES = {"process": "server in another process", "thread": "in a thread of the client"}
CASES = {"echo": "Echo of 64 bytes", "line": "Lines of 64 bytes"}


def spread(values: Sequence[float]) -> Ratio:
    """The median and the middle half."""
    found = sorted(values) or [math.nan]
    if len(found) == 1:
        return Ratio(found[0], found[0], found[0])
    low, median, high = statistics.quantiles(found, n=4, method="inclusive")
    return Ratio(median, low, high)


def each(sample: Sample) -> float:
    """Microseconds of the server for one request."""
    return float(sample["cpu"] / sample["requests"] * 1e6)


def alive(samples: Sequence[Sample]) -> List[Sample]:
    """Samples of peers that have not died."""
    return [sample for sample in samples if "dead" not in sample]


def times_bare(
    row: Dict[str, List[Sample]], peer: str, value: Callable[[Sample], float]
) -> Optional[float]:
    """The median of the ratios to the bare loop of C, each in one round."""
    found = [
        value(mine) / value(bare)
        for mine, bare in zip(row.get(peer, ()), row.get(BARE, ()))
        if "dead" not in mine and "dead" not in bare
    ]
    return statistics.median(found) if found else None


def cell(
    row: Dict[str, List[Sample]], peer: str, value: Callable[[Sample], float]
) -> str:
    """A value with its spread, and how many times that of the bare loop it is."""
    good = alive(row.get(peer, ()))
    if not good:
        return "dies" if row.get(peer) else "–"
    times = times_bare(row, peer, value)
    ratio = "" if times is None else f" · {times:.2f}"
    return f"{spread([value(sample) for sample in good])}{ratio}"


def peers_of(rows: Rows) -> List[str]:
    """All peers of some rows, in the order of the titles."""
    there = {peer for row in rows.values() for peer in row}
    return [peer for peer in TITLES if peer in there]


def main_rows(rows: Rows) -> List[str]:
    """Rows that both protocols have, which are those of the tables."""
    return [
        name for name, row in rows.items() if re.search(" of (50|500|900|8,000)$", name)
    ]


def serving_table(rows: Rows) -> str:
    """Time for a request, by peer."""
    names = main_rows(rows)
    body = [
        [TITLES[peer], *(cell(rows[name], peer, each) for name in names)]
        for peer in peers_of(rows)
    ]
    return table(["server", *names], body)


def verdict(reached: bool) -> str:
    """Says whether a target is reached."""
    return "yes" if reached else "**no**"


OURS = ("poller", "select", "copas-polysock")
"""Servers on polysock."""


def best_peer(row: Dict[str, List[Sample]], language: str) -> Optional[str]:
    """The fastest server of a language that is not on polysock."""
    medians = {
        peer: spread([each(sample) for sample in alive(samples)]).median
        for peer, samples in row.items()
        if peer.split(":")[0] == language
        and peer.split(":")[1] not in OURS
        and alive(samples)
    }
    return min(medians, key=lambda peer: medians[peer]) if medians else None


def target_rows(samples: Samples) -> Iterator[List[str]]:
    """Makes a row for each target."""
    for ours, most in TARGETS:
        language = ours.split(":")[0].capitalize()
        for case in (case for case in CASES if case in samples):
            for name in main_rows(samples[case]):
                row = samples[case][name]
                times, peer = (
                    times_bare(row, ours, each),
                    best_peer(row, language.lower()),
                )
                if times is None or peer is None:
                    continue
                ahead = statistics.median(
                    each(theirs) / each(mine)
                    for mine, theirs in zip(row[ours], row[peer])
                    if "dead" not in mine and "dead" not in theirs
                )
                yield [
                    f"{language}, {case}, {name}",
                    f"{times:.2f}, at most {most:g}",
                    verdict(times <= most),
                    f"{ahead:.2f} times {TITLES[peer].split(', ', 1)[1]}",
                    verdict(ahead >= 1),
                ]


def flat_rows(samples: Samples) -> Iterator[List[str]]:
    """Makes a row for each server that is to cost the same with idle connections."""
    for ours, _ in TARGETS:
        for case in (case for case in CASES if case in samples):
            rows = samples[case]
            few, many = rows["50 active of 50"], rows["50 active of 8,000"]
            found = [
                each(b) / each(a)
                for a, b in zip(few.get(ours, ()), many.get(ours, ()))
                if "dead" not in a and "dead" not in b
            ]
            if found:
                ratio = spread(found)
                language = ours.split(":")[0].capitalize()
                yield [f"{language}, {case}", str(ratio), verdict(ratio.median <= 1.15)]


def simple_table(
    rows: Rows,
    head: Sequence[str],
    cells: Callable[[Dict[str, List[Sample]], str], List[str]],
) -> str:
    """A table of one row of samples, a line for each peer."""
    row = next(iter(rows.values()))
    return table(head, [[TITLES[peer], *cells(row, peer)] for peer in peers_of(rows)])


def accept_cells(row: Dict[str, List[Sample]], peer: str) -> List[str]:
    """Processor time and rate of accept."""
    walls = [1e-3 / sample["wall"] for sample in alive(row[peer])]
    rate = str(spread(walls)) if walls else "–"
    return [cell(row, peer, lambda sample: float(sample["cpu"] * 1e6)), rate]


def idle_cells(row: Dict[str, List[Sample]], peer: str) -> List[str]:
    """Bytes of an idle connection."""
    found = [float(sample["bytes"]) for sample in alive(row[peer])]
    if not found:
        return ["dies"]
    return [f"{statistics.median(found):,.0f} ({min(found):,.0f}–{max(found):,.0f})"]


def herd_cells(row: Dict[str, List[Sample]], peer: str) -> List[str]:
    """Seconds until half, nearly all and all have their answer."""
    good = alive(row[peer])
    if not good:
        return [row[peer][0]["dead"], "", ""]
    return [
        f"{statistics.median(found):.2f} ({min(found):.2f}–{max(found):.2f})"
        for found in ([sample[key] for sample in good] for key in ("half", "most", "all"))
    ]


def sharing_table(rows: Rows) -> str:
    """One process against two."""
    body = []
    for peer in peers_of(rows):
        line = [TITLES[peer]]
        for processes in ("1", "2"):
            good = alive(rows.get(processes, {}).get(peer, ()))
            line += [
                str(spread([s["requests"] / s["wall"] / 1000 for s in good])),
                str(spread([each(s) for s in good])),
            ]
        body.append(line)
    return table(
        [
            "server",
            "1 process, 1000 requests/s",
            "µs each",
            "2 processes, 1000 requests/s",
            "µs each",
        ],
        body,
    )


def connect_table(rows: Rows) -> str:
    """Connects in a second: the median, the middle half, the least and the most."""
    body = []
    for peer, title in CONNECTORS.items():
        line = [title]
        for place in PLACES:
            found = [s["rate"] / 1000 for s in alive(rows.get(place, {}).get(peer, ()))]
            line.append(
                f"{spread(found)}, {min(found):.2f} to {max(found):.2f}" if found else "–"
            )
        cpu = [s["cpu"] * 1e6 for s in alive(rows.get("process", {}).get(peer, ()))]
        sleeps = [s["sleeps"] for s in alive(rows.get("thread", {}).get(peer, ()))]
        body.append([*line, str(spread(sleeps)) if sleeps else "–", str(spread(cpu))])
    head = ["client", *PLACES.values(), "sleeps each, there", "µs of processor time each"]
    return table(head, body)


def deaths(samples: Samples) -> List[str]:
    """Says which peers died, where and of what."""
    found: Dict[str, List[str]] = {}
    for part, rows in samples.items():
        for name, row in rows.items():
            for peer, taken in row.items():
                for dead in (sample["dead"] for sample in taken if "dead" in sample):
                    title = {**CONNECTORS, **TITLES}[peer]
                    found.setdefault(f"{title.strip('*')}: {dead}", []).append(
                        f"{part} {name}"
                    )
    return [f"- {what} ({', '.join(where)})" for what, where in found.items()]


INTRODUCTION = """\
Written by `make bench-scale`, except for its last part. The servers are those of
`tests/bench/serve.*`, each as its library wants to be used; the clients are
`tests/bench/load.c`, which sends 64 bytes on each active connection, checks what comes
back to the byte, and sends the next; the other connections are open and silent. All
servers took their turn in each of {rounds} rounds, every sample in a new process. Shown
are microseconds of the server's processor time for one request: the median, the middle
half in parentheses, and, behind the dot, the median of the ratios to the bare loop of C
in the same round.
"""
ON_ACCEPT = """\
4,000 connections are there before the first accept, and what is measured is nothing but
the loop that accepts and keeps them.
"""
ON_IDLE = """\
Bytes of resident memory of the server's process for each of {count} idle connections
that it waits on; what the kernel needs for them is the same for all and not counted. In
parentheses the least and the most of all rounds.
"""
ON_HERD = """\
5,000 clients begin to connect at once, as fast as one process can ask the system, and
each sends a request; the server has a backlog of 128. Seconds until half of them, 99 in
100 and all have their answer. A connection that finds the backlog full is tried again
by the client's system a second later, then two seconds later, and so on, which no
server can change: what a server decides is how often the backlog is full. cqueues takes
no backlog from its program.
"""
ON_SHARING = """\
Processes that share a port by `reuseport`, 100 connections, all active. This machine
has two processors, and the clients need one of them.
"""


ON_CONNECT = """\
Connects in a second, in thousands, each closed before the next: the median, the middle
half in parentheses, and the least and the most of {count} samples of 500 connects,
which run before all other work of the machine. The server is the bare loop of C, or a
thread of Python that accepts and closes, which needs the interpreter's lock as the
client does. What is counted there is how often a connect puts the client's thread to
sleep.
"""


def section(kept: Dict[str, Any]) -> str:
    """Makes the section, without what is written by hand."""
    samples: Samples = kept["samples"]
    rounds = max(
        len(taken)
        for case in CASES
        for row in samples.get(case, {}).values()
        for taken in row.values()
    )
    parts = [HEADING + "\n", INTRODUCTION.format(rounds=rounds)]
    parts.append(
        f"Command: `python3 {kept['command']}`. Load average at the end: "
        f"{kept['load average']:.1f}: rates and the herd, which go by the wall clock, "
        "tell less than processor time does.\n"
    )
    for case, title in CASES.items():
        if case in samples:
            parts += [f"{title}:\n", serving_table(samples[case])]
    parts.append("![Time per request](benchmarks-scale.svg)\n")
    if gone := deaths(samples):
        parts.append("Those that died:\n")
        parts.append("\n".join(gone) + "\n")
    parts.append("### Targets\n")
    head = ["case", "times bare C", "reached", "ahead of its best peer", "reached"]
    parts.append(table(head, list(target_rows(samples))))
    parts.append(
        table(
            ["8,000 against 50, 50 active", "ratio, at most 1.15", "reached"],
            list(flat_rows(samples)),
        )
    )
    if "accept" in samples:
        parts += ["### Accepting\n", ON_ACCEPT]
        head = ["server", "µs each", "1000 connections/s"]
        parts.append(simple_table(samples["accept"], head, accept_cells))
    if "idle" in samples:
        count = next(iter(samples["idle"]))
        parts += [
            "### Memory of an idle connection of a server\n",
            ON_IDLE.format(count=count),
        ]
        parts.append(simple_table(samples["idle"], ["server", "bytes each"], idle_cells))
    if "herd" in samples:
        parts += ["### A thundering herd\n", ON_HERD]
        head = ["server", "half", "99 in 100", "all"]
        parts.append(simple_table(samples["herd"], head, herd_cells))
    if "connect" in samples:
        count = max(len(taken) for taken in samples["connect"]["process"].values())
        parts += ["### Connecting\n", ON_CONNECT.format(count=count)]
        parts.append(connect_table(samples["connect"]))
    if "sharing" in samples:
        parts += ["### Several processes on one port\n", ON_SHARING]
        parts.append(sharing_table(samples["sharing"]))
    return "\n".join(parts)


def write(kept: Dict[str, Any], output: Path) -> None:
    """Replaces the section, and keeps what was written by hand behind it."""
    old = output.read_text(encoding="utf-8") if output.exists() else ""
    before = old[: old.index(HEADING)] if HEADING in old else old and old + "\n"
    by_hand = old[old.index(BY_HAND) :] if BY_HAND in old else f"{BY_HAND}\n"
    output.write_text(before + section(kept) + "\n" + by_hand, encoding="utf-8")


def curve(rows: Rows, peer: str) -> List[Any]:
    """Connections and time for a request, of the rows with 50 active ones."""
    points = []
    for name, row in rows.items():
        active, count = (int(one) for one in re.findall(r"\d+", name.replace(",", "")))
        good = alive(row.get(peer, ()))
        if active == 50 and good:
            found = spread([each(sample) for sample in good])
            points.append((count, found.median, found.low, found.high))
    return sorted(points)


def draw(samples: Samples, folder: Path) -> None:
    """Draws the time for a request over the number of connections."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {"svg.hashsalt": "polysock", "font.size": 9, "svg.fonttype": "none"}
    )
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.8), sharey=True)
    rows = samples.get("echo", {})
    for axis, language in zip(axes, ("lua", "python")):
        for i, peer in enumerate(peers_of(rows)):
            points = curve(rows, peer)
            if not points or peer.split(":")[0] not in ("c", language):
                continue
            bare, ours = peer.startswith("c:"), "**" in TITLES[peer]
            x, median, low, high = zip(*points)
            axis.errorbar(
                x,
                median,
                yerr=[
                    [m - one for m, one in zip(median, low)],
                    [one - m for m, one in zip(median, high)],
                ],
                fmt="--" if bare else "-o" if ours else "-",
                lw=2 if ours else 1.1,
                markersize=4,
                color=("black", "grey")[i % 2] if bare else f"C{i % 10}",
                label=TITLES[peer].strip("*").split(", ", 1)[1]
                if not bare
                else TITLES[peer],
            )
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel("open connections, 50 of them active")
        axis.set_title(language.capitalize())
        axis.grid(alpha=0.3, which="both")
        axis.legend(fontsize=7)
    axes[0].set_ylabel("µs of processor time for a request (echo)")
    figure.tight_layout()
    plot = folder / "benchmarks-scale.svg"
    figure.savefig(plot, metadata={"Date": None})
    text = plot.read_text(encoding="utf-8")
    plot.write_text(
        "\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8"
    )
