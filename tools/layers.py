#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the shape of the core: layers, names and sizes, and what it asks of the system.

Calls are read from the symbol tables of objects that are compiled without optimization,
so that none is missing; includes, names and lengths are read from the sources. Prints
each fault, and fails if there is one. It must never look at the history or change a file.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple


def words(text: str) -> List[str]:
    return text.split()


LAYERS = words(
    """
    os error reader turn member timeout call transport stream direct receive resolve
    connect socket option tcp select poller_wait poller
    """
)
"""The files of the core, lowest first. core/os_*.c and core/poll_*.c are one layer, the
system."""

PROCESS = {"os_helpers", "os_process", "os_wait", "os_windows"}
"""Files that may have mutable globals, since these belong to the process."""

PURE = words(
    """
    memchr memcmp memcpy memmem memmove memset strcasecmp strchr strcmp strcpy strlen
    strncasecmp strncmp strncpy strpbrk strspn strstr strtol strtoll snprintf vsnprintf
    ceil floor fmax fmin trunc __stack_chk_fail __memcpy_chk __memset_chk __snprintf_chk
    __strcpy_chk _GLOBAL_OFFSET_TABLE_
    """
)
"""What a file that is not the system's may refer to: functions without state."""

FORBIDDEN = words(
    """
    _exit _longjmp abort exit fprintf fputs fwrite kill longjmp perror printf putchar puts
    quick_exit raise setlocale sigaction siglongjmp signal vfprintf vprintf
    """
)
"""What no file of the core calls: it prints, ends, jumps, or changes the process."""

POSIX = words(
    """
    accept bind close connect getpeername getsockname getsockopt listen poll raise read
    recv select send setsockopt shutdown sleep socket wait write
    """
)
"""Names that no static function has, with all others of this system's C library."""

MANUALS = {"polysock.h", "methods.def"}
"""A header that is read as a manual, contract by contract, may be long, and so may what
is generated."""

FILE_LINES = 500
FUNCTION_LINES = 60


class Symbol(NamedTuple):
    name: str
    kind: str  # as nm says: U undefined, T code, t static code, D data, …


