# SPDX-License-Identifier: MIT
"""fork in Lua, by a small module of the tests. In Python: tests/python/test_fork*.py; at
every moment of a call in another thread: tests/core/test_fork_steps.c.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict

import pytest
from program import CONFORMANCE, LUA, PATIENCE

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def forking(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, str]:
    """The environment in which Lua has the module, and late.test takes its time."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("fork")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "lua5.4"], capture_output=True, text=True, check=True
    ).stdout.split()
    for source, name in (
        (HERE / "processes.c", "processes.so"),
        (CONFORMANCE / "polysock_conformance/data/slow_resolver.c", "slow.so"),
    ):
        made = [compiler, "-shared", "-fPIC", *flags, "-o", str(folder / name)]
        subprocess.run([*made, str(source), "-ldl"], check=True)
    path = os.environ.get("LUA_CPATH", ";;")
    return {
        **os.environ,
        "LUA_CPATH": f"{folder}/?.so;{path}",
        "LD_PRELOAD": str(folder / "slow.so"),
        "TEST_NAMES": "late.test 0.3 127.0.0.1",
    }


@pytest.mark.parametrize("case", ["name", "buffered", "poller", "listener"])
def test_fork_in_lua(forking: Dict[str, str], case: str) -> None:
    done = subprocess.run(
        [LUA, str(HERE / "fork.lua"), case],
        env=forking,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout == "good\n" and done.returncode == 0, done.stdout + done.stderr
