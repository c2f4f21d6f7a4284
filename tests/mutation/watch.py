# SPDX-License-Identifier: MIT
"""A plugin of pytest for mutation runs: it notes which functions each test reaches, and
has a test that hangs end sooner."""

from __future__ import annotations

import json
import mmap
import os
import time
from pathlib import Path
from typing import Iterator

import pytest

SECONDS = 12.0


class Watch:
    def __init__(self, reach: str, notes: Path) -> None:
        self.file = open(reach, "r+b")  # noqa: SIM115 - as long as the process
        self.bytes = mmap.mmap(self.file.fileno(), 0)
        self.notes = notes
        self.found: dict[str, tuple[float, list[int]]] = {}
        self.failed: list[str] = []
        self.always: list[int] = []

    def take(self) -> list[int]:
        """What was reached since it was asked last."""
        seen = [at for at, byte in enumerate(self.bytes[:]) if byte]
        self.bytes[:] = bytes(len(self.bytes))
        return seen

    def pytest_collection_finish(self) -> None:
        self.always = self.take()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.found[item.nodeid] = (time.monotonic() - began, self.take())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome == "failed":
            self.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.notes.write_text(
            json.dumps([self.always, self.found, self.failed]), encoding="utf-8"
        )


def pytest_configure(config: pytest.Config) -> None:
    reach, notes = os.environ.get("PS_REACH"), os.environ.get("PS_NOTES")
    if reach and notes:
        config.pluginmanager.register(Watch(reach, Path(notes)))


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    for plugin in config.pluginmanager.get_plugins():
        if hasattr(plugin, "_watchdog"):
            plugin.LIMIT = SECONDS
