#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the core in known ways and shows that the simulation finds each.

Each break is one edit of a copy of core/. Prints in how many of the first worlds it is
found and what the first of them says; fails if one is not found. It changes no file of
the project.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

ROOT = Path(__file__).resolve().parents[2]


class Break(NamedTuple):
    name: str
    file: str
    old: str
    new: str


BREAKS = [
    Break(
        "a byte is dropped at a short read",
        "stream.c",
        "ps__reader_filled(reader, got);",
        "ps__reader_filled(reader, got == 1 ? 0 : got);",
    ),
    Break(
        "an attempt to connect is never freed",
        "connect.c",
        "  ps__os_realloc(attempt, 0);\n",
        "",
    ),
    Break(
        "a wait is a tenth too short",
        "timeout.c",
        "end = fmin(end, ps__os_monotime() + call->block);",
        "end = fmin(end, ps__os_monotime() + call->block * 0.9);",
    ),
    Break(
        "a wait starts anew after a signal",
        "timeout.c",
        "      if (status.code != PS_OK || answer == PS__READY) return status;\n",
        "      if (status.code != PS_OK || answer == PS__READY) return status;\n"
        "      if (call->block > 0) end = ps__os_monotime() + call->block;\n",
    ),
    Break(
        "a reset is taken for an end",
        "stream.c",
        "status.code == PS_CLOSED && status.system == 0 && ",
        "status.code == PS_CLOSED && ",
    ),
    Break(
        "a reset is forgotten once it was told",
        "stream.c",
        "        break_connection(call->self, io.error);\n        return",
        "        return",
    ),
    Break(
        "a close while a call is under way leaves the descriptor",
        "turn.c",
        "    if (calls > 0 && (now & PS__CLOSED)",
        "    if (calls > 0 && call->turn == 0 && (now & PS__CLOSED)",
    ),
    Break(
        "a close does not wake who waits",
        "tcp.c",
        "  if ((before & PS__CALLS) != 0) ps__os_wake();\n",
        "",
    ),
    Break(
        "setfd does not wait for the calls under way",
        "turn.c",
        "    if ((now & PS__CALLS) != 0) return 0;\n",
        "",
    ),
    Break(
        "what was sent before a failure is not counted",
        "stream.c",
        "    *done += (long long)sent;\n",
        "    if (left == sent) *done += (long long)sent;\n",
    ),
    Break(
        "a poller is not told of a closed socket",
        "tcp.c",
        "  ps__member_end(self);\n  /* The last",
        "  /* The last",
    ),
    Break(
        "a poller is not told of buffered bytes",
        "member.c",
        "    ps__member_list(poller, self->watched);\n    notify(poller);",
        "    ps__member_list(poller, self->watched);",
    ),
    Break(
        "the view of another thread is overwritten",
        "stream.c",
        "  if (self->viewer != me) return ps__error_failure(keep_view(self));\n",
        "",
    ),
    Break(
        "a forked child waits for the calls of its parent",
        "turn.c",
        "  while (((now ^ process) & PS__PROCESS) != 0) {",
        "  while (0) {",
    ),
    Break(
        "a delimiter is not found across two reads",
        "stream.c",
        "  for (wish->again = 0;; wish->again = 1) {",
        "  for (wish->again = 1;; wish->again = 1) {",
    ),
]


def sources() -> List[Path]:
    system = re.compile(r"(os|poll)_[a-z]+\.c")
    core = [
        p for p in sorted((ROOT / "core").glob("*.c")) if not system.fullmatch(p.name)
    ]
    shared = ROOT / "core/os_error.c"  # as in CMakeLists.txt
    return [*core, shared, *sorted((ROOT / "tests/simulate").glob("*.c"))]


def compile_file(source: Path, made: Path) -> Path:
    command = ["cc", "-std=c11", "-O2", "-w", f"-I{ROOT / 'core'}", "-c", str(source)]
    subprocess.run([*command, "-o", str(made)], check=True)
    return made


def link(objects: Dict[str, Path], program: Path) -> None:
    files = [str(made) for made in objects.values()]
    subprocess.run(["cc", "-o", str(program), *files, "-lm"], check=True)


def find(program: Path, worlds: int) -> List[str]:
    """Returns what the failing worlds say."""
    arguments = ["--worlds", str(worlds), "--seconds", "300", "--fixed", "--keep-on"]
    run = subprocess.run([str(program), *arguments], stdout=subprocess.PIPE, text=True)
    return re.findall(r"^world (\d+: .*) \(", run.stdout, re.MULTILINE)


def prove(
    broken: Optional[Break], sound: Dict[str, Path], folder: Path, worlds: int
) -> int:
    objects = dict(sound)
    if broken is not None:
        text = (ROOT / "core" / broken.file).read_text()
        if text.count(broken.old) != 1:
            sys.exit(f"{broken.name}: the place in {broken.file} is gone")
        source = folder / broken.file
        source.write_text(text.replace(broken.old, broken.new))
        objects[broken.file] = compile_file(source, folder / "broken.o")
    program = folder / "simulate"
    link(objects, program)
    found = find(program, worlds)
    name = "the core as it is" if broken is None else broken.name
    print(f"{len(found):6d} of {worlds} worlds: {name}")
    if found:
        print(f"{'':10}first in world {found[0][:90]}")
    sys.stdout.flush()
    return len(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=10000)
    worlds = parser.parse_args().worlds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound = {p.name: compile_file(p, folder / f"{p.stem}.o") for p in sources()}
        missed = [b.name for b in BREAKS if prove(b, sound, folder, worlds) == 0]
        false = prove(None, sound, folder, worlds)
    for name in missed:
        print(f"not found: {name}")
    return 1 if missed or false else 0


if __name__ == "__main__":
    sys.exit(main())