def command(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def symbols(path: Path, *options: str) -> List[Symbol]:
    lines = command("nm", "-P", *options, str(path)).splitlines()
    return [Symbol(*line.split()[:2]) for line in lines]


def layer(stem: str) -> str:
    return "os" if stem.startswith(("os_", "poll_")) else stem


class Core:
    """The sources of the core, and the symbols of their objects."""

    def __init__(self, root: Path, compiler: str) -> None:
        self.root, self.compiler = root.resolve(), compiler
        self.sources = sorted((self.root / "core").glob("*.c"))
        self.headers = sorted((self.root / "core").glob("*.h"))
        self.symbols: Dict[str, List[Symbol]] = {}
        self.defined: Dict[
            str, str
        ] = {}  # the file of each function that others can call
        with tempfile.TemporaryDirectory() as folder:
            for source in self.sources:
                made = Path(folder) / "one.o"
                self.compile("-O0", "-fPIC", "-c", "-o", str(made), str(source))
                self.symbols[source.stem] = symbols(made)
        for stem, its in self.symbols.items():
            self.defined.update({one.name: stem for one in its if one.kind in "TDBRCVW"})

    def compile(self, *words: str) -> None:
        include = f"-I{self.root / 'core'}"
        command(self.compiler, "-std=c11", "-fno-lto", include, *words)

    def calls(self) -> Iterator[Tuple[str, str, str]]:
        """Yields the file that uses a name, the file that defines it, and the name."""
        for stem, its in self.symbols.items():
            for one in its:
                if one.kind == "U" and one.name in self.defined:
                    yield stem, self.defined[one.name], one.name

    def statics(self) -> Iterator[Tuple[str, str]]:
        """Yields the file and the name of each static function."""
        for stem, its in self.symbols.items():
            for one in its:
                if one.kind == "t" and not one.name.startswith("ps_"):
                    yield stem, one.name.split(".")[0]


def unknown_files(core: Core) -> Iterator[str]:
    for source in core.sources:
        if layer(source.stem) not in LAYERS:
            yield f"core/{source.name} has no layer: name it in tools/layers.py"


def upward_calls(core: Core) -> Iterator[str]:
    for user, owner, name in core.calls():
        below, above = layer(user), layer(owner)
        if below not in LAYERS or above not in LAYERS or below == above:
            continue
        if LAYERS.index(below) < LAYERS.index(above):
            yield f"core/{user}.c calls {name} of {owner}.c, which is above it"


def cycle(edges: Dict[str, Set[str]], start: str) -> List[str]:
    """Returns a shortest way along the edges from a name back to itself, or nothing."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop(0)
        for name in sorted(edges.get(way[-1], ())):
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def circles(what: str, edges: Dict[str, Set[str]]) -> Iterator[str]:
    told: Set[str] = set()
    for start in sorted(edges):
        way = cycle(edges, start)
        if way and not told.intersection(way):
            told.update(way)
            yield f"a circle of {what}: {' -> '.join(way)}"


def circles_of_calls(core: Core) -> Iterator[str]:
    edges: Dict[str, Set[str]] = {}
    for user, owner, _ in core.calls():
        if user != owner:
            edges.setdefault(f"{user}.c", set()).add(f"{owner}.c")
    return circles("calls", edges)


def includes(path: Path) -> Set[str]:
    text = path.read_text()
    return set(re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE))


def upward_includes(core: Core) -> Iterator[str]:
    """A header of one file is seen from that layer upwards; os.h is the system's."""
    edges: Dict[str, Set[str]] = {}
    for path in [*core.sources, *core.headers]:
        edges[path.name] = includes(path)
        for name in edges[path.name]:
            below, above = layer(path.stem), layer(Path(name).stem)
            known = below in LAYERS and above in LAYERS
            if known and LAYERS.index(below) < LAYERS.index(above):
                yield f"core/{path.name} includes {name}, which is above it"
    yield from circles("includes", edges)
    if includes(core.root / "core" / "polysock.h") - {"errors.def"}:
        yield "core/polysock.h includes more than errors.def"


def names(core: Core) -> Iterator[str]:
    """Public functions are in polysock.h, others say in which file they are."""
    public = (core.root / "core" / "polysock.h").read_text()
    for name, stem in sorted(core.defined.items()):
        if name.startswith("ps__"):
            allowed = {stem, layer(stem), stem.replace("os_", "")}
            if not any(
                name.startswith(f"ps__{word}_") or name == f"ps__{word}"
                for word in allowed
            ):
                yield f"core/{stem}.c defines {name}: not named ps__{layer(stem)}_…"
        elif not name.startswith("ps_"):
            yield f"core/{stem}.c defines {name}: not named ps_…"
        elif not re.search(rf"\b{name}\(", public):
            yield f"core/{stem}.c defines {name}, which is not in polysock.h"


def taken() -> Set[str]:
    """Returns the names of the C library, as far as the system tells them."""
    made = set(POSIX)
    for library in ("libc.so.6", "libm.so.6"):
        path = command("cc", f"-print-file-name={library}").strip()
        if os.path.isabs(path):
            found = symbols(Path(path), "-D", "--defined-only")
            made.update(
                one.name.split("@@")[0]
                for one in found
                if "@@" in one.name and one.kind in "TWi"
            )
    return made


def static_names(core: Core) -> Iterator[str]:
    """None is the C library's. Outside of the system's files, none has two meanings."""
    of_system = taken()
    homes: Dict[str, List[str]] = {}
    for stem, name in core.statics():
        if name in of_system:
            yield f"core/{stem}.c: {name} is the C library's"
        if layer(stem) != "os":
            homes.setdefault(name, []).append(f"core/{stem}.c")
    for path in sorted((core.root / "swig").rglob("*.[hi]")):
        for name in re.findall(
            r"^static [^;={]*?\b(\w+)\(", path.read_text(), re.MULTILINE
        ):
            if name in of_system:
                yield f"{path.relative_to(core.root)}: {name} is the C library's"
    for name, files in sorted(homes.items()):
        if len(files) > 1:
            yield f"{', '.join(files)}: each has a static function {name}"


def system_calls(core: Core) -> Iterator[str]:
    for stem, its in core.symbols.items():
        used = {one.name.split("@")[0] for one in its if one.kind == "U"}
        for name in sorted(used.intersection(FORBIDDEN)):
            yield f"core/{stem}.c calls {name}: it prints, ends, jumps or raises"
        if layer(stem) != "os":
            outside = {name for name in used if not name.startswith("ps_")}
            for name in sorted(outside.difference(PURE, FORBIDDEN)):
                yield f"core/{stem}.c calls {name}: only the system's files ask it"


def globals_that_change(core: Core) -> Iterator[str]:
    for source in core.sources:
        if source.stem in PROCESS:
            continue
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, "one.o")
            core.compile("-O2", "-fPIC", "-c", "-o", made, str(source))
            table = command("objdump", "-t", made)
        # Constants that hold addresses are in .data.rel.ro.
        pattern = (
            r" (?:O|\.t?(?:data|bss))\S* *(\.t?(?:data|bss)\S*|\*COM\*)\s+(\w+) (\S+)"
        )
        for section, size, name in re.findall(pattern, table):
            if not section.startswith(".data.rel.ro") and int(size, 16) > 0:
                yield f"core/{source.name}: {name} is a mutable global"


