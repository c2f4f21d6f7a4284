# SPDX-License-Identifier: MIT
"""The functions of polysock in exception style: a bare value, or an ``Error`` raised.

The methods of its objects raise, too; their classes are ``RaisingSocket`` and
``RaisingPoller``. The compiled module chooses the style when it makes a result, so there
are no wrappers and no call is slower::

    with raising.connect(host, port) as client:
        for line in client:
            ...
"""

from .. import SETSIZE, SOCKETINVALID, VERSION, BasePoller, BaseSocket
from .._core import RaisingPoller, RaisingSocket
from .._core import raising_bind as bind
from .._core import raising_connect as connect
from .._core import raising_connect4 as connect4
from .._core import raising_connect6 as connect6
from .._core import raising_fromfd as fromfd
from .._core import raising_gettime as gettime
from .._core import raising_monotime as monotime
from .._core import raising_poller as poller
from .._core import raising_select as select
from .._core import raising_sleep as sleep
from .._core import raising_tcp as tcp
from .._core import raising_tcp4 as tcp4
from .._core import raising_tcp6 as tcp6
from ..errors import Closed, Error, Oversized, Refused, Timeout, Unresolved
from ..tries import newtry, protect, try_
from . import dns

Poller = RaisingPoller
Socket = RaisingSocket


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
