# SPDX-License-Identifier: MIT
"""The slow resolver: a library that is loaded into a testee before the C library, and
answers names that a scenario makes up, as late as the scenario says.

It is data/slow_resolver.c, compiled when the first scenario needs it, by the
compiler that the variable CC names: testees of another kind of machine need another.
Nothing here knows what a testee does with a name.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from .data import RESOLVER


@cache
def library() -> tuple[Path | None, str]:
    """The compiled library, or None and the reason why there is none."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    if not sys.platform.startswith("linux"):
        return None, "no library can be loaded before the resolver here"
    if shutil.which(compiler[0]) is None:
        return None, "no C compiler for the slow resolver"
    folder = tempfile.mkdtemp(prefix="resolver-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = Path(folder) / "slow_resolver.so"
    argv = [*compiler, "-shared", "-fPIC", "-o", str(target), str(RESOLVER), "-ldl"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None, f"the slow resolver does not compile: {done.stderr[-300:]}"
    return target, ""


def environment(names: list[str]) -> dict[str, str]:
    """What a process needs in order to resolve these names (`NAME SECONDS ADDRESS…`)."""
    place, reason = library()
    if place is None:
        raise OSError(reason)
    before = os.environ.get("LD_PRELOAD")
    asan = os.environ.get("ASAN_OPTIONS")
    return {
        "LD_PRELOAD": f"{place}:{before}" if before else str(place),
        # A sanitizer insists on coming first, which only matters for what it replaces.
        "ASAN_OPTIONS": ":".join(filter(None, [asan, "verify_asan_link_order=0"])),
        "TEST_NAMES": "; ".join(names),
    }