def unity(core: Core) -> Iterator[str]:
    """All files but the system's make one translation unit."""
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "unity.c"
        those = [one for one in core.sources if layer(one.stem) != "os"]
        unit.write_text("".join(f'#include "{source}"\n' for source in those))
        try:
            core.compile("-fsyntax-only", str(unit))
        except subprocess.CalledProcessError as failed:
            for line in failed.stderr.splitlines():
                if "error:" in line:
                    yield f"as one unit: {line.replace(str(core.root) + '/', '')}"


def functions(path: Path) -> Iterator[Tuple[str, int]]:
    """Yields the name and the number of lines of each function, as they are laid out."""
    lines = path.read_text().splitlines()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1
        return
    first = None  # the last line that may begin a function
    for number, line in enumerate(lines):
        if line == "}" and first is not None:
            name = re.search(r"(\w+)\(", " ".join(lines[first:number]))
            if name:
                yield name[1], number - first + 1
        if re.match(r"[^\s#]", line) and not re.match(r"\w+:$", line):
            first = number if re.match(r"[A-Za-z_]", line) else None


def sizes(core: Core) -> Iterator[str]:
    paths = [*(core.root / "core").rglob("*"), *(core.root / "swig").rglob("*")]
    for path in sorted(paths):
        if path.suffix not in {".c", ".h", ".i", ".py", ".def"}:
            continue
        name = path.relative_to(core.root)
        count = len(path.read_text().splitlines())
        if count > FILE_LINES and path.name not in MANUALS:
            yield f"{name} has {count} lines, more than {FILE_LINES}"
        for function, count in functions(path):
            if count > FUNCTION_LINES:
                yield f"{name}: {function} has {count} lines, more than {FUNCTION_LINES}"


def comments(core: Core) -> Iterator[str]:
    for folder in ("core", "swig", "lua", "python"):
        for path in sorted((core.root / folder).rglob("*")):
            if path.suffix in {".c", ".h", ".i", ".def", ".lua", ".py"}:
                for number, line in enumerate(path.read_text().splitlines(), 1):
                    if "Does:" in line:
                        yield f'{path.relative_to(core.root)}:{number}: "Does:"'


def private_headers(core: Core) -> Iterator[str]:
    """polysock.h is the only header of the core that a binding includes."""
    private = {path.name for path in core.headers} - {"polysock.h"}
    paths = [
        *(core.root / "swig").rglob("*.[hi]"),
        *(core.root / "core/examples").glob("*.c"),
    ]
    for path in sorted(paths):
        for name in sorted(includes(path) & private):
            yield f"{path.relative_to(core.root)} includes {name}, which is private"


CHECKS = {
    "every file of the core has its layer": unknown_files,
    "no call goes up": upward_calls,
    "calls between files form no circle": circles_of_calls,
    "no include goes up or round": upward_includes,
    "functions that cross files name their file": names,
    "static functions have names of their own": static_names,
    "only the system's files ask the system": system_calls,
    "no mutable globals": globals_that_change,
    "the core compiles as one unit": unity,
    "files and functions are short": sizes,
    "comments say why": comments,
    "bindings see polysock.h alone": private_headers,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).resolve().parent.parent
    )
    parser.add_argument("--compiler", default="cc")
    chosen = parser.parse_args()
    try:
        core = Core(chosen.root, chosen.compiler)
    except subprocess.CalledProcessError as failed:
        print(failed.stderr, end="")
        return 1
    count = 0
    for what, check in CHECKS.items():
        faults = list(dict.fromkeys(check(core)))
        count += len(faults)
        if faults:
            print(f"{what}:")
            print("".join(f"  {fault}\n" for fault in faults), end="")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
