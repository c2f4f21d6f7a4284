# SPDX-License-Identifier: MIT
"""Copies of descriptors of another process, so that a connection has a second holder.

Linux alone has such a call (pidfd_getfd), and not every system permits it. Nothing here
changes what it copies.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

PIDFD_OPEN, PIDFD_GETFD = 434, 438  # the same numbers on every architecture


def _call(number: int, *args: int) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    answer = int(library.syscall(*map(ctypes.c_long, (number, *args))))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer


def copy(process: int, fd: int) -> int:
    """A descriptor of ours for what fd is in the other process."""
    handle = _call(PIDFD_OPEN, process, 0)
    try:
        return _call(PIDFD_GETFD, handle, fd, 0)
    finally:
        os.close(handle)


@cache
def obstacle() -> str | None:
    """Why no descriptor can be copied here, or None."""
    if not sys.platform.startswith("linux"):
        return "only on Linux"
    try:
        os.close(copy(os.getpid(), sys.stderr.fileno()))
    except OSError as error:
        return f"descriptors cannot be copied here: {error.strerror}"
    return None
