# SPDX-License-Identifier: MIT
"""Where the data of the suite are. Nothing here reads them."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SCENARIOS = FOLDER.parent / "scenarios"
CHECK = FOLDER / "check"
INTERFACE = FOLDER / "interface.json"
CAPABILITIES = FOLDER / "capabilities.json"
SCHEMA = FOLDER / "report.schema.json"
RESOLVER = FOLDER / "slow_resolver.c"
