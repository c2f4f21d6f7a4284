# SPDX-License-Identifier: MIT
"""TCP with LuaSocket's objects, timeouts, read patterns and partial results.

Failures are returned: ``data, error, partial = client.receive()``. Misuse raises. The
module ``polysock.raising`` has the same functions for those who want exceptions instead.
"""

from . import dns
from ._core import (
    BasePoller,
    BaseSocket,
    Poller,
    RaisingPoller,
    RaisingSocket,
    Socket,
    bind,
    connect,
    connect4,
    connect6,
    fromfd,
    gettime,
    monotime,
    poller,
    select,
    setsize,
    sleep,
    tcp,
    tcp4,
    tcp6,
    version,
)
from .errors import Closed, Error, Oversized, Refused, Timeout, Unresolved
from .tries import newtry, protect, try_

VERSION: str = version()
"""The name and the version of this library."""

SETSIZE: int = setsize()
"""How many descriptors this process may have open; select has no limit of its own."""

SOCKETINVALID: int = -1
"""The value of getfd and setfd that means no descriptor."""

from . import raising as raising  # noqa: E402  (it needs the names above)

__version__: str = VERSION.split()[-1]

__all__ = [
    "SETSIZE",
    "SOCKETINVALID",
    "VERSION",
    "BasePoller",
    "BaseSocket",
    "Closed",
    "Error",
    "Oversized",
    "Poller",
    "RaisingPoller",
    "RaisingSocket",
    "Refused",
    "Socket",
    "Timeout",
    "Unresolved",
    "bind",
    "connect",
    "connect4",
    "connect6",
    "dns",
    "fromfd",
    "gettime",
    "monotime",
    "newtry",
    "poller",
    "protect",
    "select",
    "sleep",
    "tcp",
    "tcp4",
    "tcp6",
    "try_",
]
