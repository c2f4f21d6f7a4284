# SPDX-License-Identifier: MIT
"""The exceptions of polysock.

Each failure is an ``Error``, and also the class that the standard library raises for the
same event. The compiled module makes them of these classes without calling ``__init__``.
Misuse never comes here: it is a TypeError or a ValueError everywhere.
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
        """What the standard library has two classes for."""


class Error(OSError):
    """A failure, as the raising module and ``try_`` raise it.

    ``error`` is the failure in the words that a tuple would carry. ``partial`` is what
    was received before it, in bytes, for what receives. ``last`` is the index of the last
    byte sent, for send, or the count of bytes in the buffer, for receiveinto. ``errno``
    is the system's number behind it. ``address`` is what connect or bind was called with,
    as in '127.0.0.1:80', and is in the text. Each is None where there is none.
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
    and when the object was closed here.
    """


class ClosedByReset(Closed, ConnectionResetError):
    """The failure 'closed', by a reset."""


class ClosedByAbort(Closed, ConnectionAbortedError):
    """The failure 'closed', since the system has given the connection up."""


class ClosedPipe(Closed, BrokenPipeError):
    """The failure 'closed', of a send."""


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
