# SPDX-License-Identifier: MIT
"""The exceptions of polysock.

Each failure is an ``Error``, and also an instance of the class that the standard library
raises for the same event. The compiled module creates the exceptions without calling
``__init__``. Misuse raises TypeError or ValueError, never one of these classes.
"""

from __future__ import annotations

import socket
import sys
from typing import Any, Dict, Optional, Tuple

__all__ = ["Closed", "Error", "Oversized", "Refused", "Timeout", "Unresolved"]

if sys.version_info >= (3, 10):
    _StandardTimeout = TimeoutError
else:

    class _StandardTimeout(TimeoutError, socket.timeout):
        """Both classes that the standard library has for a timeout."""


class Error(OSError):
    """A failure, as ``polysock.raising``, ``polysock.aio`` and ``try_`` raise it.

    ``error`` is the failure in words, the same that a tuple carries. ``partial`` is the
    bytes that a failed receive has received. ``last`` is the index of the last byte sent
    for send, the number of bytes in the buffer for receiveinto. ``errno`` is the system's
    error number. ``address`` is the address that connect or bind was called with, for
    example '127.0.0.1:80'; ``str`` includes it. Each is None where it does not apply.
    """

    partial: Optional[bytes] = None
    last: Optional[int] = None
    address: Optional[str] = None

    def __init__(
        self,
        error: str,
        partial: Optional[bytes] = None,
        errno: Optional[int] = None,
        last: Optional[int] = None,
        address: Optional[str] = None,
    ) -> None:
        super().__init__(errno, error)
        self.partial = partial
        self.last = last
        self.address = address

    @property
    def error(self) -> str:
        """The failure in words."""
        return self.strerror or ""

    def __str__(self) -> str:
        return self.error if self.address is None else f"{self.error}: {self.address}"

    def __reduce__(self) -> Tuple[Any, Tuple[Any, ...], Dict[str, Any]]:
        arguments = (self.error, self.partial, self.errno, self.last, self.address)
        return type(self), arguments, self.__dict__


class Timeout(Error, _StandardTimeout):
    """The failure 'timeout'."""


class Closed(Error, ConnectionError):
    """The failure 'closed'.

    It is also a ConnectionResetError, ConnectionAbortedError or BrokenPipeError if one of
    these events closed the connection. Its errno is None when the peer ended the stream,
    and when this program closed the object.
    """


class ClosedByReset(Closed, ConnectionResetError):
    """The failure 'closed', caused by a reset."""


class ClosedByAbort(Closed, ConnectionAbortedError):
    """The failure 'closed', because the system has aborted the connection."""


class ClosedPipe(Closed, BrokenPipeError):
    """The failure 'closed' of a send."""


class Refused(Error, ConnectionRefusedError):
    """The failure 'connection refused'."""


class Denied(Error, PermissionError):
    """The failure 'permission denied'."""


class Unresolved(Error, socket.gaierror):
    """The failures 'host or service not provided, or not known', 'service not supported
    for socket type', 'temporary failure in name resolution' and 'non-recoverable failure
    in name resolution'.

    Its errno is one of the numbers of socket.gaierror.
    """


class Oversized(Error):
    """The failure 'oversized'."""
