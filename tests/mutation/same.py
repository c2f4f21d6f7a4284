# SPDX-License-Identifier: MIT
"""Mutants from which an optimizing compiler makes the same code: nobody can tell them,
and nobody needs to look at them."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from mutants import Mutant
from schema import elsewhere, generator, run

FOLDERS = ("core", "swig")


class SameCode:
    """Compares what the compiler makes of the sources that a mutant is in, without any
    variants: `tree` and `build` are the ones of schema.py, and `plain` is a copy of the
    tree's sources from before."""

    def __init__(self, tree: Path, build: Path, plain: Path) -> None:
        self.tree, self.build, self.plain = tree, build, plain
        self.lock = threading.Lock()
        self.code: dict[str, str] = {}  # of each source as it is
        listed = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
        # By what a build defines: a source may be part of several, as poll_poll.c is.
        self.commands: dict[str, dict[tuple[str, ...], list[str]]] = {}
        for entry in listed:
            name = Path(entry["file"])
            if name.parent in (build, tree / "core"):
                argv = shlex.split(entry["command"])
                defined = tuple(sorted(word for word in argv if word.startswith("-D")))
                self.commands.setdefault(name.name, {}).setdefault(defined, argv)

    def as_without(self, mutant: Mutant) -> bool:
        language = mutant.file.split("/")[1] if mutant.file.count("/") == 2 else ""
        if mutant.file.endswith(".c"):
            names = [Path(mutant.file).name]
        elif mutant.file.startswith("core/"):
            names = [name for name in self.commands if "_wrap." not in name]
        else:
            names = [
                name for name in self.commands if name.startswith(f"{language}_wrap.")
            ]
            names = names or [name for name in self.commands if "_wrap." in name]
        return all(self.plain_code(name) == self.compiled(name, mutant) for name in names)

    def plain_code(self, name: str) -> str:
        with self.lock:
            if name not in self.code:
                self.code[name] = self.compiled(name, None) or "does not compile"
            return self.code[name]

    def compiled(self, name: str, mutant: Mutant | None) -> str | None:
        """The assembly of a source with a mutant in it."""
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            for part in FOLDERS:
                shutil.copytree(self.plain / part, place / part)
            if mutant:
                (place / mutant.file).write_text(mutant.text, encoding="utf-8")
            if "_wrap." in name:
                argv = generator(self.build, name.partition("_")[0])
                run(elsewhere(argv, self.tree, place), place)
            code = [
                self.assembly(name, argv, place) for argv in self.commands[name].values()
            ]
            return None if None in code else "\n".join(filter(None, code))

    def assembly(self, name: str, command: list[str], place: Path) -> str | None:
        argv = [
            word.replace(f"{self.tree}/", f"{place}/").replace(
                f"{self.build}/{name}", f"{place}/{name}"
            )
            for word in command
        ]
        at = argv.index("-include")
        del argv[at : at + 2]
        argv[argv.index("-o") + 1] = "-"
        # A wrapper is long, and takes many seconds with more.
        level = "-O0" if "_wrap." in name else "-O2"
        argv += ["-S", level, f"-ffile-prefix-map={place}=."]
        done = subprocess.run(
            argv, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return done.stdout.decode() if done.returncode == 0 else None
