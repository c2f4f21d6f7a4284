# SPDX-License-Identifier: MIT
"""Names and addresses, by the resolver of the system. Failures are returned."""

from ._core import dns_getaddrinfo as getaddrinfo
from ._core import dns_gethostname as gethostname
from ._core import dns_getnameinfo as getnameinfo
from ._core import dns_tohostname as tohostname
from ._core import dns_toip as toip

__all__ = ["getaddrinfo", "gethostname", "getnameinfo", "tohostname", "toip"]
