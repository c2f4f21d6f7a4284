# SPDX-License-Identifier: MIT
"""Runs the benchmarks and writes what came out.

Every case runs polysock and its peers in turn, each in a process of its own, for several
rounds. What counts is the ratio of two neighbours in the same round, and of those the
median: whatever else the machine does meanwhile falls on both. A report holds only what
this run has measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KIB, MIB = 1024, 1024 * 1024
PATIENCE = 60  # seconds for one sample; a peer that hangs is left out and said to be


@dataclass(frozen=True)
class Case:
    """One row of a table."""

    name: str
    title: str
    count: int
    lua: Optional[float] = None
    """The least ratio to LuaSocket."""
    tuples: Optional[float] = None
    """The least ratio of Python's tuples to the standard library."""
    raising: Optional[float] = None
    """The same for the raising module."""


CASES = (
    Case("line", 'receive("*l")', 300_000, 2.2, 1.0, 1.3),
    Case("iterate", "iterate lines", 300_000, 2.3, 1.7, 1.7),
    Case("line20k", "lines of 20 kB", 4_000, 3.0, 1.3, 1.3),
    Case("count16", "receive(16)", 300_000, 1.3, 1.0, 1.0),
    Case("count64k", "receive(64 KiB)", 2_000, 1.3, 1.0, 1.0),
    Case("count1m", "receive(1 MiB)", 200, 1.5, 1.0, 1.0),
    Case("all", 'receive("*a"), 300 MB', 300_000_000, 5.0, 4.0, 4.0),
    Case("send1m", "send, 1 MiB", 200, 1.3, 1.0, 1.0),
    Case("send64", "send, 64 bytes", 40_000, 1.0, 1.1, 1.1),
    Case("pingpong", "64 bytes there and back", 4_000),
    Case("call", "a call without I/O", 1_000_000, 1.0, 0.8, 0.8),
    Case("connect", "connect and close", 500, 1.0, 1.0, 1.0),
)
LUA = ("polysock", "luasocket", "cqueues", "copas", "luv")
PYTHON = (
    "polysock",
    "raising",
    "socket",
    "boltons",
    "asyncio-streams",
    "asyncio-protocols",
    "uvloop-streams",
    "uvloop-protocols",
)
MAIN = ("polysock", "luasocket", "raising", "socket", "c", "c-poll", "core")
GROWTH = (
    ("growth-all", 'receive("*a")'),
    ("growth-line", "one long line"),
    ("growth-until", "receiveuntil, almost matching"),
    ("growth-drip", "a line, a byte per packet"),
)


@dataclass
class Runner:
    """Knows how to run one sample."""

    lua: str
    python: str
    reference: Path
    port: int
    environment: Dict[str, str]
    absent: Dict[str, str] = field(default_factory=dict)

    def command(self, library: str, case: str, count: int) -> List[str]:
        """Returns the command of one sample."""
        language, name = library.split(":")
        program = {
            "lua": [self.lua, str(HERE / "cases.lua")],
            "python": [self.python, str(HERE / "cases.py")],
            "c": [str(self.reference)],
        }[language]
        return [*program, name, case, str(self.port), str(count)]

    def sample(self, library: str, case: str, count: int) -> Optional[Dict[str, float]]:
        """Runs a case once; None when this library lacks it."""
        key = f"{library} {case}"
        if key in self.absent:
            return None
        name = library.split(":")[1]
        command = self.command(library, case, count)
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                env=self.environment,
            )
        except subprocess.TimeoutExpired:
            self.absent[key] = "did not end"
            return None
        if done.returncode != 0:
            self.absent[key] = (done.stderr.strip().splitlines() or ["failed"])[-1]
            if (
                name in ("polysock", "raising", "c", "core")
                and "KeyError" not in done.stderr
            ):
                sys.exit(f"{' '.join(command)}\n{done.stderr}")
            return None
        result: Dict[str, float] = json.loads(done.stdout)
        return result


Samples = Dict[str, List[Optional[Dict[str, float]]]]


