# SPDX-License-Identifier: MIT
"""Runs the tests of tests/net in namespaces of their own; arguments go to pytest.

Where namespaces or TUN devices are not allowed it says why and skips all of them. The
last line counts: `net: N passed, M failed, K skipped`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List, Sequence

HERE = Path(__file__).resolve().parent
INSIDE = "--inside"
MOUNTED = {
    "/etc/resolv.conf": "nameserver 10.77.0.2\noptions timeout:1 attempts:1\n",
    "/etc/nsswitch.conf": "hosts: files dns\nservices: files\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}


def apart(*words: str) -> List[str]:
    """A command in namespaces of its own."""
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *root, "--net", "--mount", "--fork", "--kill-child", *words]


def skip(reason: str) -> int:
    print(f"skipped: {reason}")
    print("net: 0 passed, 0 failed, 1 skipped")
    return 0


def mount(folder: Path) -> None:
    """Puts files of our own in place of those that the resolver reads: for us alone."""
    for path, text in MOUNTED.items():
        ours = folder / Path(path).name
        ours.write_text(text, encoding="ascii")
        subprocess.run(["mount", "--bind", str(ours), path], check=True)


def inside(words: Sequence[str]) -> int:
    sys.path.insert(0, str(HERE))
    import lab
    import pytest

    with tempfile.TemporaryDirectory() as folder:
        try:
            mount(Path(folder))
        except (OSError, subprocess.CalledProcessError) as error:
            return skip(f"files cannot be mounted here: {error}")
        reason = lab.obstacle()
        if reason:
            return skip(f"no network can be made here: {reason}")
        return int(pytest.main([str(HERE), "-p", "no:cacheprovider", *words]))


def main(words: Sequence[str]) -> int:
    if words[:1] == [INSIDE]:
        return inside(words[1:])
    try:
        allowed = subprocess.run(apart("true"), capture_output=True, text=True)
    except OSError as error:
        return skip(f"unshare does not start: {error}")
    if allowed.returncode != 0:
        return skip(f"namespaces are not allowed here: {allowed.stderr.strip()}")
    return subprocess.run(apart(sys.executable, __file__, INSIDE, *words)).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
