# SPDX-License-Identifier: MIT
"""What is in the modules that were built: they export what loads them and nothing else,
and are hardened as far as the compiler can. A second build of the same sources, in a
folder with another name, at another time and by fewer jobs, gives the same bytes."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*words: str, **variables: str) -> str:
    """Returns what a command prints, in English."""
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "LC_ALL": "C", **variables},
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


def build(source: Path, folder: Path, jobs: str) -> Dict[str, bytes]:
    """Returns what a release build writes: wrappers, modules and the C library."""
    run(
        *("cmake", "-G", "Ninja", "-S", str(source), "-B", str(folder)),
        *("-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON"),
        f"-DPython_EXECUTABLE={sys.executable}",
    )
    run("cmake", "--build", str(folder), "-j", jobs)
    names = ["lua_wrap.c", "python_wrap.c", "core.so", "libpolysock.so"]
    (module,) = folder.glob("_core*.so")
    return {name: (folder / name).read_bytes() for name in [*names, module.name]}


def copy(to: Path) -> Path:
    """Copies the sources that git knows, with times of their own."""
    listed = run("git", "-C", str(ROOT), "ls-files", "core", "swig", "lua", "docs")
    for name in ["CMakeLists.txt", *listed.split()]:
        if (ROOT / name).exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_bytes((ROOT / name).read_bytes())
            os.utime(to / name, (1e9, 1e9))
    return to


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(ROOT, folder, "2")
    return folder


def modules(built: Path) -> Dict[str, Path]:
    (python,) = built.glob("_core*.so")
    return {"luaopen_polysock_core": built / "core.so", "PyInit__core": python}


def test_modules_export_what_loads_them(built: Path) -> None:
    for entry, path in modules(built).items():
        exported = run("nm", "-D", "--defined-only", str(path))
        assert [line.split()[2] for line in exported.splitlines()] == [entry]


def test_the_library_exports_what_polysock_h_declares(built: Path) -> None:
    exported = run("nm", "-D", "--defined-only", str(built / "libpolysock.so"))
    names = [line.split()[2] for line in exported.splitlines()]
    assert len(names) > 50
    assert [name for name in names if not name.startswith("ps_")] == []
    assert [name for name in names if name.startswith("ps__")] == []


def test_they_are_hardened(built: Path) -> None:
    known = (built / "CMakeCache.txt").read_text()
    for path in [*modules(built).values(), built / "libpolysock.so"]:
        segments = run("readelf", "-lW", str(path))
        assert "GNU_RELRO" in segments
        (stack,) = (line for line in segments.splitlines() if "GNU_STACK" in line)
        assert " RWE " not in stack, stack
        assert " NOW" in run("readelf", "-dW", str(path))
        assert "TEXTREL" not in run("readelf", "-dW", str(path))
        undefined = run("nm", "-D", "--undefined-only", str(path))
        if "POLYSOCK_HAS_fstack_protector_strong:INTERNAL=1" in known:
            assert "__stack_chk_fail" in undefined
        if platform.libc_ver()[0] == "glibc":
            assert "_chk@" in undefined.replace("__stack_chk", "")


def test_another_build_is_the_same(built: Path, tmp_path: Path) -> None:
    source = copy(tmp_path / "another folder")
    others = build(source, tmp_path / "its build", "1")
    for name, content in others.items():
        assert content == (built / name).read_bytes(), name
        assert str(tmp_path).encode() not in content, name