def rounds(
    runner: Runner, libraries: Sequence[str], case: str, count: int, times: int
) -> Samples:
    """Runs all libraries in turn, several times; minor peers less often."""
    samples: Samples = {library: [] for library in libraries}
    for turn in range(times):
        for library in libraries:
            if library.split(":")[1] in MAIN or turn < (times + 1) // 2:
                samples[library].append(runner.sample(library, case, count))
    return {library: found for library, found in samples.items() if any(found)}


@dataclass(frozen=True)
class Ratio:
    """The median of the ratios of a run, and the middle half of them."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def ratio(samples: Samples, ours: str, peer: str, what: str) -> Optional[Ratio]:
    """Tells how many times better ours is than peer: more work in the same time."""
    found = sorted(
        theirs[what] / mine[what]
        for mine, theirs in zip(samples.get(ours, ()), samples.get(peer, ()))
        if mine and theirs and mine[what] > 0
    )
    if not found:
        return None
    if len(found) == 1:
        return Ratio(found[0], found[0], found[0])
    low, median, high = statistics.quantiles(found, n=4, method="inclusive")
    return Ratio(median, low, high)


def middle(samples: Samples, library: str, what: str) -> Optional[float]:
    """The median of a value."""
    values = [sample[what] for sample in samples.get(library, ()) if sample]
    return statistics.median(values) if values else None


# ---- Tables


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Makes a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def verdict(found: Optional[Ratio], target: Optional[float]) -> str:
    """Says whether a ratio reaches its target."""
    if found is None or target is None:
        return "–"
    return "yes" if found.median >= target else "**no**"


def time_of(seconds: Optional[float], count: int) -> str:
    """Writes the time of one operation."""
    if seconds is None:
        return "–"
    each = seconds / count
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if each >= size:
            return f"{each / size:.3g} {unit}"
    return f"{each / 1e-9:.3g} ns"


def case_rows(
    results: Dict[str, Samples], ours: str, peer: str, target: str, scale: int
) -> Iterator[List[str]]:
    """Makes the rows of ours against its main peer."""
    for case in CASES:
        samples = results[case.name]
        cpu, wall = (ratio(samples, ours, peer, what) for what in ("cpu", "wall"))
        least = getattr(case, target)
        count = 1 if case.name == "all" else max(1, case.count // scale)
        yield [
            case.title,
            "–" if least is None else f"{least:g}",
            str(cpu or "–"),
            str(wall or "–"),
            verdict(cpu, least),
            time_of(middle(samples, ours, "cpu"), count),
        ]


def other_rows(
    results: Dict[str, Samples], ours: str, peers: Sequence[str]
) -> Iterator[List[str]]:
    """Makes the rows of ours against all others."""
    for case in CASES:
        found = [ratio(results[case.name], ours, peer, "cpu") for peer in peers]
        yield [case.title, *(str(one or "–") for one in found)]


HEAD = ("case", "target", "processor time", "wall clock", "reached", "polysock, each")


def names(libraries: Sequence[str]) -> List[str]:
    """Libraries without their language."""
    return [library.split(":")[1] for library in libraries]


# ---- Measuring


@dataclass
class Report:
    """Everything that a run has measured."""

    scale: int
    times: int
    cases: Dict[str, Samples] = field(default_factory=dict)
    bare: Dict[str, Samples] = field(default_factory=dict)
    idle: Dict[str, Samples] = field(default_factory=dict)
    growth: Dict[Tuple[str, str], List[Tuple[int, float, float]]] = field(
        default_factory=dict
    )


def tagged(language: str, libraries: Sequence[str]) -> List[str]:
    """Libraries with their language."""
    return [f"{language}:{library}" for library in libraries]


def measure(runner: Runner, report: Report, largest: int) -> None:
    """Runs everything."""
    scale, times = report.scale, report.times
    everyone = tagged("lua", LUA) + tagged("python", PYTHON)
    for case in CASES:
        say(case.title)
        count = max(1, case.count // scale)
        report.cases[case.name] = rounds(runner, everyone, case.name, count, times)
    both = ["lua:polysock", "python:polysock", "python:raising", "c:core", "c:c"]
    for name, count in (("count1m", 400), ("send1m", 400), ("line", 1_000_000)):
        say(f"bare loop, {name}")
        libraries = both if name != "line" else ["c:core", "c:c"]
        report.bare[name] = rounds(runner, libraries, name, count // scale, times)
    say("bare loop, pingpong")
    report.bare["pingpong"] = rounds(
        runner, [*both, "c:c-poll"], "pingpong", 4000 // scale, times
    )
    say("idle connections")
    libraries = ["lua:polysock", "lua:luasocket", "python:polysock", "python:socket"]
    report.idle["idle"] = rounds(runner, libraries, "idle", 4000 // scale, min(times, 3))
    for name, title in GROWTH:
        say(f"growth, {title}")
        for language in ("lua", "python"):
            report.growth[name, language] = list(
                grow(
                    runner,
                    language,
                    name,
                    # A packet for each byte takes a while.
                    max(largest // 256, 64 * KIB) if "drip" in name else largest,
                )
            )


def grow(
    runner: Runner, language: str, name: str, largest: int
) -> Iterator[Tuple[int, float, float]]:
    """Yields size, seconds of processor per byte, and peak memory."""
    size = KIB
    while size <= largest:
        found = [runner.sample(f"{language}:polysock", name, size) for _ in range(2)]
        good = [sample for sample in found if sample]
        if not good:
            return  # it took too long, which the report says
        yield (
            size,
            min(sample["cpu"] for sample in good) / size,
            min(sample["bytes"] for sample in good),
        )
        size *= 4


def say(text: str) -> None:
    """Shows that something happens."""
    print(text, file=sys.stderr, flush=True)


# ---- The report


def bare_rows(report: Report) -> Iterator[List[str]]:
    """Makes the rows against the bare loop of C."""
    targets = {"count1m": 0.85, "send1m": 0.85, "line": 0.5, "pingpong": 1 / 1.1}
    titles = {
        "count1m": "receive, 1 MiB",
        "send1m": "send, 1 MiB",
        "line": "lines, against memchr",
        "pingpong": "64 bytes there and back",
    }
    for name, samples in report.bare.items():
        for library in samples:
            if library in ("c:c", "c:c-poll"):
                continue
            for peer in ("c:c", "c:c-poll"):
                cpu, wall = (
                    ratio(samples, library, peer, what) for what in ("cpu", "wall")
                )
                if cpu is None:
                    continue
                loop = "" if peer == "c:c" else ", loop with poll"
                yield [
                    titles[name] + loop,
                    library.replace(":", ", "),
                    f"{targets[name]:.2g}",
                    str(cpu),
                    str(wall),
                    # Of bulk it is the throughput that counts.
                    verdict(wall if name.endswith("1m") else cpu, targets[name]),
                ]


def growth_rows(report: Report) -> Iterator[List[str]]:
    """Makes one row a curve."""
    titles = dict(GROWTH)
    for (name, language), points in report.growth.items():
        large = [point for point in points if point[0] >= 64 * KIB] or points
        over = max(peak - 2 * size for size, _, peak in points)
        yield [
            titles[name],
            language,
            size_of(points[-1][0]),
            f"{large[0][1] * 1e9:.2f} ns",
            f"{large[-1][1] * 1e9:.2f} ns",
            f"{points[-1][2] / points[-1][0]:.2f}",
            "yes" if over <= MIB else f"**no**: {over / MIB:.1f} MiB over 2n",
        ]


def size_of(size: float) -> str:
    """Writes a size."""
    for unit, one in (("GiB", 1024 * MIB), ("MiB", MIB), ("KiB", KIB)):
        if size >= one:
            return f"{size / one:g} {unit}"
    return f"{size:.0f} B"


def idle_rows(report: Report) -> Iterator[List[str]]:
    """Makes the rows of memory."""
    samples = report.idle["idle"]
    for ours, peer, most in (
        ("lua:polysock", "lua:luasocket", 0.06),
        ("python:polysock", "python:socket", 1.5),
    ):
        mine, theirs = middle(samples, ours, "bytes"), middle(samples, peer, "bytes")
        if mine is None or theirs is None:
            continue
        yield [
            ours.replace(":", ", "),
            f"{mine:.0f} B",
            f"{names([peer])[0]}: {theirs:.0f} B",
            f"{mine / theirs:.3f}",
            f"at most {most:g}",
            "yes" if mine <= most * theirs else "**no**",
        ]


def versions(runner: Runner) -> List[str]:
    """Says what was measured and where."""
    ask = (
        "from importlib.metadata import version as v; import platform, polysock; "
        "print(polysock.VERSION, '; Python', platform.python_version(), '; uvloop', "
        "v('uvloop'), '; boltons', v('boltons'))"
    )
    python = subprocess.run(
        [runner.python, "-c", ask], capture_output=True, text=True, env=runner.environment
    )
    lua = subprocess.run(
        [runner.lua, "-e", 'print(_VERSION, require("socket")._VERSION)'],
        capture_output=True,
        text=True,
    )
    packages = subprocess.run(
        [
            "dpkg-query",
            "-W",
            "-f=${Package} ${Version}; ",
            *("lua-socket", "lua-cqueues", "lua-copas", "lua-luv"),
        ],
        capture_output=True,
        text=True,
    )
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True).stdout
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    system, release = platform.system(), platform.release().split("-")[0]
    return [
        f"Command: `python3 tests/bench/run.py {' '.join(shown_arguments())}`".rstrip(),
        f"Versions: {python.stdout.strip()}; {' '.join(lua.stdout.split())}; "
        f"{packages.stdout.strip()} {compiler.splitlines()[0] if compiler else ''}",
        f"Machine: {model}, {os.cpu_count()} processors, virtual; {system} {release}. "
        f"Load average at the end: {os.getloadavg()[0]:.1f}",
    ]


def shown_arguments() -> List[str]:
    """The arguments that matter to a reader."""
    hidden = ("--prefix", "--output", "--python", "--lua", "--samples")
    given = zip(["", *sys.argv[1:]], sys.argv[1:])
    return [one for before, one in given if one not in hidden and before not in hidden]


def write(report: Report, runner: Runner, output: Path, plots: bool) -> None:
    """Writes docs/benchmarks.md and its plots, keeping what was written by hand."""
    parts = ["<!-- SPDX-License-Identifier: MIT -->\n# Benchmarks\n"]
    fewer = (report.times + 1) // 2
    parts.append(INTRODUCTION.format(times=report.times, fewer=fewer))
    parts.append("\n".join(f"- {line}" for line in versions(runner)) + "\n")
    parts.append("## Lua, against LuaSocket\n")
    lua_rows = case_rows(
        report.cases, "lua:polysock", "lua:luasocket", "lua", report.scale
    )
    parts.append(table(HEAD, list(lua_rows)))
    parts.append("## Python, against socket and makefile\n")
    for ours, target, title in (
        ("python:polysock", "tuples", "With tuples"),
        ("python:raising", "raising", "With exceptions"),
    ):
        rows = case_rows(report.cases, ours, "python:socket", target, report.scale)
        parts += [f"{title}:\n", table(HEAD, list(rows))]
    if plots:
        parts.append("![Ratios](benchmarks-ratios.svg)\n")
    parts.append("## Against the bare loop of C\n")
    parts.append(ON_LOOPS)
    bare_head = ("case", "library", "target", "processor time", "wall clock", "reached")
    parts.append(table(bare_head, list(bare_rows(report))))
    parts.append("## Memory of an idle connection\n")
    idle_head = ("library", "each", "peer", "ratio", "target", "reached")
    parts.append(table(idle_head, list(idle_rows(report))))
    parts.append("## Growth\n")
    parts.append(ON_GROWTH)
    head = (
        "case",
        "language",
        "up to",
        "per byte at first",
        "at last",
        "memory / n",
        "≤ 2n + 1 MiB",
    )
    parts.append(table(head, list(growth_rows(report))))
    if plots:
        parts.append("![Growth](benchmarks-growth.svg)\n")
    parts.append("## Against the other libraries\n")
    parts.append("By processor time. A dash: the library has no such operation.\n")
    lua, python = tagged("lua", LUA[2:]), tagged("python", PYTHON[3:])
    parts.append(
        table(["Lua", *LUA[2:]], list(other_rows(report.cases, "lua:polysock", lua)))
    )
    rows = other_rows(report.cases, "python:raising", python)
    parts.append(table(["Python, raising", *PYTHON[3:]], list(rows)))
    left_out = sorted(key for key, why in runner.absent.items() if why == "did not end")
    if left_out:
        parts.append(f"Left out, since they did not end: {', '.join(left_out)}.\n")
    old = output.read_text(encoding="utf-8") if output.exists() else ""
    by_hand = old[old.index(BY_HAND) :] if BY_HAND in old else f"{BY_HAND}\n"
    output.write_text("\n".join(parts) + "\n" + by_hand, encoding="utf-8")


BY_HAND = "## Targets that are missed"
INTRODUCTION = """\
Written by `make bench`, except for the last part. Each case ran polysock and its peers in
turn, {times} rounds ({fewer} for peers that no target names), every sample in a process
of its own, against a load generator in C over loopback. A ratio is how many times more
work polysock does in the same time as the peer beside it in the same round; shown are the
median and, in parentheses, the middle half. Processor time is what decides: it is that of
the measured process alone, while the wall clock also waits for the load generator and for
whatever else the machine does.
"""
ON_LOOPS = """\
Ratios below 1 are what the library costs. Of 1 MiB it is the throughput that is to reach
its target, so the wall clock decides there. The loop of the ping-pong blocks in recv; a
second one polls, as whoever keeps a limit of time has to.
"""
ON_GROWTH = """\
Time per byte is that of the processor; memory is the most that one receive takes at once
for a result of n bytes.
"""


def draw(report: Report, folder: Path) -> None:
    """Draws the ratios and the curves."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {"svg.hashsalt": "polysock", "font.size": 9, "svg.fonttype": "none"}
    )
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True)
    colours = {"lua": "#2c5aa0", "tuples": "#d9822b", "raising": "#3a8f4f"}
    series = (
        (axes[0], "Lua, against LuaSocket", (("lua", "lua:polysock", "lua:luasocket"),)),
        (
            axes[1],
            "Python, against socket + makefile",
            (
                ("tuples", "python:polysock", "python:socket"),
                ("raising", "python:raising", "python:socket"),
            ),
        ),
    )
    for axis, title, kinds in series:
        for k, (kind, ours, peer) in enumerate(kinds):
            height = 0.8 / len(kinds)
            for i, case in enumerate(CASES):
                found = ratio(report.cases[case.name], ours, peer, "cpu")
                if found is None:
                    continue
                at = i - 0.4 + height * (k + 0.5)
                error = [[found.median - found.low], [found.high - found.median]]
                axis.barh(
                    at,
                    found.median,
                    height * 0.9,
                    xerr=error,
                    color=colours[kind],
                    label=kind if i == 0 else None,
                    error_kw={"lw": 0.8},
                )
                target = getattr(case, kind)
                if target is not None:
                    axis.plot(
                        [target] * 2, [at - height / 2, at + height / 2], "k-", lw=1.6
                    )
        axis.axvline(1, color="grey", lw=0.6)
        axis.set_title(title)
        axis.set_xlabel("times as fast (processor time); black mark: target")
        axis.set_yticks(range(len(CASES)), [case.title for case in CASES])
        if len(kinds) > 1:
            axis.legend(loc="lower right")
    axes[0].invert_yaxis()
    figure.tight_layout()
    figure.savefig(folder / "benchmarks-ratios.svg", metadata={"Date": None})

    figure, axes = plt.subplots(1, 2, figsize=(11, 4))
    styles = {"lua": "-o", "python": "--s"}
    for i, (name, title) in enumerate(GROWTH):
        for language in ("lua", "python"):
            points = report.growth[name, language]
            sizes = [point[0] for point in points]
            look = {"color": f"C{i}", "markersize": 3, "lw": 1.2}
            label = f"{title}, {language}"
            axes[0].plot(
                sizes, [p[1] * 1e9 for p in points], styles[language], label=label, **look
            )
            axes[1].plot(sizes, [p[2] / MIB for p in points], styles[language], **look)
    sizes = sorted({p[0] for points in report.growth.values() for p in points})
    axes[1].plot(sizes, [(2 * s + MIB) / MIB for s in sizes], "k:", label="2n + 1 MiB")
    for axis, title in zip(
        axes, ("nanoseconds of processor per byte", "peak memory, MiB")
    ):
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xlabel("bytes of the result")
        axis.set_title(title)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7, loc="center right" if axis is axes[0] else "upper left")
    figure.tight_layout()
    figure.savefig(folder / "benchmarks-growth.svg", metadata={"Date": None})
    for plot in folder.glob("benchmarks-*.svg"):
        text = plot.read_text(encoding="utf-8")
        lines = (line.rstrip() for line in text.splitlines())
        plot.write_text("\n".join(lines) + "\n", encoding="utf-8")


