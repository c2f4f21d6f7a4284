#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The conformance suite with the testees of this repository: polysock-conformance run,
with names for them.

It says how the columns are started, and nothing else: see docs/conformance.md.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from polysock_conformance import cli
from polysock_conformance.testees import Spec

HERE = Path(__file__).resolve().parent
ALL = ("luasocket", "c", "lua", "python")


def testee_arguments(parser: argparse.ArgumentParser) -> None:
    """What `specs` needs."""
    group = parser.add_argument_group("the testees")
    add = group.add_argument
    add(
        "--testee",
        metavar="NAMES",
        default=",".join(ALL),
        help="which testees, in the order of the columns (default: %(default)s)",
    )
    add("--lua", default="lua5.4", metavar="COMMAND", help="(default: %(default)s)")
    add("--lua-path", metavar="PATH", help="LUA_PATH of the testee lua")
    add("--lua-cpath", metavar="PATH", help="LUA_CPATH of the testee lua")
    add("--python", default=sys.executable, metavar="COMMAND", help="(default: this one)")
    add("--python-path", metavar="PATH", help="PYTHONPATH of the testee python")
    add("--c", default="testee-c", metavar="COMMAND", help="the built testee.c")
    add(
        "--command",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="a testee of your own, or one of ours started otherwise; may be repeated",
    )


def specs(options: argparse.Namespace) -> dict[str, Spec]:
    """How the chosen testees are started, in the order of the columns."""
    lua = shlex.split(options.lua)
    lua_env = {"LUA_PATH": options.lua_path, "LUA_CPATH": options.lua_cpath}
    python_env = {"PYTHONPATH": options.python_path}
    known = {
        "luasocket": Spec("luasocket", [*lua, str(HERE / "testee.lua"), "socket"]),
        "c": Spec("c", shlex.split(options.c)),
        "lua": Spec(
            "lua",
            [*lua, str(HERE / "testee.lua"), "polysock"],
            env={name: path for name, path in lua_env.items() if path},
        ),
        "python": Spec(
            "python",
            [*shlex.split(options.python), str(HERE / "testee.py")],
            env={name: path for name, path in python_env.items() if path},
        ),
    }
    for text in options.command:
        name, equals, command = text.partition("=")
        if not equals:
            raise SystemExit(f"--command wants NAME=COMMAND: {text}")
        spec = known.setdefault(name, Spec(name, []))
        spec.argv = shlex.split(command)
    chosen = [name for name in options.testee.split(",") if name]
    for name in chosen:
        if name not in known:
            raise SystemExit(f"no such testee: {name}; there are {', '.join(known)}")
    return {name: known[name] for name in chosen}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    cli.run_arguments(parser)
    testee_arguments(parser)
    options = parser.parse_args(argv)
    options.known.insert(0, HERE / "known.txt")
    return cli.guarded(lambda: cli.play(options, specs(options)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
