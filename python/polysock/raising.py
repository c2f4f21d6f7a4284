# SPDX-License-Identifier: MIT
"""The functions of polysock in exception style: a bare value, or an ``Error`` raised.

The objects are the same, and they raise, too; so do those that a raising server accepts.
The style is decided where results are made, so nothing is wrapped and nothing is slower::

    with raising.connect(host, port) as client:
        for line in client:
            ...
"""

from typing import TYPE_CHECKING

from . import SETSIZE, SOCKETINVALID, VERSION, _core
from .errors import Closed, Error, Oversized, Timeout, newtry, protect, try_

if TYPE_CHECKING:
    from ._core import RaisingSocket as Socket
else:
    Socket = _core.Socket

_raising = _core.raising

bind = _raising.bind
connect = _raising.connect
connect4 = _raising.connect4
connect6 = _raising.connect6
fromfd = _raising.fromfd
gettime = _raising.gettime
monotime = _raising.monotime
select = _raising.select
sleep = _raising.sleep
tcp = _raising.tcp
tcp4 = _raising.tcp4
tcp6 = _raising.tcp6


class dns:
    """The functions of polysock.dns in exception style."""

    getaddrinfo = staticmethod(_raising.dns_getaddrinfo)
    gethostname = staticmethod(_raising.dns_gethostname)
    getnameinfo = staticmethod(_raising.dns_getnameinfo)
    tohostname = staticmethod(_raising.dns_tohostname)
    toip = staticmethod(_raising.dns_toip)


__all__ = [
    "SETSIZE",
    "SOCKETINVALID",
    "VERSION",
    "Closed",
    "Error",
    "Oversized",
    "Socket",
    "Timeout",
    "bind",
    "connect",
    "connect4",
    "connect6",
    "dns",
    "fromfd",
    "gettime",
    "monotime",
    "newtry",
    "protect",
    "select",
    "sleep",
    "tcp",
    "tcp4",
    "tcp6",
    "try_",
]