# ---- Building and starting


def compile_programs(folder: Path, prefix: Path, names: Sequence[str]) -> None:
    """Compiles C programs of the benchmarks, with the library that prefix has."""
    library = next(prefix.glob("lib*/**/libpolysock.a"), None)
    if library is None:
        sys.exit(f"no libpolysock.a in {prefix}: install polysock there first")
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", f"-I{ROOT}/core"]
    for name in names:
        command = [os.environ.get("CC", "cc"), *flags, "-o", f"{folder}/{name}"]
        command += [f"{HERE}/{name}.c", str(library), "-lm", "-pthread"]
        subprocess.run(command, check=True)


def build(folder: Path, prefix: Path) -> Path:
    """Compiles what the benchmarks of one connection need."""
    compile_programs(folder, prefix, ("peer", "reference"))
    return folder / "reference"


def environment(prefix: Path) -> Dict[str, str]:
    """Lets Lua find the module that is installed in prefix."""
    found: Dict[str, str] = dict(os.environ)
    share, library = (
        prefix / "share/lua/5.4",
        next(prefix.glob("lib*/**/lua/5.4"), prefix),
    )
    found["LUA_PATH"] = f"{share}/?.lua;{share}/?/init.lua;;"
    found["LUA_CPATH"] = f"{library}/?.so;;"
    return found


