#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what those who use the interface read: the Python stub, the Lua annotations and
the reference in docs; and for the Python module the list of what is callable, with
signatures and texts.

The one source is polysock.i, as ``swig -xml`` reads it, with the comments of the files
that one language alone has, and the examples in swig/examples. It must never say what
the interface does not, nor depend on the version of SWIG.
"""

from __future__ import annotations

import argparse
import difflib
import sys

from generator.failing import with_results
from generator.interface import ROOT, read_interface
from generator.lua import lua_meta
from generator.man import man_page
from generator.methods import python_methods
from generator.python import python_stub
from generator.reference import references


def is_current(name: str, text: str) -> bool:
    """Shows what differs."""
    path = ROOT / name
    old = path.read_text().splitlines(True) if path.exists() else []
    lines = list(difflib.unified_diff(old, text.splitlines(True), name, "made anew"))
    sys.stdout.writelines(lines)
    return not lines


def write(name: str, text: str) -> None:
    path = ROOT / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--swig", default="swig", help="the generator to run")
    chosen = parser.parse_args()
    lua, python = (read_interface(chosen.swig, name) for name in ("lua", "python"))
    made = {
        "python/polysock/_core.pyi": python_stub(with_results(python)),
        "swig/python/methods.def": python_methods(with_results(python)),
        "lua/meta/polysock.lua": lua_meta(lua),
        "docs/polysock.3": man_page(),
        **references(lua, python),
    }
    if chosen.check:
        current = [is_current(name, text) for name, text in made.items()]
        return int(not all(current))
    for name, text in made.items():
        write(name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
