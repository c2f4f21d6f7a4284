# SPDX-License-Identifier: MIT
"""Guards what the benchmarks have gained: instructions per operation.

Each case runs twice under callgrind, with fewer and with more operations, and the
difference counts, so that starting up does not. Instructions do not depend on how busy a
machine is; the bounds leave room for other compilers and interpreters.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

sys.path.insert(0, str(Path(__file__).resolve().parent))
from run import Runner, build, environment, parser_of

FEW, MANY = 1_000, 11_000

# Library, case, and the most instructions that an operation may take.
BOUNDS = (
    ("c:core", "line", 220),
    ("c:core", "call", 30),
    ("lua:polysock", "line", 1750),
    ("lua:polysock", "iterate", 1250),
    ("lua:polysock", "call", 650),
    ("lua:polysock", "ready", 800),
    ("python:raising", "line", 1050),
    ("python:raising", "iterate", 850),
    ("python:raising", "ready", 1100),
    ("python:polysock", "count16", 1450),
    ("python:polysock", "call", 600),
)


def count(command: List[str], variables: Dict[str, str], folder: Path) -> int:
    """Returns how many instructions a command takes."""
    done = subprocess.run(
        [
            "valgrind",
            "--tool=callgrind",
            f"--callgrind-out-file={folder}/callgrind",
            *command,
        ],
        capture_output=True,
        text=True,
        env=variables,
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or found is None:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return int(found.group(1))


def main() -> None:
    """Counts, compares and says so."""
    options = parser_of(__doc__).parse_args()
    if shutil.which("valgrind") is None:
        print("guard: skipped, since there is no valgrind here")
        return
    folder = Path(tempfile.mkdtemp())
    reference = build(folder, options.prefix)
    variables = environment(options.prefix)
    variables["PYTHONHASHSEED"] = "0"
    failed = 0
    with subprocess.Popen(
        [folder / "peer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        assert peer.stdout is not None and peer.stdin is not None
        port = int(peer.stdout.readline())
        runner = Runner(options.lua, options.python, reference, port, variables)
        for library, case, most in BOUNDS:
            few, many = (
                count(runner.command(library, case, times), variables, folder)
                for times in (FEW, MANY)
            )
            each = (many - few) / (MANY - FEW)
            failed += each > most
            mark = "ok" if each <= most else "NOT OK"
            print(f"{mark}: {library} {case}: {each:.0f} instructions, at most {most}")
        peer.stdin.close()
    shutil.rmtree(folder)
    print(f"guard: {len(BOUNDS) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