def parser_of(description: Optional[str]) -> argparse.ArgumentParser:
    """Knows where the languages are; the guard asks the same."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--lua", default="lua5.4", help="the interpreter of Lua")
    parser.add_argument("--python", default=sys.executable, help="a Python with polysock")
    parser.add_argument(
        "--prefix",
        type=Path,
        default=ROOT / "build/prefix",
        help="where polysock is installed",
    )
    return parser


def arguments() -> Any:
    """Reads the command line."""
    parser = parser_of(__doc__)
    parser.add_argument(
        "--short", action="store_true", help="less of everything, in a minute"
    )
    parser.add_argument("--rounds", type=int, help="how many rounds")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "docs/benchmarks.md", help="the report"
    )
    parser.add_argument(
        "--largest", type=int, default=1024, help="MiB of the largest result"
    )
    parser.add_argument("--no-plots", action="store_true", help="do not draw")
    return parser.parse_args()


def main() -> None:
    """Measures and writes."""
    options = arguments()
    report = Report(
        scale=20 if options.short else 1,
        times=options.rounds or (1 if options.short else 7),
    )
    folder = Path(tempfile.mkdtemp())
    reference = build(folder, options.prefix)
    with subprocess.Popen(
        [folder / "peer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        assert peer.stdout is not None
        port = int(peer.stdout.readline())
        runner = Runner(
            options.lua, options.python, reference, port, environment(options.prefix)
        )
        measure(runner, report, MIB if options.short else options.largest * MIB)
        if peer.stdin is not None:
            peer.stdin.close()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    if not options.no_plots:
        draw(report, options.output.parent)
    write(report, runner, options.output, not options.no_plots)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
